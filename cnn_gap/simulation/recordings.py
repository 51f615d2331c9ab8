"""Simulation of twelve-lead ECGs with given diagnoses, from the heart's rhythm to noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy

from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.annotations import Event
from cnn_gap.simulation import heart_model as model
from cnn_gap.simulation import heart_rhythm as rhythm
from cnn_gap.simulation.files import SimulatedRecord
from cnn_gap.simulation.heart_conditions import (
    Heart,
    VentricularBeat,
    build_heart,
    compatible,
    conditions_of,
    draw_patient,
    simulated_diagnoses,
    ventricular_beat,
)
from cnn_gap.system.errors import InputError

#: Length of the shortest record that can show each diagnosis, s, and lowest sampling rate, Hz.
SHORTEST_S, LOWEST_RATE = 5.0, 50.0


@dataclass(frozen=True)
class Noise:
    """Typical amplitudes (root mean square, mV) of the noise in a recording; 0: none of this kind.

    `wander` comes from breathing and drifting electrodes, `mains` is hum of `mains_hz` (Hz) if the sampling
    rate is more than twice as high, `muscle` has 20-120 Hz, and `electrode` is white noise.
    """

    wander: float = 0.06
    mains: float = 0.004
    muscle: float = 0.010
    electrode: float = 0.004
    mains_hz: float = 50.0


#: No noise at all.
QUIET = Noise(0.0, 0.0, 0.0, 0.0)


def simulate_record(
    name: str,
    codes: Sequence[str],
    sampling_rate: float,
    seconds: float,
    seed: int | Sequence[int],
    noise: Noise = Noise(),
    change: Callable[[rhythm.SimulatedBeats], rhythm.SimulatedBeats] = lambda beats: beats,
) -> SimulatedRecord:
    """Simulate one recording.

    Parameters
    ----------
    name : str
        Record name.
    codes : sequence of str
        SNOMED CT codes of the heart's diagnoses, of the Challenge's 24; without a rhythm among them the heart
        is in sinus rhythm.
    sampling_rate, seconds : float
        Hz, at least 50; length, at least 5 s.
    seed : int or sequence of int
        The same seed gives the same record. The noise depends on the sampling rate, the heart does not.
    noise : Noise
        Amplitudes of the noise.
    change : callable
        Changes the beats before their waves are drawn.

    Raises
    ------
    InputError
        If a code is not of the 24, two of them exclude each other, or length or sampling rate are too small.
    """
    wanted = conditions_of(codes)
    if not seconds >= SHORTEST_S or not sampling_rate >= LOWEST_RATE:
        raise InputError(
            f"{name}: cannot simulate {seconds:g} s at {sampling_rate:g} Hz; at least {SHORTEST_S:g} s at"
            f" {LOWEST_RATE:g} Hz"
        )
    rng, noise_rng = np.random.default_rng(seed).spawn(2)
    patient = draw_patient(wanted, rng)
    heart = build_heart(wanted, patient, rng)
    samples = round(seconds * sampling_rate)
    ectopic = ventricular_beat(patient, rng)
    beats, dipoles, background = _rhythm(heart, samples, sampling_rate, rng)
    beats = change(beats)
    layers = _layers(heart, ectopic, beats, sampling_rate)
    for layer in layers:
        model.add_waves(dipoles, sampling_rate, layer.form, layer.starts, layer.durations, layer.gains)
    independent = model.to_independent_leads(dipoles)
    independent += _draw_noise(samples, sampling_rate, noise, noise_rng)
    return SimulatedRecord(
        name=name,
        signal=model.to_twelve_leads(independent).astype(np.float32),
        sampling_rate=sampling_rate,
        codes=tuple(codes),
        age=patient.age,
        sex=patient.sex,
        events=_events(background, layers, beats, samples / sampling_rate),
    )


def draw_codes(index: int, seed: int = 0) -> tuple[str, ...]:
    """Return the codes of record `index`: all classes in turn, and the equivalent codes of a class in turn.

    If the class is not a rhythm, a rhythm is added, and in some records one more diagnosis that is compatible.
    """
    rng = np.random.default_rng([seed, index])
    classes = _classes()
    main_codes = classes[index % len(classes)]
    main_code = main_codes[index // len(classes) % len(main_codes)]
    conditions = [*conditions_of([main_code])]
    codes = [main_code]
    for candidates in (_rhythms(rng), _findings(rng)):
        fitting = [name for name in candidates if _fit_in_one_record([*conditions, name])]
        if fitting:
            conditions.append(fitting[0])
            equivalents = next(codes for codes in classes if conditions_of(codes) == {fitting[0]})
            codes.append(str(rng.choice(equivalents)))
    return tuple(sorted(codes))


def _fit_in_one_record(conditions: list[str]) -> bool:
    """Return whether a record of any length can have all conditions."""
    # A slow rhythm has no room for premature beats of two kinds in five seconds.
    repeated = len(set(conditions)) < len(conditions) or {"PAC", "PVC"}.issubset(conditions)
    return compatible(conditions) and not repeated


@cache
def _classes() -> tuple[tuple[str, ...], ...]:
    return tuple(
        codes for codes in read_weights().classes if not simulated_diagnoses().keys().isdisjoint(codes)
    )


def _rhythms(rng: np.random.Generator) -> list[str]:
    """Return the rhythms that are tried, in order."""
    return [str(rng.choice(["NSR", "SB", "STach", "AF"], p=[0.62, 0.16, 0.12, 0.1])), "NSR"]


def _findings(rng: np.random.Generator) -> list[str]:
    """Return one more diagnosis that is tried, or none."""
    further = ["IAVB", "RBBB", "IRBBB", "LAnFB", "LAD", "PAC", "PVC", "LQT", "QAb", "SA", "TAb", "TInv"]
    return [str(rng.choice(further))] if rng.uniform() < 0.3 else []


@dataclass(frozen=True)
class _Layer:
    """One wave of many beats: its kind, shape, indices of the beats, starts and durations (s), and gains."""

    kind: str
    form: model.Shape
    beats: np.ndarray
    starts: np.ndarray
    durations: np.ndarray
    gains: np.ndarray


def _rhythm(
    heart: Heart, samples: int, sampling_rate: float, rng: np.random.Generator
) -> tuple[rhythm.SimulatedBeats, np.ndarray, list[Event]]:
    """Return the beats, the waves of fibrillation or flutter as dipoles (samples, 3) in mV, and their event."""
    seconds = samples / sampling_rate
    no_waves = np.zeros((samples, 3))
    if heart.origin == "AF":
        waves = rhythm.fibrillation_waves(samples, sampling_rate, rng.uniform(0.02, 0.05), rng)
        return rhythm.fibrillating_beats(heart.rate, seconds, rng), waves, [Event("AF", 0.0, seconds)]
    if heart.origin == "AFL":
        cycle = 60 / rng.uniform(255, 340)
        ratios = ((2,), (4,), (3,), (2, 4), (2, 3, 4))[rng.integers(5)]
        waves = rhythm.flutter_waves(samples, sampling_rate, cycle, rng.uniform(0.10, 0.16))
        return rhythm.fluttering_beats(ratios, cycle, seconds, rng), waves, [Event("AFL", 0.0, seconds)]
    if heart.origin == "PR":
        return rhythm.paced_beats(heart.rate, seconds, rng), no_waves, []
    breathing = rhythm.Breathing(rng.uniform(0.2, 0.32), rng.uniform(0, 2 * np.pi), heart.breathing_depth)
    beats = rhythm.sinus_beats(heart.rate, seconds, breathing, heart.jitter, rng)
    if heart.premature:
        beats = rhythm.with_premature(beats, seconds, heart.premature, int(rng.integers(1, 4)), rng)
    return beats, no_waves, []


def _layers(
    heart: Heart, ectopic: VentricularBeat, beats: rhythm.SimulatedBeats, sampling_rate: float
) -> list[_Layer]:
    """Return the waves of all beats."""
    ventricular = beats.of(rhythm.VENTRICULAR)
    qrs = np.where(ventricular, ectopic.qrs_duration, heart.qrs_duration)
    # A T wave ends before the next beat begins, however early that is.
    next_onsets = np.append(beats.onsets[1:], np.inf)
    qt = heart.qtc * np.cbrt(beats.cycles) + np.where(ventricular, 0.05, 0.0)  # Fridericia's correction
    ends = np.minimum(beats.onsets + qt, next_onsets - 0.03)
    t = np.where(ventricular, 0.95, heart.t_share) * (ends - beats.onsets - qrs)
    spike = max(0.006, 2 / sampling_rate)  # at least two samples wide; its area is the same at any rate
    p_starts, whole = beats.onsets - heart.pr, np.full(len(qrs), 1.0)
    conducted, regular, atrial = ~ventricular, beats.of(rhythm.REGULAR), beats.of(rhythm.ATRIAL)
    layers = [
        _layer("P", heart.p, regular & (heart.pr > 0), p_starts, heart.p_duration * whole),
        _layer("P", model.ectopic_p_wave(1.0), atrial, p_starts, heart.p_duration * whole),
        _layer("QRS", heart.qrs, conducted, beats.onsets, qrs),
        _layer("QRS", ectopic.qrs, ventricular, beats.onsets, qrs),
        _layer("T", heart.t, conducted, ends - t, t),
        _layer("T", ectopic.t, ventricular, ends - t, t),
    ]
    if heart.origin == "PR":
        form = model.pacing_spike(0.006 / spike)
        layers.append(_layer("spike", form, regular, beats.onsets - spike, spike * whole))
    return layers


def _layer(
    kind: str, form: model.Shape, which: np.ndarray, starts: np.ndarray, durations: np.ndarray
) -> _Layer:
    beats = np.flatnonzero(which)
    # The heart moves with respiration: amplitudes vary by 4 % at 0.25 Hz.
    gains = 1 + 0.04 * np.sin(2 * np.pi * 0.25 * starts[beats])
    return _Layer(kind, form, beats, starts[beats], durations[beats], gains)


def _events(
    background: list[Event], layers: list[_Layer], beats: rhythm.SimulatedBeats, seconds: float
) -> tuple[Event, ...]:
    """Return all events in order of time, cut to the record; those with their middle outside are left out."""
    times: dict[int, list[float]] = {}
    events = list(background)
    for layer in layers:
        for beat, start, duration in zip(layer.beats, layer.starts, layer.durations, strict=True):
            events.append(Event(layer.kind, float(start), float(start + duration)))
            times.setdefault(int(beat), []).extend((float(start), float(start + duration)))
    for beat in np.flatnonzero(~beats.of(rhythm.REGULAR)):
        events.append(Event(beats.kinds[beat], min(times[int(beat)]), max(times[int(beat)])))
    cut = (
        Event(event.kind, max(event.start_s, 0.0), min(event.end_s, seconds))
        for event in events
        if event.start_s + event.end_s > 0 and event.start_s + event.end_s < 2 * seconds
    )
    return tuple(sorted(cut, key=lambda event: (event.start_s, -event.end_s)))


def _draw_noise(samples: int, sampling_rate: float, noise: Noise, rng: np.random.Generator) -> np.ndarray:
    """Return the noise of the eight independent leads, mV, shape (samples, 8)."""
    times = np.arange(samples) / sampling_rate
    level = rng.lognormal(0, 0.35, 4)  # amplitudes differ between recordings
    total = noise.electrode * level[0] * rng.standard_normal((samples, 8))
    if noise.muscle:
        total += noise.muscle * level[1] * _muscle(samples, sampling_rate, rng)
    if noise.wander:
        total += noise.wander * level[2] * _wander(times, rng)
    if noise.mains and sampling_rate > 2.2 * noise.mains_hz:
        hum = np.sin(2 * np.pi * noise.mains_hz * times + rng.uniform(0, 2 * np.pi))
        total += np.sqrt(2) * noise.mains * level[3] * hum[:, None] * rng.uniform(0, 1.5, 8)
    return np.asarray(total)


def _muscle(samples: int, sampling_rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise of 20-120 Hz with a root mean square of about 1, shape (samples, 8)."""
    sections = _muscle_band(sampling_rate)
    white = rng.standard_normal((samples, 8)) * rng.lognormal(0, 0.3, 8)
    share = (min(120.0, 0.45 * sampling_rate) - 20.0) / (sampling_rate / 2)
    return np.asarray(scipy.signal.sosfilt(sections, white, axis=0) / np.sqrt(share))


@cache
def _muscle_band(sampling_rate: float) -> np.ndarray:
    high = min(120.0, 0.45 * sampling_rate)
    return np.asarray(scipy.signal.butter(2, (20.0, high), btype="bandpass", fs=sampling_rate, output="sos"))


def _wander(times: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return breathing and slow drift with a root mean square of about 1, shape (samples, 8)."""
    rates = np.concatenate([rng.uniform(0.2, 0.32, 1), rng.uniform(0.02, 0.5, 5)])
    strengths = np.array([1.0, 0.7, 0.6, 0.5, 0.4, 0.3]) / 1.53
    turns = 2 * np.pi * times[:, None] * rates
    waves = sum(wave(turns) * strengths @ rng.standard_normal((6, 8)) for wave in (np.sin, np.cos))
    return np.asarray(waves / np.sqrt(2))
