"""The beats of a simulated heart: sinus rhythm, fibrillation, flutter, a pacemaker, and premature beats."""

from dataclasses import dataclass, replace

import numpy as np

from cnn_gap.simulation.heart_model import dipole
from cnn_gap.system.errors import InputError

#: Kinds of beats, as in `SimulatedBeats.kinds`.
REGULAR, ATRIAL, VENTRICULAR = "beat", "PAC", "PVC"


@dataclass(frozen=True)
class SimulatedBeats:
    """Beats in order of time; the first and last ones are outside of the record.

    `onsets` are those of the QRS complexes, s from the start of the record, `cycles` the RR intervals to which
    the QT intervals are adapted, s, both (B,). `kinds` are `REGULAR`, `ATRIAL` or `VENTRICULAR`.
    """

    onsets: np.ndarray
    cycles: np.ndarray
    kinds: tuple[str, ...]

    def of(self, *kinds: str) -> np.ndarray:
        """Return which beats are of one of `kinds`, bool of shape (B,)."""
        return np.isin(self.kinds, kinds)


@dataclass(frozen=True)
class Breathing:
    """Respiration: rate (Hz), phase (rad), and the share of the RR interval by which it changes this."""

    rate: float
    phase: float
    depth: float

    def at(self, times: np.ndarray | float) -> np.ndarray:
        """Return the respiration at `times` (s), from -1 (breathed out) to 1 (breathed in)."""
        return np.asarray(np.sin(2 * np.pi * self.rate * times + self.phase))


def sinus_beats(
    rate: float, seconds: float, breathing: Breathing, jitter: float, rng: np.random.Generator
) -> SimulatedBeats:
    """Return the beats of sinus rhythm at `rate` per minute in a record of `seconds`.

    The RR interval varies with `breathing` and by a random part with the standard deviation `jitter`, a share
    of the interval.
    """
    mean = 60 / rate
    onsets = [-mean * (1 + rng.uniform())]
    while onsets[-1] < seconds + 4 * mean:
        breath = float(breathing.at(onsets[-1]))
        onsets.append(onsets[-1] + mean * (1 - breathing.depth * breath + jitter * float(_bounded(rng))))
    return _beats(np.array(onsets), mean)


def fibrillating_beats(rate: float, seconds: float, rng: np.random.Generator) -> SimulatedBeats:
    """Return the irregular beats of atrial fibrillation with a mean rate of `rate` per minute."""
    mean = 60 / rate
    count = int(seconds / mean * 1.5) + 12
    spread = rng.uniform(0.18, 0.26)
    # The refractory time of the atrioventricular node is the shortest interval.
    intervals = np.maximum(mean * np.exp(spread * rng.standard_normal(count) - spread**2 / 2), 0.30)
    return _beats(np.cumsum(intervals) - mean * (1 + rng.uniform()), mean)


def fluttering_beats(
    ratios: tuple[int, ...], cycle: float, seconds: float, rng: np.random.Generator
) -> SimulatedBeats:
    """Return the beats of atrial flutter in a record of `seconds`.

    For each beat its number of flutter waves is drawn from `ratios`: with one ratio the rhythm is regular. A
    wave lasts `cycle` (s), and one starts at time 0.
    """
    mean = cycle * sum(ratios) / len(ratios)
    steps = rng.choice(ratios, int(seconds / cycle / min(ratios)) + 8)
    phase = cycle * rng.uniform(0.35, 0.65)
    return _beats(cycle * (np.cumsum(steps) - 2 * max(ratios)) + phase, mean)


def paced_beats(rate: float, seconds: float, rng: np.random.Generator) -> SimulatedBeats:
    """Return the beats of a pacemaker, all at the same interval."""
    mean = 60 / rate
    return _beats(np.arange(-1 - rng.uniform(), seconds / mean + 2) * mean, mean)


def with_premature(
    beats: SimulatedBeats, seconds: float, kinds: tuple[str, ...], count: int, rng: np.random.Generator
) -> SimulatedBeats:
    """Replace sinus beats by premature ones.

    An atrial beat resets the sinus node, so that the beats before and after it are less than two sinus cycles
    apart. A ventricular beat does not reset it, so that they are exactly two cycles apart (the compensatory
    pause).

    `count` of the `beats` (sinus rhythm) in a record of `seconds` are replaced, or fewer if there is no room.
    Of each of the `kinds`, `ATRIAL`, `VENTRICULAR` or both, there is at least one.

    Raises
    ------
    InputError
        If the record is too short for one beat of each kind.
    """
    onsets, labels = beats.onsets.copy(), list(beats.kinds)
    coupling = rng.uniform(0.58, 0.70)
    room = np.flatnonzero((onsets[:-1] > 0.05) & (onsets[1:] + 0.3 < seconds)) + 1
    slots = room[:: 3 if len(room) >= 3 * len(kinds) else 2]
    if len(slots) < len(kinds):
        raise InputError(
            f"{seconds:g} s are too short for premature beats of {len(kinds)} kinds; simulate longer"
        )
    chosen = np.sort(rng.permutation(slots)[: max(count, len(kinds))])
    for place, kind in zip(chosen, rng.permutation(np.resize(kinds, len(chosen))), strict=True):
        cycle = onsets[place] - onsets[place - 1]
        onsets[place] -= (1 - coupling) * cycle
        if kind == ATRIAL:
            onsets[place + 1 :] -= (0.90 - coupling) * cycle
        labels[place] = str(kind)
    return replace(beats, onsets=onsets, kinds=tuple(labels))


