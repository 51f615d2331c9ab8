"""Diagnoses: their codes, names, equivalents and the rewards that the Challenge gives for each pair.

A *class* is what the network predicts: one code, or several equivalent ones. The classes and the reward of
answering one for another come from a weights file (https://physionetchallenges.org/2020/#scoring). *Findings*
are what the network may answer beside them and what nothing rewards: see `cnn_gap.diagnoses.findings`.
"""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_text
from cnn_gap.system.shipped import SHIPPED_WEIGHTS

#: Sinus rhythm, the Challenge's "normal" class.
NORMAL_CODE = "426783006"

#: Rewards beyond ± this value are no rewards: their sums would leave the numbers that there are.
LARGEST_REWARD = 1e6

#: Pairs that the 2020 Challenge scores as one class, representative first.
EQUIVALENT_CODES = (("713427006", "59118001"), ("284470004", "63593006"), ("427172004", "17338001"))


#: How words of the Challenge's tables are spelled elsewhere.
_ACRONYMS_AND_NAMES = ("AV", "ECG", "PR", "QRS", "QT", "ST", "Brugada", "Mobitz", "Parkinson", "White", "Wolff")
_SPELLINGS = {
    **{word.lower(): word for word in _ACRONYMS_AND_NAMES},
    "qwave": "Q wave",
    "Progression": "progression",
    "wenckebach": "(Wenckebach)",
    "countercolockwise": "counterclockwise",
    "t-voltage": "T voltage",
}
_SEPARATE_WAVES = re.compile(r"\b([pqrtu]) wave\b")
_PHRASES = (
    ("s t changes", "ST changes"),
    ("ST t", "ST-T"),
    ("Mobitz type i ", "Mobitz type I "),
    ("Wolff Parkinson White", "Wolff-Parkinson-White"),
    ("pre excitation", "pre-excitation"),
)

#: Whose codes the Challenge's are.
SNOMED = "SNOMED CT"


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis by its code, abbreviation and name, and whose code it is.

    `same_as` are the codes of the class that is the same diagnosis, where this one is a finding that has one.
    """

    code: str
    abbreviation: str
    name: str
    system: str = SNOMED
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a network answers beside the scored classes.

    Attributes
    ----------
    codes : tuple of str
        Its equivalent codes, that of `system` first.
    system : str
        Whose code the first one is, such as SCP-ECG.
    abbreviation, name : str
        The name is in plain English.
    teaches : tuple of str
        Codes of the class that is the same diagnosis, if there is one: training takes a record with the finding
        as one with the class.
    """

    codes: tuple[str, ...]
    system: str
    abbreviation: str
    name: str
    teaches: tuple[str, ...] = ()

    @property
    def diagnosis(self) -> Diagnosis:
        """The finding as a diagnosis."""
        return Diagnosis(self.codes[0], self.abbreviation, plain_name(self.name), self.system, self.teaches)


