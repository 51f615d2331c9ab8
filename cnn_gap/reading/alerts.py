"""Alerts: urgent sentences by a table of rules on the measurements and the statements of a record."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.reading import Statement

#: Heart rates below and above these are alerts, /min.
SLOWEST, FASTEST = 40.0, 150.0

#: RR intervals of at least this length are pauses, s.
PAUSE_S = 2.5

#: A wide-complex tachycardia has at least this heart rate, /min, and QRS complexes of at least this width, ms.
TACHYCARDIA, WIDE_MS = 110.0, 120.0

#: QTc above this, ms, by Bazett and by Fridericia, is an alert; beside a wide QRS complex no QTc is given.
VERY_LONG_QTC_MS = 500.0


@dataclass(frozen=True)
class AlertInput:
    """The measurements and the statements of a record, to which the rules are applied."""

    evidence: Evidence
    statements: tuple[Statement, ...]

    def value(self, name: str) -> float | None:
        """Return a measured value, None where it cannot be trusted."""
        return self.evidence.values.get(name)

    def has(self, *keys: str, at_least: Sequence[str] = ("present", "probable", "possible")) -> bool:
        """Tell whether the record has one of these statements in one of these degrees."""
        return any(each.key in keys and each.degree in at_least for each in self.statements)


def _wide_tachycardia(found: AlertInput) -> str:
    rate, width = found.value("rate"), found.value("qrs_ms")
    if rate is None or width is None or rate < TACHYCARDIA or width < WIDE_MS:
        return ""
    return (
        f"Wide-complex tachycardia ({rate:.0f}/min, QRS {width:.0f} ms): consider ventricular tachycardia,"
        " which the network does not know"
    )


def _slow(found: AlertInput) -> str:
    rate = found.value("rate")
    return f"Heart rate {rate:.0f}/min" if rate is not None and rate < SLOWEST else ""


def _fast(found: AlertInput) -> str:
    rate = found.value("rate")
    return f"Heart rate {rate:.0f}/min" if rate is not None and rate > FASTEST else ""


def _pause(found: AlertInput) -> str:
    longest = found.value("longest_rr_s")
    return f"Pause of {longest:.1f} s" if longest is not None and longest >= PAUSE_S else ""


def _complete_block(found: AlertInput) -> str:
    return "Third-degree AV block" if found.has("av_block_3", at_least=("present", "probable")) else ""


def _injury(found: AlertInput) -> str:
    injury = ("injury_anterior", "injury_inferior", "injury_lateral")
    return "Injury current" if found.has(*injury, at_least=("present", "probable")) else ""


def _st_elevation(found: AlertInput) -> str:
    if not found.has("st_elevation", at_least=("present", "probable")):
        return ""
    return f"ST elevation in {', '.join(found.evidence.elevated)}: consider acute infarction"


def _long_qt(found: AlertInput) -> str:
    bazett, fridericia = found.value("qtc_bazett_ms"), found.value("qtc_fridericia_ms")
    if bazett is None or fridericia is None or min(bazett, fridericia) <= VERY_LONG_QTC_MS:
        return ""
    return f"QTc {bazett:.0f} ms (Bazett), {fridericia:.0f} ms (Fridericia)"


#: The rules, the most urgent first. Each returns a sentence, empty where it does not apply.
RULES: tuple[Callable[[AlertInput], str], ...] = (
    _wide_tachycardia,
    _st_elevation,
    _injury,
    _complete_block,
    _pause,
    _slow,
    _fast,
    _long_qt,
)


def find_alerts(evidence: Evidence, statements: Sequence[Statement]) -> tuple[str, ...]:
    """Return the alerts of a record, the most urgent first."""
    found = AlertInput(evidence, tuple(statements))
    return tuple(filter(None, (rule(found) for rule in RULES)))