def with_run(beats: SimulatedBeats, at_s: float, count: int, share: float = 0.5) -> SimulatedBeats:
    """Insert a run of `count` ventricular beats at `at_s`, which are `share` of a cycle apart.

    The beats after the run are later by as much as a compensatory pause needs.
    """
    first = int(np.searchsorted(beats.onsets, at_s))
    cycle = float(beats.onsets[first] - beats.onsets[first - 1])
    run = beats.onsets[first - 1] + share * cycle * np.arange(1, count + 1)
    later = beats.onsets[first:] - beats.onsets[first] + run[-1] + cycle * (2 - share)
    onsets = np.concatenate([beats.onsets[:first], run, later])
    cycles = np.concatenate([beats.cycles[:first], np.full(count, share * cycle), beats.cycles[first:]])
    kinds = (*beats.kinds[:first], *[VENTRICULAR] * count, *beats.kinds[first:])
    return SimulatedBeats(onsets, cycles, kinds)


def with_pause(beats: SimulatedBeats, at_s: float, seconds: float) -> SimulatedBeats:
    """Delay the beats from `at_s` on, so that none occurs for `seconds`."""
    first = int(np.searchsorted(beats.onsets, at_s))
    onsets = beats.onsets.copy()
    onsets[first:] += seconds - (onsets[first] - onsets[first - 1])
    return replace(beats, onsets=onsets)


def fibrillation_waves(samples: int, sampling_rate: float, size: float, rng: np.random.Generator) -> np.ndarray:
    """Return fibrillatory waves of 4-9 Hz, largest in V1, as dipoles of shape (samples, 3) in mV.

    Their frequency and amplitude vary: Stridh, Sörnmo, IEEE Trans Biomed Eng 2001; 48:105-111.
    """
    times = np.arange(samples) / sampling_rate
    dipoles = np.zeros((samples, 3))
    direction = np.array([-0.35, 0.25, -0.9])
    for part in range(3):  # three independent waves
        frequency = rng.uniform(4.8, 7.8)
        rates, phases = rng.uniform(0.08, 0.45, 3), rng.uniform(0, 2 * np.pi, 3)
        # Changing the phase by 0.8 / rate rad changes the frequency by up to 0.8 Hz, so it stays in 4-9 Hz.
        slow = np.sin(2 * np.pi * rates * times[:, None] + phases)
        phase = 2 * np.pi * frequency * times + 0.8 * slow[:, 0] / rates[0] + phases[2]
        envelope = (1 + 0.35 * slow[:, 1]) * (1 if part == 0 else 0.6)
        wave = envelope * (np.sin(phase) + 0.25 * np.sin(2 * phase))
        dipoles += wave[:, None] * (direction + rng.normal(0, 0.35, 3)) * size
    return dipoles


def flutter_waves(samples: int, sampling_rate: float, cycle: float, size: float) -> np.ndarray:
    """Return typical flutter as dipoles of shape (samples, 3) in mV: a sawtooth, negative in II, III and aVF.

    Each wave falls slowly and rises fast. It has four harmonics, so that it is smooth.
    """
    phase = 2 * np.pi * np.arange(samples) / (sampling_rate * cycle)
    tooth = sum(np.sin(order * phase) * np.exp(-0.12 * order**2) / order for order in range(1, 5))
    return np.asarray(-tooth[:, None] * dipole(size, -88, 0.55 * -size))


def _bounded(rng: np.random.Generator) -> np.ndarray:
    """Return a standard normal number, clipped to ±2."""
    return np.asarray(np.clip(rng.standard_normal(), -2, 2))


def _beats(onsets: np.ndarray, mean: float) -> SimulatedBeats:
    before = np.diff(onsets, prepend=onsets[0] - mean)
    # Repolarisation is adapted to the mean rate more than to the last interval.
    return SimulatedBeats(onsets, 0.75 * mean + 0.25 * before, (REGULAR,) * len(onsets))
