"""The model folder: `model.keras` (the network) and `model.json` (classes, thresholds and preprocessing)."""

import hashlib
import io
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnn_gap.diagnoses.classes import LARGEST_REWARD, ClassSet, Diagnosis, Finding
from cnn_gap.evaluate.thresholds import DecisionRule
from cnn_gap.leads import LEADS
from cnn_gap.model.archive import read_layers
from cnn_gap.model.catalogue import list_models
from cnn_gap.model.trained_network import TrainedNetwork
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import file_size, read_json, readable, replacing, write_json
from cnn_gap.system.outputs import HISTORY, MODEL, require_replaceable
from cnn_gap.system.settings import from_dict, to_dict
from cnn_gap.system.version import __version__

if TYPE_CHECKING:
    import keras

#: Version of model.json. Raise it when the meaning of a key changes.
MODEL_FORMAT = 1


@dataclass(frozen=True)
class ModelDescription:
    """The content of `model.json`.

    Attributes
    ----------
    classes : tuple of tuple of str
        The equivalent codes of each scored class, in the order of the network's probabilities.
    weights : tuple of tuple of float
        The Challenge's rewards, (C, C).
    thresholds : tuple of float or None
        A class or finding is answered from this probability on; None: never. The findings' follow the classes'.
    seen : tuple of bool
        Whether a training record has the class or finding.
    leads : tuple of str
        The network's channels, in order.
    preprocessing : Preprocessing
        How records become windows.
    answers : DecisionRule
        How probabilities become labels.
    versions : dict
        Of the software that trained the model.
    training : dict
        Summary of the training, for people.
    findings : tuple of Finding
        Diagnoses that are answered but not scored; their probabilities follow those of the classes.
    format : int
        Version of this file's format.
    """

    classes: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    thresholds: tuple[float | None, ...]
    seen: tuple[bool, ...]
    leads: tuple[str, ...]
    preprocessing: Preprocessing
    answers: DecisionRule
    versions: dict[str, Any]
    training: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    format: int = MODEL_FORMAT

    def __post_init__(self) -> None:
        if self.format != MODEL_FORMAT:
            raise InputError(
                f"format must be {MODEL_FORMAT}; received {self.format}: written by another version"
            )
        count = len(self.classes)
        if not count or not all(self.classes):
            raise InputError("classes must list at least one code for each class")
        outputs = count + len(self.findings)
        for key, expected in (("weights", count), ("thresholds", outputs), ("seen", outputs)):
            if len(getattr(self, key)) != expected:
                raise InputError(f"{key} must have {expected} entries; received {len(getattr(self, key))}")
        if any(len(row) != count or any(not abs(x) <= LARGEST_REWARD for x in row) for row in self.weights):
            raise InputError(f"weights must have {count} numbers of at most {LARGEST_REWARD:g} in each row")
        self._check_names()
        if any(threshold is not None and not 0 <= threshold <= 1 for threshold in self.thresholds):
            raise InputError(f"thresholds must be from 0 to 1, or null; received {list(self.thresholds)}")
        if self.leads != LEADS:
            raise InputError(f"leads must be {', '.join(LEADS)}; received {', '.join(self.leads)}")

    def _check_names(self) -> None:
        findings = [code for finding in self.findings for code in finding.codes]
        codes = [*(code for equivalents in self.classes for code in equivalents), *findings]
        if len(set(codes)) < len(codes) or any(not code or set(code) & set(",|\n\r") for code in codes):
            raise InputError(f"classes must be different codes without commas; received {codes}")
        names = [name for each in self.findings for name in (each.name, each.abbreviation, each.system)]
        if not all(text.isprintable() for text in (*codes, *names)):
            raise InputError("classes and findings must have codes and names without control characters")

    @property
    def lowest_probabilities(self) -> np.ndarray:
        """The thresholds as numbers, inf for never, float64 of shape (classes,)."""
        return np.array([math.inf if threshold is None else threshold for threshold in self.thresholds])

    @cached_property
    def class_set(self) -> ClassSet:
        """The classes with their rewards, and the findings."""
        return ClassSet(self.classes, self.weights, self.findings)

    @property
    def unseen(self) -> tuple[Diagnosis, ...]:
        """The diagnoses that no training record had: they are never answered."""
        pairs = zip(self.class_set.diagnoses, self.seen, strict=True)
        return tuple(diagnosis for diagnosis, seen in pairs if not seen)


