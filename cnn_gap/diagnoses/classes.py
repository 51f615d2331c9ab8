"""Diagnoses, and the classes and findings that a network predicts.

A *class* is a scored diagnosis: one code, or several equivalent ones. A weights file lists the classes and the
reward for answering each class where another one is true (https://physionetchallenges.org/2020/#scoring).
*Findings* are further diagnoses that a network predicts and that are not scored: see
`cnn_gap.diagnoses.findings`.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_text
from cnn_gap.system.shipped import SHIPPED_WEIGHTS

#: Sinus rhythm, the Challenge's "normal" class.
NORMAL_CODE = "426783006"

#: Rewards beyond ± this value are refused: sums of them could overflow.
LARGEST_REWARD = 1e6

#: Pairs of codes that the 2020 Challenge scores as one class, representative first.
EQUIVALENT_CODES = (("713427006", "59118001"), ("284470004", "63593006"), ("427172004", "17338001"))


#: The usual spelling of words and phrases in the Challenge's tables.
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

#: The code system of the Challenge's codes.
SNOMED = "SNOMED CT"


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis: its code, abbreviation, name and code system.

    `same_as` are the codes of the class that is the same diagnosis, if this one is a finding with such a class.
    """

    code: str
    abbreviation: str
    name: str
    system: str = SNOMED
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A diagnosis that a network predicts and that is not scored.

    Attributes
    ----------
    codes : tuple of str
        Its equivalent codes, the one of `system` first.
    system : str
        The code system of the first code, such as SCP-ECG.
    abbreviation, name : str
        The name is in plain English.
    teaches : tuple of str
        Codes of the class that is the same diagnosis, if there is one: in training, a record with the finding
        has the class, too.
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
    """Return a name in its usual spelling: capitals begin it and write waves, intervals and acronyms.

    The Challenge's tables write nearly all names in lower case.

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
    """Return the diagnosis of `code`; if it is unknown, its name and abbreviation are the code itself."""
    return known_diagnoses().get(code, Diagnosis(code, code, code))


def names_of(codes: Iterable[str], about: Diagnosis) -> frozenset[str]:
    """Return the names, in lower case, by which users can name an output with these codes.

    They are the codes, their abbreviations and that of `about`, and each after the code system, such as
    ``scp-ecg:pvc``.
    """
    abbreviations = (diagnosis(code).abbreviation for code in codes)
    names = {name.lower() for name in (*codes, *abbreviations, about.abbreviation)}
    return frozenset(names | {f"{about.system.lower()}:{name}" for name in names})


def duplicate_indices(answers: Iterable[tuple[Diagnosis, bool]]) -> frozenset[int]:
    """Return the indices of answers that repeat another answer.

    An answer is a diagnosis and whether it is reported. A finding such as SCP-ECG's AFIB repeats the class that
    is the same diagnosis if both are reported or both are not. If they differ, readers should see both.
    """
    listed = [(about, bool(label)) for about, label in answers]
    known = {(about.code, label) for about, label in listed}
    return frozenset(
        index
        for index, (about, label) in enumerate(listed)
        if any((code, label) in known for code in about.same_as)
    )


def same_diagnoses(diagnoses: Sequence[Diagnosis]) -> tuple[int, ...]:
    """Return for each diagnosis the index of another that is the same one, by `same_as`; else its own index."""
    by_code = {about.code: index for index, about in enumerate(diagnoses)}
    return tuple(
        next((by_code[code] for code in about.same_as if code in by_code), index)
        for index, about in enumerate(diagnoses)
    )


@dataclass(frozen=True)
class ClassSet:
    """The classes and findings to predict, and the reward matrix of the classes.

    The network has one output for each class, followed by one for each finding.

    Attributes
    ----------
    classes : tuple of tuple of str
        The equivalent codes of each of the C classes, the representative first.
    weights : tuple of tuple of float
        `weights[j][k]` is the reward for answering class k where class j is true, shape (C, C).
    findings : tuple of Finding
        In the order of their outputs.
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

    def __hash__(self) -> int:
        """Return a hash of the codes alone: each reading needs one, and that of all rewards takes long."""
        return hash(self.codes)

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
        """The names of each output in lower case, as `names_of` returns them."""
        pairs = zip(self.outputs, self.diagnoses, strict=True)
        return tuple(names_of(codes, about) for codes, about in pairs)

    @property
    def short_names(self) -> tuple[str, ...]:
        """A short name for each output, all different; `find` takes them.

        It is the abbreviation; if another output has it already, it is the abbreviation after the code system,
        such as ``SCP-ECG:PVC``, or else the code.
        """
        names: list[str] = []
        for known in self.diagnoses:
            choices = (known.abbreviation, f"{known.system}:{known.abbreviation}", known.code)
            names.append(next(name for name in choices if name not in names))
        return tuple(names)

    @property
    def normal(self) -> int | None:
        """The index of the normal class; None if the classes hold none."""
        return next((index for index, codes in enumerate(self.classes) if NORMAL_CODE in codes), None)

    def find(self, name: str) -> int:
        """Return the index of the output with this code or abbreviation, in lower or upper case.

        If a class and a finding have the same name, such as PVC, the index is the class's; ``SCP-ECG:PVC``,
        with the code system, is the finding.

        Raises
        ------
        InputError
            If no output has this name.
        """
        wanted = name.strip().lower()
        for index, names in enumerate(self.names):
            if wanted in names:
                return index
        known = ", ".join(dict.fromkeys(each.abbreviation for each in self.diagnoses))
        raise InputError(f"no class has this code or abbreviation; the model knows {known}; received {name!r}")

    def reward_matrix(self) -> np.ndarray:
        """Return the weights as a float64 array of shape (C, C)."""
        return np.array(self.weights, dtype=np.float64)

    def expand(self, values: np.ndarray) -> np.ndarray:
        """Return values (..., codes) from values (..., outputs): equivalent codes have the same value."""
        return np.repeat(values, [len(codes) for codes in self.outputs], axis=-1)

    def encode(self, codes: Iterable[str]) -> np.ndarray:
        """Return which outputs are among `codes`, bool of shape (outputs,); other codes are ignored."""
        present = set(codes)
        return np.array([not present.isdisjoint(equivalents) for equivalents in self.outputs])

    def encode_taught(self, codes: Iterable[str]) -> np.ndarray:
        """Return the labels for training: as `encode`, and the classes that the record's findings teach."""
        present = set(codes)
        taught = (f.teaches for f in self.findings if not present.isdisjoint(f.codes))
        return self.encode(present.union(*taught))


def read_weights(path: Path = SHIPPED_WEIGHTS) -> ClassSet:
    """Read a square CSV of rewards: a header line of classes, then a row for each class.

    Codes joined by ``|`` are one class. The Challenge's equivalent codes in separate rows are joined to one
    class with the rewards of the first row, as its 2020 evaluator does.

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
    """Return the classes, joining the Challenge's equivalent codes that have separate rows."""
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
