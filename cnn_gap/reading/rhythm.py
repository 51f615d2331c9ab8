"""The one primary rhythm of a record."""

from collections.abc import Mapping

#: Statements of sinus rhythm; the heart rate decides which of them it is.
SINUS = ("sinus_tachycardia", "sinus_bradycardia_marked", "sinus_bradycardia", "sinus_rhythm")

#: Sinus rhythm is called bradycardia below 60 and tachycardia above 100/min (Mason et al. 2007); below 50/min
#: it is a finding (Kusumoto et al. 2018, doi:10.1161/CIR.0000000000000628).
MARKEDLY_SLOW, SLOW, FAST = 50.0, 60.0, 100.0


def primary_rhythm(probabilities: Mapping[str, float], rate: float | None) -> str:
    """Return the key of the most probable rhythm.

    Parameters
    ----------
    probabilities : mapping of str to float
        Of each statement of the category rhythm.
    rate : float or None
        Heart rate, /min, where it can be trusted.

    Examples
    --------
    >>> primary_rhythm({"sinus_rhythm": 0.9, "atrial_fibrillation": 0.2}, 52.0)
    'sinus_bradycardia'
    """
    best = max(probabilities, key=lambda key: probabilities[key])
    if best not in SINUS or rate is None:
        return best
    if rate < SLOW:
        return "sinus_bradycardia" if rate >= MARKEDLY_SLOW else "sinus_bradycardia_marked"
    return "sinus_tachycardia" if rate > FAST else "sinus_rhythm"


def sinus_probability(probabilities: Mapping[str, float]) -> float:
    """Return the probability that the rhythm is a sinus rhythm of any rate."""
    return max((probabilities[key] for key in SINUS if key in probabilities), default=0.0)