def save_model(folder: Path, network: "keras.Model", description: ModelDescription) -> None:
    """Write a model folder; each file is whole or not there."""
    folder = Path(folder)
    write_saved(folder / "model.keras", lambda file: network.save(file, include_optimizer=False))
    write_json(folder / "model.json", to_dict(description))


class _Memory(io.BytesIO):
    """A file in memory with a name, whose suffix Keras looks at."""

    def __init__(self, name: str):
        super().__init__()
        self._name = name

    def __str__(self) -> str:
        return self._name


def write_saved(path: Path, save: Callable[[io.BytesIO], None]) -> None:
    """Save with Keras into memory and write the file at once: HDF5 crashes if the disk becomes full.

    Parameters
    ----------
    path : Path
        Whole or untouched; Keras chooses the format by its suffix.
    save : callable
        Saves to a file in memory.

    Raises
    ------
    InputError
        If the disk is full, or the folder cannot be written to.
    """
    memory = _Memory(path.name)
    save(memory)
    with replacing(path) as aside:
        aside.write_bytes(memory.getbuffer())


def read_description(folder: Path) -> ModelDescription:
    """Read `model.json` of a model folder, for which Keras is not needed.

    Raises
    ------
    InputError
        If a file is missing, or `model.json` is damaged.
    """
    folder = Path(folder)
    for name in ("model.json", "model.keras"):
        try:
            file_size(folder / name)
        except InputError as error:
            if not isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
                raise
            raise InputError(
                f"{folder / name}: not found; give a folder that training has written, or one of the shipped"
                f" models: {', '.join(list_models())}"
            ) from error
    try:
        return from_dict(ModelDescription, read_json(folder / "model.json"))
    except InputError as error:
        prefix = f"{folder / 'model.json'}: "
        raise InputError(prefix + str(error).removeprefix(prefix)) from error


def load_model(folder: Path) -> tuple["keras.Model", ModelDescription]:
    """Load a model folder by Keras; nothing in it is executed or unpickled.

    Raises
    ------
    InputError
        If a file is missing, damaged or does not fit the other.
    """
    network, description = read_model(folder)
    return network.keras, description


def read_model(folder: Path) -> tuple[TrainedNetwork, ModelDescription]:
    """Read a model folder without Keras, which is started only when the network is used as a model of Keras.

    Raises
    ------
    InputError
        If a file is missing, damaged or does not fit the other.
    """
    description, path = read_description(Path(folder)), Path(folder) / "model.keras"
    structure = read_layers(path)
    received = structure.channels, structure.outputs
    expected = len(description.leads), len(description.class_set)
    if received != expected:
        raise InputError(
            f"{path}: does not fit model.json, which has {expected[0]} leads and {expected[1]} outputs;"
            f" received a network of {received[0]} leads and {received[1]} outputs"
        )
    return TrainedNetwork(str(path), structure, partial(_load_network, path)), description


def _load_network(path: Path) -> "keras.Model":
    start_keras()
    import keras

    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a damaged file
        raise InputError(f"{path}: cannot be loaded ({_first_line(error)})") from error


def fingerprint(model: Path) -> str:
    """Return a hash of a model folder's files.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    digest = hashlib.sha256()
    for name in ("model.keras", "model.json"):
        with readable(model / name):
            digest.update((model / name).read_bytes())
    return digest.hexdigest()


def software_versions() -> dict[str, str]:
    """Return the versions of this package and of the libraries that compute the probabilities."""
    import keras

    backend = keras.backend.backend()
    versions = {"cnn_gap": __version__, "backend": backend}
    for package in ("keras", backend, "numpy", "scipy"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # e.g. a TensorFlow build under another name
            versions[package] = "unknown"
    return versions


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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
