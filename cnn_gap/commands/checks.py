"""The checks before a command starts its work: errors are reported before Keras starts, which takes seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.cluster.connection import require_cluster
from cnn_gap.io.sources import require_source
from cnn_gap.model.archive import check_archive
from cnn_gap.model.folder import ModelDescription, read_description
from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import OutputKind, require_replaceable


@dataclass(frozen=True)
class CommandInputs:
    """The inputs and outputs of a command, to be checked before it starts its work.

    Attributes
    ----------
    models : tuple of Path
        Folders of trained models.
    data : str or None
        Folder of records, list of them, or address.
    cluster : str or None
        As `cnn_gap.cluster.connection.connected` takes it.
    outputs : iterable of (Path or None, OutputKind)
        Files that are to be written; None for one that is not.
    """

    models: tuple[Path, ...] = ()
    data: str | None = None
    cluster: str | None = None
    outputs: Iterable[tuple[Path | None, OutputKind]] = ()

    def check(self) -> tuple[ModelDescription, ...]:
        """Check all of them, and return the models' descriptions.

        Raises
        ------
        InputError
            If a model is missing or damaged, there is no such folder of records, the cluster's address is
            wrong, or an output would replace another file.
        """
        described = tuple(map(read_description, self.models))
        for folder in self.models:
            check_archive(folder / "model.keras")
        if self.data is not None:
            require_source(self.data)
        if self.cluster is not None:
            require_cluster(self.cluster)
        for path, kind in self.outputs:
            if path is not None:
                require_replaceable(path, kind)
        return described


def require_no_model(out: Path, argument: str, data: str, call: str) -> None:
    """Require that the folder for results is not a model's folder, which a user may give by swapping arguments.

    Parameters
    ----------
    out : Path
    argument : str
        What `out` was given as, such as ``OUT``.
    data : str
        What was taken for the records.
    call : str
        The arguments in the right order, for the message.

    Raises
    ------
    InputError
        If the folder holds a model.
    """
    if all((out / name).is_file() for name in ("model.json", "model.keras")):
        raise InputError(
            f"{out}: holds a model, but was taken for {argument}, the folder of the results ({data} was taken"
            f" for the records); give another folder, or, if it is the model that you want to use, write {call}"
        )
