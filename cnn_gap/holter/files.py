"""Files of a long recording's timeline, episodes and beats: CSV, Parquet and WFDB annotations."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnn_gap.holter.episodes import Episode
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.io.annotations import write_annotations
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import replacing, write_text
from cnn_gap.system.outputs import (
    ANNOTATIONS,
    BEATS,
    EPISODES,
    PARQUET_TABLE,
    TIMELINE,
    OutputKind,
    require_replaceable,
)

#: The rhythm strings of WFDB's annotations by a diagnosis's abbreviation; others are written as notes.
RHYTHMS = {
    "AF": "(AFIB",
    "AFL": "(AFL",
    "SVT": "(SVTA",
    "VTach": "(VT",
    "VFL": "(VFL",
    "AIVR": "(IVR",
    "IR": "(IVR",
    "PR": "(P",
    "IIAVB": "(BII",
    "VBig": "(B",
    "VTrig": "(T",
}

#: The rhythm string of the time without an episode.
NO_EPISODE = "(N"

_CHANGE, _NOTE = "+", '"'


def write_timeline(path: Path, monitoring: Monitoring) -> None:
    """Write a row for each window: `start_s`, `end_s`, `usable`, and the probability of each class.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.parquet``; whole or not at all.
    monitoring : Monitoring

    Raises
    ------
    InputError
        If the suffix is another, pyarrow is missing, or a file of another kind is there.
    """
    timeline = monitoring.timeline
    about = {"start_s": timeline.starts_s, "end_s": timeline.ends_s, "usable": timeline.usable.astype(int)}
    names = timeline.classes.short_names
    columns = about | dict(zip(names, timeline.probabilities.round(4).T, strict=True))
    note = {"window_s": timeline.window_s, "overlap": timeline.overlap}
    writers = {
        ".csv": (TIMELINE, lambda: _write_csv(path, columns)),
        ".parquet": (PARQUET_TABLE, lambda: _write_parquet(path, columns, note)),
    }
    _write(path, writers)


def write_episodes(path: Path, monitoring: Monitoring) -> None:
    """Write a row for each episode, or WFDB annotations of rhythms; parameters are as of `write_timeline`.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.atr``.
    monitoring : Monitoring
    """

    def table() -> None:
        _write_csv(path, episode_columns(monitoring.episodes))

    def annotations() -> None:
        at, symbols, notes = _rhythm_changes(monitoring.episodes)
        write_annotations(path, _samples(at, monitoring), symbols, notes, monitoring.measured.sampling_rate)

    _write(path, {".csv": (EPISODES, table), ".atr": (ANNOTATIONS, annotations)})


def write_beats(path: Path, monitoring: Monitoring) -> None:
    """Write a row for each beat, or WFDB annotations of beats; parameters are as of `write_timeline`.

    Parameters
    ----------
    path : Path
        ``.csv`` or ``.atr``.
    monitoring : Monitoring
    """
    beats = monitoring.beats

    def table() -> None:
        columns = {"time_s": beats.times_s.round(3), "symbol": beats.symbols}
        _write_csv(path, columns | {"probability": beats.probabilities.round(3)})

    def annotations() -> None:
        symbols = beats.symbols.tolist()
        samples = _samples(beats.times_s, monitoring)
        write_annotations(path, samples, symbols, [""] * len(beats), monitoring.measured.sampling_rate)

    _write(path, {".csv": (BEATS, table), ".atr": (ANNOTATIONS, annotations)})


def episode_columns(episodes: Sequence[Episode]) -> dict[str, list[Any]]:
    """Return the columns of a table of episodes; numbers that are not known are empty."""
    numbers = {
        "start_s": 2,
        "end_s": 2,
        "mean_probability": 3,
        "rate_lowest": 1,
        "rate_mean": 1,
        "rate_highest": 1,
    }
    texts: dict[str, list[Any]] = {
        "diagnosis": [each.diagnosis.abbreviation for each in episodes],
        "code": [each.diagnosis.code for each in episodes],
    }
    return texts | {
        name: [_rounded(getattr(each, name), digits) for each in episodes] for name, digits in numbers.items()
    }


def _rounded(value: float, digits: int) -> float | str:
    return "" if np.isnan(value) else round(value, digits)


def _write(path: Path, writers: Mapping[str, tuple[OutputKind, Callable[[], None]]]) -> None:
    """Write by the writer of a path's suffix; nothing but an earlier file of its kind is replaced."""
    if path.suffix not in writers:
        raise InputError(f"{path}: cannot tell the format; give a name that ends with {' or '.join(writers)}")
    kind, write = writers[path.suffix]
    require_replaceable(path, kind)
    write()


def _write_csv(path: Path, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(columns)
    rows.writerows(zip(*(np.asarray(each, object) for each in columns.values()), strict=True))
    write_text(path, text.getvalue())


def _write_parquet(path: Path, columns: Mapping[str, np.ndarray], note: dict[str, float]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError(f"{path}: Parquet needs pyarrow; pip install cnn-gap[formats]") from error
    with replacing(path) as aside:
        table = pyarrow.table(dict(columns)).replace_schema_metadata({"cnn_gap": json.dumps(note)})
        pyarrow.parquet.write_table(table, aside)


def _samples(times_s: np.ndarray, monitoring: Monitoring) -> np.ndarray:
    """Return times as samples of the recording."""
    last = round(monitoring.timeline.duration_s * monitoring.measured.sampling_rate) - 1
    return np.asarray(np.minimum(np.round(times_s * monitoring.measured.sampling_rate).astype(int), last))


def _rhythm_changes(episodes: Sequence[Episode]) -> tuple[np.ndarray, list[str], list[str]]:
    """Return time (s), symbol and note of each change of rhythm, and of the ends of other episodes."""
    rhythms = [each for each in episodes if each.diagnosis.abbreviation in RHYTHMS]
    changes: list[tuple[float, str, str]] = []
    shown = ""
    for at in sorted({0.0, *(time for each in rhythms for time in (each.start_s, each.end_s))}):
        present = [each for each in rhythms if each.start_s <= at < each.end_s]
        # A run within fibrillation is shown until it ends.
        latest = max(present, key=lambda each: each.start_s).diagnosis.abbreviation if present else ""
        text = RHYTHMS.get(latest, NO_EPISODE)
        if text != shown:
            changes.append((at, _CHANGE, text))
        shown = text
    for each in episodes:
        name = each.diagnosis.abbreviation
        if name not in RHYTHMS:
            changes += [(each.start_s, _NOTE, f"{name} begins"), (each.end_s, _NOTE, f"{name} ends")]
    times, symbols, notes = zip(*sorted(changes), strict=True)
    return np.array(times), list(symbols), list(notes)
