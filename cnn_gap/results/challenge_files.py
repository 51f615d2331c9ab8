"""The result files, one a record, and the folders of them that are evaluated.

A file has four lines: ``#NAME``, the codes, the labels as 0 or 1, the probabilities. Reading is as tolerant as
the Challenge's 2020 evaluator. A label counts as yes in a few spellings, and as no in all others. A probability
that is no number counts as 0. A file that is no table of three rows counts as nothing found.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.io.headers import codes_of, parse_comments
from cnn_gap.io.label_tables import RecordTable
from cnn_gap.io.sources import list_records
from cnn_gap.results.result_table import read_result_table
from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import LARGEST_SETTINGS, read_bytes, write_text

_YES = frozenset(("1", "True", "true", "T", "t"))
_NAMED_IN_ERRORS = 3


@dataclass(frozen=True, eq=False)
class Outputs:
    """The content of one result file.

    Attributes
    ----------
    name : str
        The record's name; that of the file if the file does not state one.
    codes : tuple of str
        The codes in the order of the file; none where the file is malformed.
    labels : np.ndarray
        Which codes are diagnosed, bool of shape (codes,).
    probabilities : np.ndarray
        Float64 of shape (codes,), NaN where the file has NaN.
    """

    name: str
    codes: tuple[str, ...]
    labels: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Records' labels beside the outputs for them, n records and C classes, ordered by name.

    Attributes
    ----------
    names : tuple of str
    labels, outputs : np.ndarray
        Bool of shape (n, C).
    probabilities : np.ndarray
        Float64 of shape (n, C); 0 where a file has no number for a class.
    malformed : tuple of Path
        The result files that are no table, which count as nothing found.
    answered : np.ndarray
        Which classes at least one file has a code of, bool of shape (C,).
    """

    names: tuple[str, ...]
    labels: np.ndarray
    outputs: np.ndarray
    probabilities: np.ndarray
    malformed: tuple[Path, ...]
    answered: np.ndarray


def write_outputs(
    path: Path, name: str, codes: Sequence[str], labels: np.ndarray, probabilities: np.ndarray
) -> None:
    """Write one record's result file, whole or not at all; parameters as of `outputs_text`."""
    write_text(path, outputs_text(name, codes, labels, probabilities))


def outputs_text(name: str, codes: Sequence[str], labels: np.ndarray, probabilities: np.ndarray) -> str:
    """Return the four lines of one record's result file.

    Parameters
    ----------
    name : str
        The record's name; control characters in it become escapes, so that there are four lines.
    codes : sequence of str
    labels, probabilities : np.ndarray
        Shape (codes,); a probability may be NaN.
    """
    rows = (
        codes,
        ("1" if label else "0" for label in labels),
        (f"{probability:.6g}" for probability in probabilities),
    )
    return "\n".join((f"#{printable(name)}", *map(",".join, rows))) + "\n"


def read_outputs(path: Path) -> Outputs:
    """Read one result file.

    Raises
    ------
    InputError
        If the file cannot be read at all. A malformed one has no codes instead.
    """
    path = Path(path)
    lines = [line for line in _lines(path) if line]
    name = lines[0][1:].strip() if lines and lines[0].startswith("#") else path.stem
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if not line.startswith("#")]
    if len(rows) < 3 or len(set(map(len, rows))) > 1:
        return Outputs(name, (), np.zeros(0, dtype=bool), np.zeros(0))
    codes, labels, probabilities = rows[:3]
    return Outputs(
        name,
        tuple(codes),
        np.array([label in _YES for label in labels]),
        np.array([_number_or_zero(probability) for probability in probabilities]),
    )


def read_evaluation(
    labels_folder: Path,
    results: Path,
    classes: ClassSet,
    label_table: Mapping[str, Sequence[str]] | None = None,
) -> Evaluation:
    """Read the labels of a folder's records, nested ones too, and the results of each.

    Equivalent codes of a class have a label if one has, and the mean of their probabilities.

    Parameters
    ----------
    labels_folder : Path
        The records.
    results : Path
        A folder with a result file ``NAME.csv`` for each, or a table of results.
    classes : ClassSet
        What to score.
    label_table : mapping of str to sequence of str, optional
        The codes by record name, instead of the headers'; records that it does not list are left out.

    Raises
    ------
    InputError
        If a folder is missing, has no record, has two of the same name, or lacks result files.
    """
    codes = _codes_by_name(Path(labels_folder), label_table)
    names = tuple(codes)
    labels = np.array([classes.encode(each) for each in codes.values()])
    files: list[Outputs]
    malformed: tuple[Path, ...]
    if Path(results).is_file():
        files, malformed = _table_outputs(names, Path(results)), ()
    else:
        files, malformed = _folder_outputs(names, Path(results))
    outputs, probabilities = gather(files, classes)
    listed = {code for codes in {file.codes for file in files} for code in codes}
    answered = np.array([not listed.isdisjoint(codes) for codes in classes.outputs], dtype=bool)
    return Evaluation(names, labels, outputs, probabilities, malformed, answered)


