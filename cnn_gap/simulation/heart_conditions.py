"""The heart of a simulated patient with some of the Challenge's 24 diagnoses.

Criteria follow the AHA/ACCF/HRS recommendations for the standardisation and interpretation of the
electrocardiogram, parts III-V (Surawicz et al. 2009, Rautaharju et al. 2009), unless a comment names others.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from cnn_gap.diagnoses.classes import EQUIVALENT_CODES, known_diagnoses
from cnn_gap.simulation import heart_model as model
from cnn_gap.simulation.heart_model import Shape, dipole
from cnn_gap.system.errors import InputError

#: A record has at most one diagnosis of each group: the others would contradict or hide it.
EXCLUSIVE = tuple(
    frozenset(group.split())
    for group in (
        "NSR SB STach AF AFL PR",
        "NSR STach Brady AFL PR",
        "SA STach AF AFL PR",
        "IAVB STach AF AFL PR",
        "LPR STach AF AFL PR",
        "PAC AF AFL PR",
        "PVC AF AFL PR",
        "LQT STach AF AFL PR",
        "RBBB IRBBB LBBB NSIVCB PR",
        "LAnFB LBBB NSIVCB PR QAb",
        "LAnFB RAD",
        "LAD RAD LBBB PR",
        "QAb RBBB IRBBB LBBB NSIVCB RAD PR",
        "TAb TInv LBBB PR AFL",
        "LQRSV LBBB PR",
    )
)

_REPRESENTATIVES = {other: first for first, other in EQUIVALENT_CODES}


@dataclass(frozen=True)
class Patient:
    """A person: age (years), sex, and the QRS's size (mV), frontal axis (degrees) and component Z (mV)."""

    age: int
    sex: str
    size: float
    axis: float
    back: float


@dataclass(frozen=True)
class Heart:
    """The rhythm and the waves of a heart in one record; times in s, rate in beats per minute.

    Attributes
    ----------
    origin : str
        Of the rhythm: "sinus", "AF", "AFL" or "PR" (pacemaker).
    rate, jitter, breathing_depth : float
        Mean rate, and its random and respiratory variation as shares of the RR interval.
    pr, p_duration : float
        Time from the onset of P to the onset of the QRS, 0 if the beats have no P wave; duration of P.
    qrs_duration, qtc : float
        Duration of the QRS; QT interval at a rate of 60 per minute.
    p, qrs, t : Shape
        The waves.
    t_share : float
        Duration of T as a share of the time from the end of the QRS to the end of T.
    premature : tuple of str
        Kinds of premature beats.
    """

    origin: str
    rate: float
    jitter: float
    breathing_depth: float
    pr: float
    p_duration: float
    qrs_duration: float
    qtc: float
    p: Shape
    qrs: Shape
    t: Shape
    t_share: float = 0.66
    premature: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class VentricularBeat:
    """A beat that starts in a ventricle: its QRS, its T wave and the duration of its QRS, s."""

    qrs: Shape
    t: Shape
    qrs_duration: float


@cache
def code_of(abbreviation: str) -> str:
    """Return the code of a diagnosis by its abbreviation, such as ``AF``."""
    return next(code for code, known in known_diagnoses().items() if known.abbreviation == abbreviation)


@cache
def simulated_diagnoses() -> dict[str, str]:
    """Return the abbreviations of the diagnoses that can be simulated, by their representative codes."""
    names = frozenset().union(*EXCLUSIVE)
    return {_REPRESENTATIVES.get(code_of(name), code_of(name)): name for name in sorted(names)}


def conditions_of(codes: Sequence[str]) -> frozenset[str]:
    """Return the abbreviations of the diagnoses with `codes`; equivalent codes have the same one.

    Raises
    ------
    InputError
        If a code is not of the 24 diagnoses, or two of them exclude each other.
    """
    names = known_diagnoses()
    simulated = simulated_diagnoses()
    unknown = [code for code in codes if _REPRESENTATIVES.get(code, code) not in simulated]
    if unknown:
        raise InputError(f"{unknown[0]}: this diagnosis cannot be simulated; choose among the Challenge's")
    wanted = frozenset(simulated[_REPRESENTATIVES.get(code, code)] for code in codes)
    for group in EXCLUSIVE:
        clash = sorted(names[code_of(name)].name for name in wanted & group)
        if len(clash) > 1:
            raise InputError(f"{clash[0]} and {clash[1]} exclude each other; simulate them in two records")
    return wanted


