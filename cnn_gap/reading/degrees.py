"""From probabilities to degrees of certainty: present, probable, possible.

The limits of each statement are chosen on a model's validation records so that of the "present" ones at least
85 %, of the "probable" ones at least 60 % are true by the reports. The lower confidence bound of these shares
counts, because few records may mislead. A statement with too few records has the usual limits. The limits lie
in the model's folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnn_gap.reading.reading import DEGREES, Degree
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import read_json, write_json

#: The file of a model folder that holds the limits.
FILE_NAME = "reading.json"

#: The minimum share of true statements of each degree.
TRUE_SHARES = {"present": 0.85, "probable": 0.6, "possible": 0.4}

#: The minimum share of the records called normal that the reports call normal, too.
TRUE_NORMALS = 0.885

#: The limits of statements with too few validation records. Of statements with a
#: calibrated probability of 0.85, 85 % are true.
USUAL_LIMITS = (0.85, 0.6, 0.4)

#: The minimum number of validation records at or above a limit; with fewer, the usual limit is kept.
FEWEST_RECORDS = 10

#: A limit is at least this share of the usual one.
LOWEST_OF_USUAL = 0.6

#: The lower confidence bound (Wilson 1927, doi:10.1080/01621459.1927.10502953) of a share has to reach the
#: minimum; with this many standard errors the true share is above the bound in 80 % of cases.
STANDARD_ERRORS = 0.84

#: Added to the minimum shares: validation records chose the model's epoch and calibrated its probabilities, so
#: the shares are about this much lower on records that it has not seen.
SHARE_MARGIN = 0.05


@dataclass(frozen=True)
class DegreeLimits:
    """The lowest probability of each degree, in the order of `DEGREES`, by the key of the statement."""

    limits: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)

    def degree(self, key: str, probability: float) -> Degree | None:
        """Return the degree of a statement of this probability; None below the lowest.

        Examples
        --------
        >>> DegreeLimits().degree("lvh", 0.7)
        'probable'
        """
        for degree, limit in zip(DEGREES, self.limits.get(key, USUAL_LIMITS), strict=True):
            if probability >= limit:
                return degree
        return None

    def least(self, key: str) -> float:
        """Return the lowest probability at which a statement is possible."""
        return self.limits.get(key, USUAL_LIMITS)[-1]


def choose_limits(truth: np.ndarray, probabilities: np.ndarray) -> tuple[float, float, float]:
    """Return the limits of one statement.

    Parameters
    ----------
    truth : ndarray, shape (records,), bool
        Whether the reports have the statement.
    probabilities : ndarray, shape (records,)
    """
    chosen: list[float] = []
    above = np.inf
    for degree, usual in zip(DEGREES, USUAL_LIMITS, strict=True):
        share = TRUE_SHARES[degree] + SHARE_MARGIN
        limit = min(_lowest_limit(truth, probabilities, above, share, usual), above)
        chosen.append(limit)
        above = limit
    return chosen[0], chosen[1], chosen[2]


def choose_normal_limit(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the limit above which a record without any finding is called normal.

    Parameters
    ----------
    truth : ndarray, shape (records,), bool
        Whether the reports call each record normal; of the records in which nothing abnormal was found.
    probabilities : ndarray, shape (records,)
        Of the network.
    """
    return _lowest_limit(truth, probabilities, np.inf, TRUE_NORMALS, USUAL_LIMITS[2])


def _lowest_limit(
    truth: np.ndarray, probabilities: np.ndarray, above: float, share: float, usual: float
) -> float:
    """Return the lowest limit for which surely at least `share` of the statements up to `above` are true."""
    within = probabilities < above
    order = np.argsort(-probabilities[within], kind="stable")
    ranked, true = probabilities[within][order], np.cumsum(truth[within][order])
    counts = np.arange(1, len(ranked) + 1)
    good = np.flatnonzero((counts >= FEWEST_RECORDS) & (lower_bound(true, counts) >= share))
    if len(good):
        return max(round(float(ranked[good[-1]]), 4), LOWEST_OF_USUAL * usual)
    count = int((ranked >= usual).sum())
    if count >= FEWEST_RECORDS and true[count - 1] < share * count:
        return round(float(ranked[0]) + 1e-4, 4)  # too often wrong: above all of them
    return usual


def lower_bound(true: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the lower bound of the share of true ones, by Wilson's interval.

    Examples
    --------
    >>> float(lower_bound(np.array([9]), np.array([10])).round(2)[0])
    0.79
    """
    share, more = true / counts, STANDARD_ERRORS**2 / counts
    spread = STANDARD_ERRORS * np.sqrt(share * (1 - share) / counts + more / counts / 4)
    return np.asarray((share + more / 2 - spread) / (1 + more))


def read_degree_limits(model: Path, fingerprint: str) -> DegreeLimits:
    """Return the limits in a model's folder, or the usual limits if none in it are for this model.

    Parameters
    ----------
    model : Path
        The folder.
    fingerprint : str
        Of the model that is in it now: `cnn_gap.model.folder.fingerprint`.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = Path(model) / FILE_NAME
    if not path.exists():
        return DegreeLimits()
    try:
        held: dict[str, Any] = read_json(path)  # type: ignore[assignment]
        limits = {str(key): _three(values) for key, values in held["limits"].items()}
        return DegreeLimits(limits if held["model"] == fingerprint else {})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: is not a table of three limits for each statement ({error})") from error


def _three(values: list[float]) -> tuple[float, float, float]:
    present, probable, possible = map(float, values)
    return present, probable, possible


def write_degree_limits(model: Path, fingerprint: str, limits: DegreeLimits) -> None:
    """Write the limits into the folder of the model with this fingerprint."""
    held = {key: list(values) for key, values in limits.limits.items()}
    write_json(Path(model) / FILE_NAME, {"model": fingerprint, "limits": held})