def gather(files: Sequence[Outputs], classes: ClassSet) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and the probabilities of several records by class, each of shape (n, C).

    A class is labelled if one of its codes is. Its probability is the mean over its codes, without NaN; it is 0
    where no code has a finite one.
    """
    labels = np.zeros((len(files), len(classes)), dtype=bool)
    probabilities = np.zeros((len(files), len(classes)))
    same_codes = defaultdict(list)
    for index, file in enumerate(files):
        same_codes[file.codes].append(index)
    for codes, indices in same_codes.items():  # nearly always one group: all files of a run list the same codes
        file_labels = np.stack([files[index].labels for index in indices])
        file_probabilities = np.stack([files[index].probabilities for index in indices])
        for column, equivalents in enumerate(classes.classes):
            where = [position for position, code in enumerate(codes) if code in equivalents]
            labels[indices, column] = file_labels[:, where].any(axis=1)
            probabilities[indices, column] = _mean_or_zero(file_probabilities[:, where])
    return labels, probabilities


def _mean_or_zero(values: np.ndarray) -> np.ndarray:
    """Return the mean of each row without its NaN, 0 for a row without a finite value."""
    given = ~np.isnan(values)
    with np.errstate(invalid="ignore"):  # inf - inf
        means = np.where(given, values, 0).sum(axis=1) / np.maximum(given.sum(axis=1), 1)
    return np.where(np.isfinite(values).any(axis=1) & ~np.isnan(means), means, 0)


def _number_or_zero(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _codes_by_name(folder: Path, label_table: Mapping[str, Sequence[str]] | None) -> dict[str, Sequence[str]]:
    """Return the codes of the records below `folder`, in the order of their names."""
    found = list_records(folder, strict=True).records
    if label_table is None:
        labelled = [record for record in found if record.source.lower().endswith(".hea")]
    else:
        table = RecordTable({name: tuple(codes) for name, codes in label_table.items()})
        labelled = [record for record in found if table.of(record) is not None]
    if not labelled:
        raise InputError(f"{folder}: holds no records with labels; give the folder of the labels")
    ordered = sorted(labelled, key=lambda record: record.name)
    if label_table is not None:
        return {record.name: table.of(record) or () for record in ordered}
    # Scoring needs only the comments, which can be read even if the rest of the header is wrong.
    return {record.name: codes_of(parse_comments("\n".join(_lines(Path(record.source))))) for record in ordered}


def _table_outputs(names: Sequence[str], table: Path) -> list[Outputs]:
    codes, rows = read_result_table(table)
    _require_all([name for name in names if name not in rows], len(names), table, "rows")
    return [Outputs(name, codes, *rows[name]) for name in names]


def _folder_outputs(names: Sequence[str], folder: Path) -> tuple[list[Outputs], tuple[Path, ...]]:
    """Return the content of each record's result file, and the malformed files."""
    paths = _output_paths(names, folder)
    files = [read_outputs(path) for path in paths]
    return files, tuple(path for path, file in zip(paths, files, strict=True) if not file.codes)


def _require_all(missing: Sequence[str], count: int, place: Path, what: str) -> None:
    if missing:
        first = ", ".join(missing[:_NAMED_IN_ERRORS]) + (", ..." if len(missing) > _NAMED_IN_ERRORS else "")
        raise InputError(
            f"{place}: lacks {len(missing)} of {count} {what} ({first}); classify all records first"
        )


def _output_paths(names: Sequence[str], folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; give the folder of the result files")
    present = {path.name for path in folder.iterdir()}
    missing = [f"{name}.csv" for name in names if f"{name}.csv" not in present]
    _require_all(missing, len(names), folder, "result files")
    return [folder / f"{name}.csv" for name in names]


def _lines(path: Path) -> list[str]:
    """Return the lines of a text file without the blanks around them; any bytes are decoded."""
    text = read_bytes(path, LARGEST_SETTINGS).decode("utf-8", errors="replace")
    return [line.strip() for line in re.split(r"\r\n|\r|\n", text)]
