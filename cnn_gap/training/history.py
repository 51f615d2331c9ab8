"""Show how a training went, as a table and a picture."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from cnn_gap.system.files import replacing, write_text


def write_history(folder: Path, history: Sequence[Mapping[str, float | None]]) -> None:
    """Write `history.csv` and `history.png` of the epochs so far, a row each; None is no value."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(folder / "history.csv", text.getvalue())
    _draw(folder / "history.png", history)


def _draw(path: Path, history: Sequence[Mapping[str, float | None]]) -> None:
    figure = Figure(figsize=(8, 3), layout="constrained")
    panels = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for panel, keys in zip(panels, (("loss", "val_loss"), ("val_auroc", "val_challenge_metric")), strict=True):
        for key in keys:
            values = [np.nan if row[key] is None else row[key] for row in history]
            panel.plot(epochs, values, marker=".", label=key)
        panel.set_xlabel("epoch")
        panel.legend()
    with replacing(path) as aside:
        figure.savefig(aside, dpi=120)
