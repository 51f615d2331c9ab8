"""Check that a training replaces only files that a training has written."""

import os
from pathlib import Path

from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import HISTORY, MODEL, require_replaceable


def require_model_folder(folder: Path) -> None:
    """Require that a training into a folder replaces nothing but the files of an earlier one.

    The contents of `model.keras` and `history.png` do not tell who wrote them. They are taken for a training's
    if `model.json` or an unfinished training, and `history.csv`, are beside them.

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
                f"{folder / name}: has no {marks[0]} of a training beside it and stays as it is; move it away,"
                " or train into another folder"
            )
