"""Which files of a model folder a training may replace."""

import os
from pathlib import Path

from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import HISTORY, MODEL, require_replaceable


def require_model_folder(folder: Path) -> None:
    """Require that what a training writes replaces nothing but the files of an earlier one.

    Of the network and the picture of its history the content does not tell who wrote them: `model.json` or an
    unfinished training beside the one, and `history.csv` beside the other, do.

    Raises
    ------
    InputError
        If another file has one of the names.
    """
    require_replaceable(folder / "model.json", MODEL)
    require_replaceable(folder / "history.csv", HISTORY)
    for name, marks in (
        ("model.keras", ("model.json", "checkpoint/progress.json")),
        ("history.png", ("history.csv",)),
    ):
        if os.path.lexists(folder / name) and not any((folder / mark).exists() for mark in marks):
            raise InputError(
                f"{folder / name}: no {marks[0]} of a training is beside it, so it stays as it is; move it away, or"
                " train into another folder"
            )
