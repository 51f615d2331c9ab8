"""The figure that notebooks show as a picture."""

from io import BytesIO

from matplotlib.figure import Figure

#: Resolution of a picture in a notebook, dots an inch: the 12-lead sheet is about 1,300 dots wide.
NOTEBOOK_DPI = 110


class Picture(Figure):
    """A figure that needs no pyplot to be shown in a notebook; it is saved like any other."""

    def _repr_png_(self) -> bytes:
        """Return the figure as PNG, which Jupyter asks for."""
        content = BytesIO()
        self.savefig(content, format="png", dpi=NOTEBOOK_DPI)
        return content.getvalue()
