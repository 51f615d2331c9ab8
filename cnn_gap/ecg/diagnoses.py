"""Diagnoses: their codes, names, equivalents and the rewards that the Challenge gives for each pair.

A *class* is what the network predicts: one code, or several equivalent ones. The classes and the reward of
answering one for another come from a weights file (https://physionetchallenges.org/2020/#scoring).
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cnn_gap.errors import InputError
from cnn_gap.files import readable
from cnn_gap.shipped import SHIPPED_WEIGHTS

#: Sinus rhythm, the Challenge's "normal" class.
NORMAL_CODE = "426783006"

#: Pairs that the 2020 Challenge scores as one class, representative first.
EQUIVALENT_CODES = (("713427006", "59118001"), ("284470004", "63593006"), ("427172004", "17338001"))


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis by its SNOMED CT code, abbreviation and name."""

    code: str
    abbreviation: str
    name: str


@cache
def known_diagnoses() -> dict[str, Diagnosis]:
    """Return the diagnoses of the 2020 and 2021 Challenges by code."""
    with (Path(__file__).parent / "diagnoses.csv").open(newline="", encoding="utf-8") as file:
        return {row["code"]: Diagnosis(**row) for row in csv.DictReader(file)}


def diagnosis(code: str) -> Diagnosis:
    """Return the diagnosis for `code`; a code that is not known stands for itself."""
    return known_diagnoses().get(code, Diagnosis(code, code, code))


def names_of(codes: Iterable[str]) -> set[str]:
    """Return what a class of these codes may be called: each code and its abbreviation, in lower case."""
    return {name.lower() for code in codes for name in (code, diagnosis(code).abbreviation)}


@dataclass(frozen=True)
class ClassSet:
    """The classes to predict, in order, and their reward matrix.

    Attributes
    ----------
    classes : tuple of tuple of str
        The equivalent codes of each of the C classes, representative first.
    weights : tuple of tuple of float
        `weights[j][k]` is the reward for answering class k where class j is true, shape (C, C).
    """

    classes: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[float, ...], ...]

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code of every class, equivalents one after the other."""
        return tuple(code for codes in self.classes for code in codes)

    @property
    def representatives(self) -> tuple[str, ...]:
        """The first code of each class."""
        return tuple(codes[0] for codes in self.classes)

    @property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """The diagnosis of each class's first code."""
        return tuple(diagnosis(codes[0]) for codes in self.classes)

    @property
    def normal(self) -> int | None:
        """The index of the normal class, None where the classes hold none."""
        return next((index for index, codes in enumerate(self.classes) if NORMAL_CODE in codes), None)

    def find(self, name: str) -> int:
        """Return the index of the class with this code, or this abbreviation of one of its codes (in any case).

        Raises
        ------
        InputError
            If there is none.
        """
        for index, codes in enumerate(self.classes):
            if name.strip().lower() in names_of(codes):
                return index
        known = ", ".join(each.abbreviation for each in self.diagnoses)
        raise InputError(f"no class has this code or abbreviation; the model knows {known}; received {name!r}")

    def reward_matrix(self) -> np.ndarray:
        """Return the weights as a float64 array of shape (C, C)."""
        return np.array(self.weights, dtype=np.float64)

    def expand(self, values: np.ndarray) -> np.ndarray:
        """Return a value for each of `codes` from one a class, shape (..., C): equivalents share theirs."""
        return np.repeat(values, [len(codes) for codes in self.classes], axis=-1)

    def encode(self, codes: Iterable[str]) -> np.ndarray:
        """Return which classes are among `codes`, bool of shape (C,); other codes are ignored."""
        present = set(codes)
        return np.array([not present.isdisjoint(equivalents) for equivalents in self.classes])


def read_weights(path: Path = SHIPPED_WEIGHTS) -> ClassSet:
    """Read a square CSV of rewards: a header line of classes, then a row a class.

    Codes joined by ``|`` are one class. The Challenge's equivalent codes on rows of their own are joined here,
    as its 2020 evaluator does, the first row's figures standing for the class.

    Raises
    ------
    InputError
        If the file is missing, or is not a square table of numbers with the same classes in rows and columns.
    """
    names, values = _read_square_table(Path(path))
    classes = [tuple(code.strip() for code in name.split("|")) for name in names]
    kept = [index for index, codes in enumerate(classes) if not _joined_elsewhere(codes, classes)]
    joined = tuple(_with_equivalents(classes[index], classes) for index in kept)
    if len({code for codes in joined for code in codes}) != sum(map(len, joined)):
        raise InputError(f"{path}: a class code is listed twice; list each once")
    return ClassSet(joined, tuple(tuple(values[row, column] for column in kept) for row in kept))


def _joined_elsewhere(codes: tuple[str, ...], classes: list[tuple[str, ...]]) -> bool:
    return any(codes == (other,) and (first,) in classes for first, other in EQUIVALENT_CODES)


def _with_equivalents(codes: tuple[str, ...], classes: list[tuple[str, ...]]) -> tuple[str, ...]:
    others = (other for first, other in EQUIVALENT_CODES if codes == (first,) and (other,) in classes)
    return (*codes, *others)


def _read_square_table(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        with readable(path, "give a weights file"), path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if any(map(str.strip, row))]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: is not a CSV of weights ({error})") from error
    if len(rows) < 2 or len(rows[0]) < 2:
        raise InputError(f"{path}: holds no weights; expected a header line of classes and a row for each")
    names = rows[0][1:]
    if [row[0] for row in rows[1:]] != names:
        raise InputError(f"{path}: the classes of the rows differ from those of the header line")
    if not all(names) or any("" in name.split("|") for name in names):
        raise InputError(f"{path}: the header line has a class without a code")
    try:
        values = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    except ValueError as error:
        raise InputError(f"{path}: the weights are not a square table of numbers ({error})") from error
    if values.shape != (len(names), len(names)) or not np.isfinite(values).all():
        raise InputError(f"{path}: the weights are not a finite square table; received shape {values.shape}")
    return names, values
