"""Simulated recordings of minutes to hours whose rhythm changes: paroxysms, runs, pauses and artefacts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cnn_gap.io.annotations import Event
from cnn_gap.simulation.files import SimulatedRecord
from cnn_gap.simulation.heart_rhythm import SimulatedBeats, with_pause, with_run
from cnn_gap.simulation.recordings import Noise, simulate_record

#: The noise of a recording in which none is named.
TYPICAL = Noise()

#: Root mean square of an artefact in each lead, mV.
ARTEFACT_MV = 1.5


@dataclass(frozen=True)
class Part:
    """A part of a recording with one rhythm.

    Attributes
    ----------
    codes : tuple of str
        Its diagnoses, as of `simulate_record`.
    seconds : float
    run : int
        Number of ventricular beats in a row in its middle, in sinus rhythm; 0: none.
    pause_s : float
        Length of a pause in its middle, in sinus rhythm; 0: none.
    artefact : bool
        Whether noise hides the heart.
    """

    codes: tuple[str, ...]
    seconds: float
    run: int = 0
    pause_s: float = 0.0
    artefact: bool = False


def simulate_changing(
    name: str, parts: Sequence[Part], sampling_rate: float, seed: int, noise: Noise = TYPICAL
) -> SimulatedRecord:
    """Simulate one recording of several parts.

    All parts have the same seed, so they are hearts of similar shape. Its events are those of the parts; a part
    with an artefact is the event "artefact" and has no others.

    Raises
    ------
    InputError
        As `simulate_record`.
    """
    simulated = [_simulate(part, sampling_rate, seed, noise) for part in parts]
    starts = np.cumsum([0.0, *(part.seconds for part in parts)])
    events = [
        replace(event, start_s=event.start_s + start, end_s=event.end_s + start)
        for record, start in zip(simulated, starts[:-1].tolist(), strict=True)
        for event in record.events
    ]
    return SimulatedRecord(
        name=name,
        signal=np.concatenate([record.signal for record in simulated]),
        sampling_rate=sampling_rate,
        codes=tuple(dict.fromkeys(code for part in parts for code in part.codes)),
        age=simulated[0].age,
        sex=simulated[0].sex,
        events=tuple(sorted(events, key=lambda event: (event.start_s, -event.end_s))),
    )


def _simulate(part: Part, sampling_rate: float, seed: int, noise: Noise) -> SimulatedRecord:
    record = simulate_record(
        "part", part.codes, sampling_rate, part.seconds, seed, noise, partial(_changed, part)
    )
    if not part.artefact:
        return record
    rng = np.random.default_rng([seed, 1])
    hidden = ARTEFACT_MV * rng.standard_normal(record.signal.shape)
    event = Event("artefact", 0.0, part.seconds)
    return replace(record, signal=hidden.astype(np.float32), events=(event,))


def _changed(part: Part, beats: SimulatedBeats) -> SimulatedBeats:
    """Return the beats of a part with its run or its pause."""
    if part.run:
        beats = with_run(beats, part.seconds / 2, part.run)
    if part.pause_s:
        beats = with_pause(beats, part.seconds / 2, part.pause_s)
    return beats
