"""The figures of a training's epochs: which epoch is the best, a line for each, a table and a picture."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cnn_gap.system.files import replacing, write_text

#: An epoch is judged by the mean of this many epochs up to it, since a single one may be good by chance.
JUDGED_EPOCHS = 3

#: The figures of an epoch by the names of `cnn_gap.training.checkpoints.COLUMNS`; None where there is none.
Row = dict[str, Any]


def add_epoch(history: tuple[Row, ...], figures: Mapping[str, float]) -> tuple[Row, ...]:
    """Return the history with one more epoch; a figure that is nan becomes None."""
    row = {key: None if np.isnan(value) else round(float(value), 6) for key, value in figures.items()}
    return (*history, row | {"epoch": int(figures["epoch"])})


def best_epoch(history: tuple[Row, ...]) -> int:
    """Return the epoch, from 1, with the highest mean of AUROC + Challenge metric over `JUDGED_EPOCHS`.

    Without an AUROC it is the epoch with the lowest loss, without validation records the last one.
    """
    return max(range(1, len(history) + 1), key=lambda epoch: _quality(history[:epoch]))


def _quality(history: tuple[Row, ...]) -> tuple[float, ...]:
    """Return a sort key of the last epoch of a history: the better the epoch, the larger the key."""
    last = history[-1]
    if last["val_loss"] is None:
        return (last["epoch"],)
    if last["val_auroc"] is None:
        return (-last["val_loss"], 0)
    sums = [row["val_auroc"] + (row["val_challenge_metric"] or 0.0) for row in history[-JUDGED_EPOCHS:]]
    return sum(sums) / len(sums), last["epoch"]


def epoch_line(figures: Mapping[str, float], epochs: int, seconds: float) -> str:
    """Return a line about one of `epochs` epochs, which took `seconds`."""
    return (
        f"epoch {figures['epoch']}/{epochs}  loss {figures['loss']:.4f}  val_loss {figures['val_loss']:.4f}"
        f"  val_auroc {figures['val_auroc']:.4f}  val_scored_auroc {figures['val_scored_auroc']:.4f}"
        f"  val_challenge_metric {figures['val_challenge_metric']:.4f}"
        f"  {seconds:.0f} s"
    )


def write_history(folder: Path, history: Sequence[Row]) -> None:
    """Write `history.csv` and `history.png` with a row for each epoch so far; None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, history[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(folder / "history.csv", text.getvalue())
    _draw(folder / "history.png", history)


def _draw(path: Path, history: Sequence[Row]) -> None:
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
