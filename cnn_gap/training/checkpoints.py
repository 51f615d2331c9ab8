"""The state of a training, saved after each epoch: a training that was killed loses one epoch at most."""

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from cnn_gap.model.archive import check_weights
from cnn_gap.model.folder import write_saved
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json, remove_leftovers, write_json
from cnn_gap.system.settings import from_dict, require_depth

#: The figures of an epoch; each is a number or None.
COLUMNS = ("epoch", "loss", "val_loss", "val_auroc", "val_scored_auroc", "val_challenge_metric")


@dataclass(frozen=True)
class Progress:
    """The progress of a training.

    Attributes
    ----------
    setup : dict
        All that the training depends on: it is resumed only with the same setup.
    history : tuple of dict
        The figures of each finished epoch, by `COLUMNS`.
    best_epoch : int
        The epoch, from 1, with the best weights so far; 0 before the first one has ended.
    """

    setup: dict[str, Any]
    history: tuple[dict[str, Any], ...] = ()
    best_epoch: int = 0

    def __post_init__(self) -> None:
        require_depth(self.setup, "setup")
        if not 0 <= self.best_epoch <= len(self.history):
            raise InputError(f"best_epoch must be one of {len(self.history)}; received {self.best_epoch}")
        for row in self.history:
            figures = [value for value in row.values() if value is not None]
            numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in figures)
            if set(row) != set(COLUMNS) or not numbers:
                raise InputError(f"history must have rows of {', '.join(COLUMNS)}; received {str(row)[:80]}")

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)


class Checkpoints:
    """The folder of a training's state: `progress.json` and the weights of the last and the best epoch.

    `progress.json` is written after the weights that it names and before older weights are removed, so that the
    files that it names are complete whenever the process is killed.
    """

    def __init__(self, folder: Path):
        self.folder = Path(folder)

    def exists(self) -> bool:
        """Return whether there is a training to resume."""
        return self._progress_file.exists()

    def save(self, network: keras.Model, progress: Progress) -> None:
        """Save the weights of the network and its optimiser after an epoch, and the progress."""
        write_saved(self._weights_file(progress.epoch), network.save_weights)
        content = {"setup": progress.setup, "best_epoch": progress.best_epoch, "history": progress.history}
        write_json(self._progress_file, content)
        needed = {self._weights_file(progress.epoch), self._weights_file(progress.best_epoch)}
        for path in self._weights_files() - needed:
            path.unlink()

    def read(self, setup: dict[str, Any]) -> Progress:
        """Return the progress of the training with this setup.

        Raises
        ------
        InputError
            If the file is damaged, or the training was started with another setup: the difference is named.
        """
        try:
            progress = from_dict(Progress, read_json(self._progress_file))
        except InputError as error:
            raise InputError(
                f"{self._progress_file}: cannot be resumed: {error}; remove {self.folder}"
            ) from error
        setup = json.loads(json.dumps(setup))  # tuples become lists, as in the file
        if difference := _first_difference(progress.setup, setup):
            raise InputError(
                f"{self._progress_file}: cannot be resumed: {difference}; use the same settings and data,"
                " or train into another folder"
            )
        return progress

    def load_weights(self, network: keras.Model, epoch: int) -> None:
        """Load the weights after `epoch` and, if the network is compiled, the optimiser's state.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        path = self._weights_file(epoch)
        try:
            check_weights(path)
            network.load_weights(path)
        except Exception as error:  # Keras and h5py raise many types of exceptions for a damaged file
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{path}: cannot be loaded ({reason}); remove {self.folder} to start anew"
            ) from error

    def clear(self) -> None:
        """Remove the state: there is no training to resume any more."""
        self._progress_file.unlink(missing_ok=True)
        for path in self._weights_files():
            path.unlink()
        remove_leftovers(self.folder)
        with suppress(OSError):  # there are files that no training has written
            self.folder.rmdir()

    @property
    def _progress_file(self) -> Path:
        return self.folder / "progress.json"

    def _weights_files(self) -> set[Path]:
        return set(self.folder.glob("epoch-[0-9][0-9][0-9][0-9]*.weights.h5"))

    def _weights_file(self, epoch: int) -> Path:
        return self.folder / f"epoch-{epoch:04d}.weights.h5"


def _first_difference(before: object, now: object, where: str = "") -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            if difference := _first_difference(before.get(key), now.get(key), f"{where}.{key}".lstrip(".")):
                return difference
        return ""
    return "" if before == now else f"{where} was {_short(before)} and is now {_short(now)}"


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
