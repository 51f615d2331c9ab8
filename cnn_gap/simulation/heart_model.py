"""A heart as a moving dipole: Gaussian waves in three dimensions, projected on twelve leads.

Each wave of a beat (P, Q, R, S, T, ...) is a Gaussian in time with a dipole in Frank's axes: X to the left, Y
to the feet, Z to the back. This is the vectorcardiographic form of the model of McSharry et al. (IEEE Trans
Biomed Eng 2003; 50:289-294), as in Sameni et al. (EURASIP J Adv Signal Process 2007; 043407). The twelve leads
are the dipole's projections on Dower's lead vectors.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from cnn_gap.leads import LIMB_LEADS

#: Columns of the eight independent leads; the other four follow from I and II.
INDEPENDENT = (0, 1, 6, 7, 8, 9, 10, 11)

#: Lead vectors of I, II, V1..V6 on X, Y, Z: Dower, Machado, Osborne, Clin Cardiol 1980; 3:87-95.
LEAD_VECTORS = np.array(
    [
        [0.632, -0.235, 0.059],
        [0.235, 1.066, -0.132],
        [-0.515, 0.157, -0.917],
        [0.044, 0.164, -1.387],
        [0.882, 0.098, -1.277],
        [1.213, 0.127, -0.601],
        [1.125, 0.127, -0.086],
        [0.831, 0.076, 0.230],
    ]
)

#: The six limb leads from I and II, by Einthoven's and Goldberger's definitions.
FROM_I_AND_II = np.array([(1, 0), (0, 1), *LIMB_LEADS.values()])

#: A wave begins and ends at this many widths (sigma) from its peak, where it has 4 % of its height.
EXTENT = 2.5

_CUT = 4.5  # farther from the peak, in widths (sigma), waves are not computed: they are below 1 µV


@dataclass(frozen=True)
class Shape:
    """W waves over a time from 0 (onset) to 1 (end), which is stretched to a duration.

    Attributes
    ----------
    centres, rises, falls : np.ndarray
        Time of each peak, and width (sigma) before and after it, shape (W,).
    dipoles : np.ndarray
        Dipole of each peak on X, Y, Z, mV, shape (W, 3).
    """

    centres: np.ndarray
    rises: np.ndarray
    falls: np.ndarray
    dipoles: np.ndarray

    def scaled(self, gain: float) -> Self:
        """Return the shape with its amplitudes multiplied by `gain`."""
        return replace(self, dipoles=self.dipoles * gain)


def shape(*waves: tuple[float, float, float, np.ndarray]) -> Shape:
    """Return the shape made of waves, each given as (peak time, rise, fall, dipole)."""
    centres, rises, falls, dipoles = zip(*waves, strict=True)
    return Shape(np.array(centres), np.array(rises), np.array(falls), np.array(dipoles, dtype=float))


def join(first: Shape, second: Shape) -> Shape:
    """Return a shape with the waves of both."""
    pairs = ((getattr(first, name), getattr(second, name)) for name in ("centres", "rises", "falls", "dipoles"))
    return Shape(*(np.concatenate(pair) for pair in pairs))


def dipole(limb_mv: float, axis_deg: float, back_mv: float) -> np.ndarray:
    """Return the dipole with a frontal axis (degrees, as read from I and aVF: 0 to the left, 90 to the feet).

    It has the amplitude `limb_mv` in a limb lead parallel to the axis, and the component Z `back_mv`.
    """
    angle = np.deg2rad(axis_deg)
    # An augmented lead has sqrt(3)/2 of the amplitude of a bipolar lead.
    seen = limb_mv * np.array([np.cos(angle), np.sqrt(0.75) * np.sin(angle)])
    vectors = (FROM_I_AND_II @ LEAD_VECTORS[:2])[[0, 5]]
    left, down = np.linalg.solve(vectors[:, :2], seen - vectors[:, 2] * back_mv)
    return np.array([left, down, back_mv])


def add_waves(
    dipoles: np.ndarray,
    sampling_rate: float,
    form: Shape,
    starts: np.ndarray,
    durations: np.ndarray,
    gains: np.ndarray,
) -> None:
    """Add a shape to the heart's dipole, once for each start.

    The dipole, mV, (samples, 3), is changed in place. `starts` (s), `durations` (s) and amplitude factors
    `gains` have the shape (B,). Only the samples near a wave are computed, those of all waves at once.
    """
    stretch = np.asarray(durations)[:, None]
    centres = (np.asarray(starts)[:, None] + form.centres * stretch).ravel()
    rises, falls = (form.rises * stretch).ravel(), (form.falls * stretch).ravel()
    peaks = (np.asarray(gains)[:, None, None] * form.dipoles).reshape(-1, 3)
    if not len(centres):
        return
    first = np.ceil((centres - _CUT * rises) * sampling_rate).astype(int)
    reach = int(np.ceil(_CUT * (rises + falls).max() * sampling_rate)) + 1
    index = first[:, None] + np.arange(reach)
    away = index / sampling_rate - centres[:, None]
    waves = np.exp(-0.5 * (away / np.where(away < 0, rises[:, None], falls[:, None])) ** 2)
    inside = (index >= 0) & (index < len(dipoles))
    at = index[inside]
    for axis in range(3):
        values = (waves * peaks[:, axis, None])[inside]
        dipoles[:, axis] += np.bincount(at, weights=values, minlength=len(dipoles))


def to_independent_leads(dipoles: np.ndarray) -> np.ndarray:
    """Return leads I, II, V1..V6, shape (samples, 8), of dipoles (samples, 3), all in mV."""
    return np.asarray(dipoles @ LEAD_VECTORS.T)


def to_twelve_leads(independent: np.ndarray) -> np.ndarray:
    """Return the twelve leads, shape (samples, 12), of I, II, V1..V6, shape (samples, 8)."""
    return np.concatenate([independent[:, :2] @ FROM_I_AND_II.T, independent[:, 2:]], axis=1)


def to_frank_leads(signal: np.ndarray) -> np.ndarray:
    """Return X, Y, Z, shape (samples, 3), of twelve leads (samples, 12).

    They are the least-squares inverse of Dower's vectors: Edenbrandt, Pahlm, J Electrocardiol 1988; 21:361-367.
    """
    return np.asarray(signal[:, INDEPENDENT] @ np.linalg.pinv(LEAD_VECTORS).T)


def limb_voltage(form: Shape) -> float:
    """Return the largest peak-to-peak amplitude of a shape in the limb leads, mV."""
    dipoles = np.zeros((200, 3))
    add_waves(dipoles, 200.0, form, np.zeros(1), np.ones(1), np.ones(1))
    return float(np.ptp(dipoles @ LEAD_VECTORS[:2].T @ FROM_I_AND_II.T, axis=0).max())


# The shapes below follow the morphological criteria of the AHA/ACCF/HRS recommendations on conduction
# (Surawicz et al., Circulation 2009; 119:e235-e240). Times are fractions of the duration.


def p_wave(size: float) -> Shape:
    """Return a sinus P wave: the right atrium (forward), then the left atrium (to the left and back)."""
    right, left = np.array([0.05, 0.10, -0.05]), np.array([0.09, 0.06, 0.045])
    return shape((0.40, 0.16, 0.16, right * size), (0.60, 0.16, 0.16, left * size))


def ectopic_p_wave(size: float) -> Shape:
    """Return a P wave that starts low in the atria: it moves upward, so it is negative in II, III and aVF."""
    return shape((0.5, 0.2, 0.2, np.array([0.05, -0.11, -0.05]) * size))


def normal_qrs(size: float, axis: float, back: float) -> Shape:
    """Return a normal QRS: septum (to the right and front), free walls, and base (up and back)."""
    return shape(
        (0.15, 0.06, 0.08, size * np.array([-0.14, -0.06, -0.36])),
        (0.43, 0.105, 0.105, dipole(size, axis, back)),
        (0.66, 0.125, 0.136, size * np.array([-0.12, -0.16, 0.45])),
    )


def right_axis_qrs(size: float, axis: float, back: float) -> Shape:
    """Return a QRS whose forces turn from inferior to rightward: rS in I, qR in III."""
    return shape(
        (0.15, 0.06, 0.06, size * np.array([-0.02, -0.12, -0.36])),
        (0.42, 0.105, 0.105, dipole(0.9 * size, axis - 20, back)),
        (0.66, 0.125, 0.136, dipole(0.45 * size, axis + 40, 0.25 * size)),
    )


def left_anterior_block_qrs(size: float, axis: float, back: float) -> Shape:
    """Return a QRS that starts down to the right (q in I and aVL, r in aVF) and ends up to the left."""
    return shape(
        (0.16, 0.064, 0.064, dipole(0.3 * size, 115, -0.3 * size)),
        (0.47, 0.11, 0.11, dipole(size, axis, back)),
        (0.68, 0.12, 0.128, dipole(0.35 * size, axis - 10, 0.45 * size)),
    )


def with_late_right_forces(form: Shape, onset: float, late: float) -> Shape:
    """Return a QRS that is shortened to the time before `onset`, and late forces of the right ventricle.

    The late forces make an R' in V1 and a broad S in I and V6. `form` is the QRS of the left ventricle, `onset`
    a share of the whole duration, and `late` the amplitude of the late forces, mV.
    """
    earlier = replace(
        form,
        centres=form.centres * onset,
        rises=form.rises * onset,
        falls=form.falls * onset,
        dipoles=form.dipoles * np.array([1.0, 1.0, 0.45])[:, None],
    )
    width = (1 - onset) / (2 * EXTENT)
    centre = 1 - EXTENT * width
    return join(earlier, shape((centre, width, width, late * np.array([-0.55, -0.1, -0.75]))))


def left_block_qrs(size: float, axis: float, back: float) -> Shape:
    """Return the QRS of left bundle branch block: slow, notched, to the left and back, without a septal q."""
    return shape(
        (0.34, 0.136, 0.13, dipole(0.85 * size, axis + 8, 0.8 * back)),
        (0.66, 0.13, 0.136, dipole(0.95 * size, axis - 8, back)),
    )


def unspecific_wide_qrs(size: float, axis: float, back: float) -> Shape:
    """Return a wide notched QRS with a septal q and an S, as neither bundle branch block has."""
    return shape(
        (0.12, 0.048, 0.048, size * np.array([-0.12, -0.05, -0.35])),
        (0.33, 0.095, 0.095, dipole(0.8 * size, axis + 10, 0.5 * back)),
        (0.56, 0.09, 0.095, dipole(0.6 * size, axis - 10, back)),
        (0.77, 0.09, 0.092, size * np.array([-0.25, -0.15, 0.5])),
    )


#: Walls with a scar, and the direction of the pathological Q that it causes: away from the scar.
SCARS = {
    "inferior": np.array([0.0, -0.5, -0.1]),
    "anterior": np.array([0.05, 0.0, 0.6]),
    "lateral": np.array([-0.6, 0.05, -0.1]),
}


def scar_qrs(size: float, axis: float, back: float, wall: str) -> Shape:
    """Return a QRS whose first 40 ms point away from a wall with a scar (of `SCARS`)."""
    return shape(
        (0.21, 0.084, 0.075, size * SCARS[wall]),
        (0.62, 0.085, 0.085, dipole(0.9 * size, axis, back)),
        (0.84, 0.064, 0.064, size * np.array([-0.1, -0.1, 0.35])),
    )


def ventricular_qrs(size: float, axis: float, back: float) -> Shape:
    """Return the slow QRS of a beat that starts within a ventricle."""
    return shape(
        (0.38, 0.152, 0.13, dipole(size, axis, back)),
        (0.70, 0.12, 0.12, dipole(0.5 * size, axis - 25, 0.8 * back)),
    )


def t_wave(peak: np.ndarray) -> Shape:
    """Return a T wave, slower in its rise than in its fall; `peak` is its dipole in mV."""
    return shape((0.625, 0.25, 0.15, peak))


def biphasic_t_wave(peak: np.ndarray) -> Shape:
    """Return a T wave that first has the dipole `peak` (mV), then the opposite one."""
    return shape((0.38, 0.15, 0.13, peak), (0.74, 0.11, 0.104, -0.8 * peak))


def pacing_spike(gain: float) -> Shape:
    """Return a pacemaker's stimulus: a dipole of more than 1 mV from the apex upward, times `gain`."""
    return shape((0.5, 0.2, 0.2, gain * np.array([-0.5, -1.1, 0.4])))
