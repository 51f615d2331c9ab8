"""Recognise the files that this package writes by their content, so that no other file is replaced or removed.

A user may give a folder of recordings or of notes as the place of outputs. So before an output is written,
`require_replaceable` checks the file at its path, and the search for recordings leaves out files for which
`is_output` is true.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cnn_gap.system.errors import InputError, printable
from cnn_gap.system.files import open_regular, readable

#: Number of bytes at the start and at the end of a file that are searched.
_START, _END = 1 << 12, 1 << 17

#: Patterns of a page with a title, and of the program's name in figures.
_PAGE = rb"<!DOCTYPE html>\n<html lang=\"en\">(?s:.){,2000}<title>%s</title>"
MADE_BY = b"cnn-gap"

#: Suffixes of the formats of pictures.
PICTURE_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class OutputKind:
    """A kind of output.

    Attributes
    ----------
    name : str
        For errors, with an article.
    start : bytes
        A regular expression for the file's first bytes. Its group `name` must match the file's name.
    ends : bytes
        Bytes that occur among the first or the last ones of the file.
    """

    name: str
    start: bytes = b""
    ends: bytes = b""

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is of this kind; one that cannot be read is of no kind."""
        try:
            with readable(path), open_regular(path) as file:
                start = file.read(_START)
                file.seek(max(os.fstat(file.fileno()).st_size - _END, 0))
                end = file.read(_END) if self.ends else b""
        except InputError:
            return False
        found = re.match(self.start, start)
        if found is None or self.ends not in start + end:
            return False
        own = printable(path.stem).encode("utf-8", "surrogateescape")
        return "name" not in found.groupdict() or found["name"] == own


RESULT = OutputKind("a result file of this record", rb"#(?P<name>[^\r\n]*)\r?\n")
CSV_TABLE = OutputKind("a table of results", rb'"record","failure","answerable",')
CSV_TABLE_NOTE = OutputKind("the note of a table of results", rb'\{\s*"format": \d+,\s*"model": "')
PARQUET_TABLE = OutputKind("a table of results", b"PAR1", b"cnn_gap")
PAGE = OutputKind("the page of an explained record", _PAGE % rb"[^<]*: explained ECG")
INDEX = OutputKind("the index of explained records", _PAGE % b"Explained ECGs")
EXPLANATION = OutputKind("an explanation", rb'\{\s*"format": \d+,\s*"record": ')
ANNOTATIONS = OutputKind("annotations of this program", rb"\0X.\xfc## time resolution: [\d.]+\0")
TIMELINE = OutputKind("a timeline", rb"start_s,end_s,usable,")
EPISODES = OutputKind("a table of episodes", rb"diagnosis,code,start_s,end_s,")
BEATS = OutputKind("a table of beats", rb"time_s,symbol,probability\n")
FIGURE = OutputKind("a figure of an explanation", ends=MADE_BY)
SCORES = OutputKind("the scores of an evaluation", rb"AUROC,AUPRC,Accuracy,")
CLASS_SCORES = OutputKind("the scores of classes", rb"Classes,[^\n]*\nAUROC,")
EXPORTED = OutputKind("an exported model", ends=b"map_stride_s")
MODEL = OutputKind("the description of a trained model", rb'\{\s*"classes": ', b'"thresholds": ')
HISTORY = OutputKind("the history of a training", rb"epoch,loss,")

#: Outputs in a folder of recordings that could be taken for arrays or their sidecars.
_BESIDE_RECORDS = {
    ".csv": (RESULT, CSV_TABLE, TIMELINE, EPISODES, BEATS),
    ".parquet": (PARQUET_TABLE,),
    ".json": (CSV_TABLE_NOTE, EXPLANATION),
}


def is_output(path: Path) -> bool:
    """Tell whether a file that could be an array or its sidecar is a result, a table or an explanation."""
    return any(kind.recognises(path) for kind in _BESIDE_RECORDS.get(path.suffix.lower(), ()))


def require_replaceable(path: Path, kind: OutputKind, known: bool = False) -> None:
    """Require that there is no file at a path, or an earlier output of the same kind.

    Parameters
    ----------
    path : Path
    kind : OutputKind
    known : bool
        Whether an output is known to have been written there: then an empty file is replaced too.

    Raises
    ------
    InputError
        If there is another file, which stays as it is.
    """
    path = Path(path)
    if not os.path.lexists(path) or _is_device(path) or kind.recognises(path):
        return
    if not (known and path.is_file() and path.stat().st_size <= 1):
        raise InputError(
            f"{path}: is not {kind.name} and stays as it is; move it away, or write to another place"
        )


def _is_device(path: Path) -> bool:
    """Tell whether a path is a device or a pipe such as /dev/stdout, which is written to and not replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def picture_kind(path: Path) -> str:
    """Return the suffix of a picture's path in small letters.

    Raises
    ------
    InputError
        If it is none of `PICTURE_SUFFIXES`.
    """
    kind = path.suffix.lower()
    if kind not in PICTURE_SUFFIXES:
        raise InputError(
            f"{path}: pictures are written as {', '.join(PICTURE_SUFFIXES)}; end the name in one of these"
        )
    return kind
