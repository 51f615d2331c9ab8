"""Damage recordings of half hours as recorders do, read them with timelines, and check the answers.

Prints for each recording what was answered and how much was analysed. Exits with 1 if the run crashes, a record
fails for a reason that no `InputError` gives, or an answer is not what the damage allows.
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.common import Table, start_classifier
from cnn_gap.batch.classify_folder import write_timelines
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.system.exit_codes import run

#: Hz; counts a mV of the 16-bit files, and the count that is no sample.
RATE, GAIN, INVALID = 250.0, 1000, -32768

_Samples = np.ndarray


@dataclass(frozen=True)
class Damage:
    """A way in which a recording is damaged.

    Attributes
    ----------
    name : str
        Of the record.
    change : callable
        Returns the stored samples, (samples, leads) int16, from undamaged ones.
    analysed : tuple of float
        The lowest and highest share of the time that may be analysed; None: the record must fail or have no
        answer.
    gain : float
        Counts a mV of the header.
    leads : tuple of str
        The leads that are written.
    kept : float
        The share of the file that is written.
    """

    name: str
    change: Callable[[_Samples], _Samples]
    analysed: tuple[float, float] | None = (0.97, 1.0)
    gain: float = GAIN
    leads: tuple[str, ...] = ("II", "V1")
    kept: float = 1.0


def _span(samples: _Samples, first: float, last: float) -> slice:
    return slice(round(first * len(samples)), round(last * len(samples)))


def _filled(value: int, first: float, last: float, lead: int | None = None) -> Callable[[_Samples], _Samples]:
    """Return a change that gives a share of the time one value, in one lead or all."""

    def change(samples: _Samples) -> _Samples:
        samples[_span(samples, first, last), slice(None) if lead is None else lead] = value
        return samples

    return change


def _gaps(samples: _Samples) -> _Samples:
    """Return samples without the fifth, tenth, ... minute: there they are `INVALID`."""
    minute = (np.arange(len(samples)) / RATE // 60).astype(int)
    samples[minute % 5 == 4] = INVALID
    return samples


def _falling_off(samples: _Samples) -> _Samples:
    """Return samples in which one lead after the other is off, for a third of the time each."""
    for lead in range(samples.shape[1]):
        samples[_span(samples, lead / 3, (lead + 1) / 3), lead] = 0
    return samples


def _spikes(samples: _Samples) -> _Samples:
    samples[:: round(30 * RATE)] = 32767
    return samples


def _noise(samples: _Samples) -> _Samples:
    return np.random.default_rng(1).normal(0, 500, samples.shape).astype(np.int16)


def _drift(samples: _Samples) -> _Samples:
    return (samples + np.linspace(-20_000, 20_000, len(samples))[:, None]).astype(np.int16)


DAMAGES = (
    Damage("whole", lambda samples: samples),
    Damage("twelve", lambda samples: samples, leads=LEADS),
    Damage("one_lead", lambda samples: samples, leads=("II",)),
    Damage("gaps", _gaps, (0.6, 0.9)),
    Damage("one_gap", _filled(INVALID, 0.2, 0.5), (0.6, 0.8)),
    Damage("begins_late", _filled(INVALID, 0.0, 0.9), (0.05, 0.15)),
    Damage("only_gaps", _filled(INVALID, 0.0, 1.0), None),
    Damage("lead_missing", _filled(INVALID, 0.0, 1.0, lead=1)),
    Damage("leads_fall_off", _falling_off, (0.8, 1.0)),
    Damage("flat_half", _filled(0, 0.5, 1.0), (0.4, 0.6)),
    Damage("flat", _filled(0, 0.0, 1.0), None),
    Damage("clipped", lambda samples: samples.clip(-300, 300)),
    Damage("spikes", _spikes, (0.8, 1.0)),
    Damage("noise", _noise, None),
    Damage("drift", _drift),
    Damage("gain_ten_times", lambda samples: samples, gain=GAIN / 10),
    Damage("gain_a_thousandth", lambda samples: samples, gain=GAIN * 1000),
    Damage("cut", lambda samples: samples, None, kept=0.6),
    Damage("empty", lambda samples: samples, None, kept=0.0),
)


def main(arguments: list[str] | None = None) -> int:
    """Print the table, and each fault."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture.long", description=__doc__)
    parser.add_argument("model", metavar="MODEL", type=Path)
    parser.add_argument("--seconds", type=float, default=1800.0, help="length of each recording (%(default)s)")
    options = parser.parse_args(arguments)
    simulated = simulate_changing("S", [Part(("426783006",), options.seconds, run=4)], RATE, 1)
    counts = np.round(simulated.signal * GAIN).astype(np.int16)
    with tempfile.TemporaryDirectory() as folder:
        for damage in DAMAGES:
            write(Path(folder), damage, counts)
        paths = [Path(folder) / f"{damage.name}.hea" for damage in DAMAGES]
        predictions = start_classifier(options.model).predict_batch(paths)
        rows = []
        for damage, prediction in zip(DAMAGES, predictions, strict=True):
            write_timelines(Path(folder), [prediction])
            rows.append((damage.name, *_outcome(prediction), fault_of(damage, prediction)))
    print(Table("recording", ("outcome", "share analysed", "beats", "fault"), tuple(rows)))
    return int(any(row[-1] for row in rows))


def write(folder: Path, damage: Damage, counts: np.ndarray) -> None:
    """Write a damaged record of counts (samples, 12)."""
    columns = [LEADS.index(lead) for lead in damage.leads]
    content = damage.change(counts[:, columns].copy()).astype("<i2").tobytes()
    (folder / f"{damage.name}.dat").write_bytes(content[: round(damage.kept * len(content))])
    lines = [f"{damage.name} {len(columns)} {RATE:g} {len(counts)}"]
    lines += [f"{damage.name}.dat 16 {damage.gain:g}/mV 16 0 0 0 0 {lead}" for lead in damage.leads]
    (folder / f"{damage.name}.hea").write_text("\n".join(lines) + "\n")


def fault_of(damage: Damage, prediction: Prediction) -> str:
    """Return the fault of an answer; an empty text if it has none."""
    monitoring = prediction.monitoring
    if prediction.failure or not prediction.answerable or monitoring is None:
        if damage.analysed is not None:
            return "is not answered"
        return "" if "Error(" not in prediction.failure else "an error that is no reason"
    summary, times = monitoring.summary, monitoring.beats.times_s
    if damage.analysed is None:
        return "is answered"
    low, high = damage.analysed
    if not low <= summary.analysed_s / summary.duration_s <= high:
        return f"the share analysed is not {low:g} to {high:g}"
    if (np.diff(times) <= 0).any() or times.min() < 0 or times.max() > summary.duration_s:
        return "beats are not in order, or outside of the recording"
    if any(each.start_s < 0 or each.end_s > summary.duration_s for each in monitoring.episodes):
        return "an episode is outside of the recording"
    return ""


def _outcome(prediction: Prediction) -> tuple[str, float, float]:
    if prediction.failure or not prediction.answerable or prediction.summary is None:
        reason = prediction.failure or prediction.notes[0]
        return reason.rpartition("/")[2], np.nan, np.nan
    summary = prediction.summary
    notes = "; ".join(note for note in prediction.notes if not note.startswith("missing: leads"))
    return notes or "answered", summary.analysed_s / summary.duration_s, float(summary.beats)


if __name__ == "__main__":
    run(main)