def compatible(conditions: Collection[str]) -> bool:
    """Return whether no two of the conditions exclude each other."""
    return all(len(group.intersection(conditions)) < 2 for group in EXCLUSIVE)


def draw_patient(conditions: Collection[str], rng: np.random.Generator) -> Patient:
    """Return a person of an age at which the conditions are usual."""
    old = not {"AF", "AFL", "PR", "LBBB", "QAb", "NSIVCB"}.isdisjoint(conditions)
    young = "SA" in conditions and not old
    age = int(rng.integers(58, 90) if old else rng.integers(18, 45) if young else rng.integers(20, 88))
    sex = "Male" if rng.uniform() < 0.52 else "Female"
    size = (1.15 if sex == "Male" else 1.0) * (1.15 - 0.003 * age) * float(np.exp(rng.normal(0, 0.15)))
    # The axis moves to the left with age.
    axis = float(np.clip(rng.normal(68 - 0.5 * age, 14), 5, 80))
    return Patient(age, sex, size, axis, back=size * rng.uniform(0.25, 0.5))


def build_heart(conditions: Collection[str], patient: Patient, rng: np.random.Generator) -> Heart:
    """Return a heart of `patient` with `conditions` (abbreviations, see `conditions_of`)."""
    wanted = frozenset(conditions)
    axis = _axis(wanted, patient, rng)
    qrs, qrs_duration = _qrs(wanted, replace(patient, axis=axis), rng)
    origin = next((name for name in ("AF", "AFL", "PR") if name in wanted), "sinus")
    t, t_share = _t(wanted, patient, axis, rng)
    return Heart(
        origin=origin,
        rate=_rate(wanted, rng),
        jitter=0.0 if origin == "PR" else rng.uniform(0.004, 0.012),
        # In sinus arrhythmia RR intervals differ by more than 0.12 s, in other simulated hearts by less.
        breathing_depth=rng.uniform(0.13, 0.18) if "SA" in wanted else rng.uniform(0.005, 0.025),
        pr=_pr(wanted, origin, rng),
        p_duration=rng.uniform(0.092, 0.115),
        qrs_duration=qrs_duration,
        qtc=rng.uniform(0.52, 0.58) if "LQT" in wanted else _qtc(patient, qrs_duration, rng),
        p=model.p_wave(rng.uniform(0.75, 1.15)),
        qrs=_scale_voltage(qrs, "LQRSV" in wanted, rng),
        t=t.scaled(0.5) if "LQRSV" in wanted else t,
        t_share=t_share,
        premature=tuple(name for name in ("PAC", "PVC") if name in wanted),
    )


def ventricular_beat(patient: Patient, rng: np.random.Generator) -> VentricularBeat:
    """Return a beat that starts at a random place in a ventricle."""
    size = patient.size * rng.uniform(0.9, 1.25)
    if rng.uniform() < 0.5:  # in the right ventricle: similar to left bundle branch block
        axis, back = rng.choice([rng.uniform(70, 95), rng.uniform(-70, -30)]), 0.7 * size
    else:  # in the left ventricle: similar to right bundle branch block
        axis, back = rng.choice([rng.uniform(105, 130), rng.uniform(-125, -95)]), -0.6 * size
    qrs = model.ventricular_qrs(size, axis, back)
    return VentricularBeat(qrs, model.t_wave(-0.38 * dipole(size, axis, 0.7 * back)), rng.uniform(0.14, 0.17))


def _rate(wanted: frozenset[str], rng: np.random.Generator) -> float:
    if "Brady" in wanted:
        low, high = (42, 54) if "AF" in wanted else (40, 55)
    else:
        ranges = {"SB": (44, 56), "STach": (105, 140), "AF": (62, 135), "PR": (60, 75), "SA": (62, 85)}
        low, high = next((ranges[name] for name in ranges if name in wanted), (63, 92))
    # At high rates, long intervals would overlap the next beat, and premature beats would have no room.
    bounded = low < 82 and not wanted.isdisjoint({"IAVB", "LPR", "LQT", "PAC", "PVC"})
    return rng.uniform(low, min(high, 82) if bounded else high)


def _pr(wanted: frozenset[str], origin: str, rng: np.random.Generator) -> float:
    # Half of the pacemakers stimulate the ventricles alone: their beats have no P wave.
    if origin in ("AF", "AFL") or (origin == "PR" and rng.uniform() < 0.5):
        return 0.0
    if not wanted.isdisjoint({"IAVB", "LPR"}):
        return rng.uniform(0.22, 0.32)
    return rng.uniform(0.125, 0.15) if "STach" in wanted else rng.uniform(0.135, 0.185)