@cache
def known_diagnoses() -> dict[str, Diagnosis]:
    """Return the diagnoses of the 2020 and 2021 Challenges by code."""
    with (Path(__file__).parent / "diagnoses.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {row["code"]: Diagnosis(row["code"], row["abbreviation"], plain_name(row["name"])) for row in rows}


def plain_name(name: str) -> str:
    """Return a name as people write it: it begins with a capital, and so do waves, intervals and acronyms.

    The Challenge's tables have nearly all in lower case.

    Examples
    --------
    >>> plain_name("1st degree av block"), plain_name("qwave abnormal"), plain_name("s t changes")
    ('1st degree AV block', 'Q wave abnormal', 'ST changes')
    """
    text = " ".join(_SPELLINGS.get(word, word) for word in name.split())
    text = _SEPARATE_WAVES.sub(lambda match: f"{match[1].upper()} wave", text)
    for written, meant in _PHRASES:
        text = text.replace(written, meant)
    return text[:1].upper() + text[1:]


def diagnosis(code: str) -> Diagnosis:
    """Return the diagnosis for `code`; a code that is not known stands for itself."""
    return known_diagnoses().get(code, Diagnosis(code, code, code))


def names_of(codes: Iterable[str], about: Diagnosis) -> frozenset[str]:
    """Return what an output of these codes may be called, in lower case.

    That is each code, its abbreviation and that of `about`, also after the code system, as in ``SCP-ECG:PVC``.
    """
    abbreviations = (diagnosis(code).abbreviation for code in codes)
    names = {name.lower() for name in (*codes, *abbreviations, about.abbreviation)}
    return frozenset(names | {f"{about.system.lower()}:{name}" for name in names})


def duplicate_indices(answers: Iterable[tuple[Diagnosis, bool]]) -> frozenset[int]:
    """Return which of some answers, by index, say again what another says.

    An answer is a diagnosis and whether it is reported. A finding such as SCP-ECG's AFIB repeats the class that
    is the same diagnosis, if that is reported, or not, as well. Where the two differ, readers should see both.
    """
    listed = [(about, bool(label)) for about, label in answers]
    known = {(about.code, label) for about, label in listed}
    return frozenset(
        index
        for index, (about, label) in enumerate(listed)
        if any((code, label) in known for code in about.same_as)
    )


@dataclass(frozen=True)
class ClassSet:
    """The classes to predict, in order, their reward matrix, and the findings to answer beside them.

    The network has an output for each class and then for each finding.

    Attributes
    ----------
    classes : tuple of tuple of str
        The equivalent codes of each of the C classes, representative first.
    weights : tuple of tuple of float
        `weights[j][k]` is the reward for answering class k where class j is true, shape (C, C).
    findings : tuple of Finding
        In the order of the outputs after the classes'.
    """

    classes: tuple[tuple[str, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        twice = [code for code in self.codes if self.codes.count(code) > 1]
        if twice and self.findings:
            raise InputError(f"a code must be of one class or finding; {twice[0]} is of two")

    def __len__(self) -> int:
        return len(self.classes) + len(self.findings)

    @property
    def scored(self) -> "ClassSet":
        """The classes without the findings."""
        return ClassSet(self.classes, self.weights)

    @cached_property
    def outputs(self) -> tuple[tuple[str, ...], ...]:
        """The equivalent codes of each class and of each finding."""
        return (*self.classes, *(finding.codes for finding in self.findings))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Every code of every output, equivalents one after the other."""
        return tuple(code for codes in self.outputs for code in codes)

    @property
    def representatives(self) -> tuple[str, ...]:
        """The first code of each output."""
        return tuple(codes[0] for codes in self.outputs)

    @cached_property
    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """The diagnosis of each output's first code."""
        scored = (diagnosis(codes[0]) for codes in self.classes)
        return (*scored, *(finding.diagnosis for finding in self.findings))

    @cached_property
    def names(self) -> tuple[frozenset[str], ...]:
        """What each output may be called, in lower case: its codes and abbreviations."""
        pairs = zip(self.outputs, self.diagnoses, strict=True)
        return tuple(names_of(codes, about) for codes, about in pairs)

    @property
    def short_names(self) -> tuple[str, ...]:
        """A short name for each output, all different, which `find` takes.

        It is the abbreviation, with the code's system where a class has the same, such as ``SCP-ECG:PVC``, or
        the code.
        """
        names: list[str] = []
        for known in self.diagnoses:
            choices = (known.abbreviation, f"{known.system}:{known.abbreviation}", known.code)
            names.append(next(name for name in choices if name not in names))
        return tuple(names)

    @property
    def normal(self) -> int | None:
        """The index of the normal class, None where the classes hold none."""
        return next((index for index, codes in enumerate(self.classes) if NORMAL_CODE in codes), None)

    def find(self, name: str) -> int:
        """Return the index of the output that has this code or abbreviation, in any case.

        Where a class and a finding share a name, as PVC, it is the class's; ``SCP-ECG:PVC`` names the finding
        by its code's system.

        Raises
        ------
        InputError
            If there is none.
        """
        wanted = name.strip().lower()
        for index, names in enumerate(self.names):
            if wanted in names:
                return index
        known = ", ".join(each.abbreviation for each in self.diagnoses)
        raise InputError(f"no class has this code or abbreviation; the model knows {known}; received {name!r}")

    def reward_matrix(self) -> np.ndarray:
        """Return the weights as a float64 array of shape (C, C)."""
        return np.array(self.weights, dtype=np.float64)

    def expand(self, values: np.ndarray) -> np.ndarray:
        """Return a value for each of `codes` from (..., outputs): equivalents share theirs."""
        return np.repeat(values, [len(codes) for codes in self.outputs], axis=-1)

    def encode(self, codes: Iterable[str]) -> np.ndarray:
        """Return which outputs are among `codes`, bool of shape (outputs,); other codes are ignored."""
        present = set(codes)
        return np.array([not present.isdisjoint(equivalents) for equivalents in self.outputs])

    def encode_taught(self, codes: Iterable[str]) -> np.ndarray:
        """Return what training takes a record with `codes` for: as `encode`, and what its findings teach."""
        present = set(codes)
        taught = (f.teaches for f in self.findings if not present.isdisjoint(f.codes))
        return self.encode(present.union(*taught))


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
    listed = [tuple(code.strip() for code in name.split("|")) for name in names]
    rows = {codes: row for row, codes in enumerate(listed)}
    if len({code for codes in listed for code in codes}) != sum(map(len, listed)):
        raise InputError(f"{path}: a class code is listed twice; list each once")
    joined = _join_equivalents(listed)
    kept = [rows[codes] if codes in rows else rows[codes[:1]] for codes in joined]
    return ClassSet(joined, tuple(tuple(values[row, column] for column in kept) for row in kept))


def _join_equivalents(listed: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return the classes with the Challenge's equivalent codes as one, where each has a row of its own."""
    joined = {codes: codes for codes in listed}
    for first, other in EQUIVALENT_CODES:
        if (first,) in joined and (other,) in joined:
            joined[(first,)] = (first, other)
            del joined[(other,)]
    return tuple(joined.values())


def _read_square_table(path: Path) -> tuple[list[str], np.ndarray]:
    try:
        text = read_text(path, LARGEST_SETTINGS, "give a weights file")
        table = csv.reader(io.StringIO(text))
        rows = [[cell.strip() for cell in row] for row in table if any(map(str.strip, row))]
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
    if (np.abs(values) > LARGEST_REWARD).any():
        raise InputError(f"{path}: the weights must be from {-LARGEST_REWARD:g} to {LARGEST_REWARD:g}")
    if values.shape != (len(names), len(names)) or not np.isfinite(values).all():
        raise InputError(f"{path}: the weights are not a finite square table; received shape {values.shape}")
    return names, values