def _qtc(patient: Patient, qrs_duration: float, rng: np.random.Generator) -> float:
    usual = rng.uniform(0.385, 0.425) if patient.sex == "Male" else rng.uniform(0.395, 0.435)
    return usual + 0.6 * max(qrs_duration - 0.1, 0)  # a wide QRS delays repolarisation


def _axis(wanted: frozenset[str], patient: Patient, rng: np.random.Generator) -> float:
    if "LAnFB" in wanted:
        return rng.uniform(-72, -48)
    if "LAD" in wanted:
        return rng.uniform(-60, -36)
    if "RAD" in wanted:
        return rng.uniform(105, 140)
    if "LBBB" in wanted:
        return rng.uniform(-25, 25)
    if "PR" in wanted:
        return rng.uniform(-80, -60)
    return float(np.clip(patient.axis, 10, 55)) if "QAb" in wanted else patient.axis


def _qrs(wanted: frozenset[str], patient: Patient, rng: np.random.Generator) -> tuple[Shape, float]:
    size, axis, back = patient.size, patient.axis, patient.back
    if "LBBB" in wanted:
        return model.left_block_qrs(0.75 * size, axis, 0.7 * size), rng.uniform(0.13, 0.165)
    if "PR" in wanted:  # stimulated at the apex of the right ventricle
        return model.ventricular_qrs(size, axis, 0.6 * size), rng.uniform(0.15, 0.18)
    if "NSIVCB" in wanted:
        return model.unspecific_wide_qrs(size, axis, back), rng.uniform(0.125, 0.145)
    if "QAb" in wanted:
        wall = str(rng.choice(list(model.SCARS)))
        return model.scar_qrs(size, axis, back, wall), rng.uniform(0.104, 0.115)
    normal = model.normal_qrs
    if "LAnFB" in wanted:
        normal = model.left_anterior_block_qrs
    elif "RAD" in wanted:
        normal = model.right_axis_qrs
    form = normal(size, axis, back)
    if "RBBB" in wanted:
        return model.with_late_right_forces(form, 0.52, size * rng.uniform(0.6, 0.85)), rng.uniform(0.125, 0.15)
    if "IRBBB" in wanted:
        return model.with_late_right_forces(form, 0.64, size * rng.uniform(0.4, 0.55)), rng.uniform(
            0.104, 0.116
        )
    return form, rng.uniform(0.08, 0.098)


def _t(wanted: frozenset[str], patient: Patient, axis: float, rng: np.random.Generator) -> tuple[Shape, float]:
    """Return the T wave and its `Heart.t_share`."""
    size = patient.size * rng.uniform(0.26, 0.36)
    if "LBBB" in wanted or "PR" in wanted:  # opposite to the QRS
        return model.t_wave(-1.1 * dipole(size, axis, 0.8 * size)), 0.95
    if "TInv" in wanted:
        inverted = {
            "lateral": np.array([-0.85, -0.1, 0.1]),
            "anterior": np.array([-0.25, 0.25, 0.8]),
            "inferior": np.array([0.35, -0.85, -0.2]),
        }
        return model.t_wave(size * inverted[str(rng.choice(list(inverted), p=(0.5, 0.3, 0.2)))]), 0.66
    # In right bundle branch block T points away from V1 and V2.
    back = {"RBBB": 0.35, "IRBBB": -0.1}.get(next(iter(wanted & {"RBBB", "IRBBB"}), ""), -0.5)
    upright = dipole(size, float(np.clip(25 + 0.4 * axis, 15, 60)), back * size)
    if "TAb" in wanted:
        flat = rng.uniform() < 0.5
        return (model.t_wave(0.12 * upright) if flat else model.biphasic_t_wave(0.6 * upright)), 0.66
    return model.t_wave(upright), 0.66


def _scale_voltage(qrs: Shape, low: bool, rng: np.random.Generator) -> Shape:
    """Return the QRS scaled to less than 0.5 mV in all limb leads if `low`, else to at least 0.75 mV in one."""
    now = model.limb_voltage(qrs)
    if low:
        return qrs.scaled(rng.uniform(0.28, 0.42) / now)
    return qrs.scaled(max(1.0, 0.75 / now))
