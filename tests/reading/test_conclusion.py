"""The conclusion of a reading, and its reason."""

import pytest

from cnn_gap.reading.conclusion import conclude
from cnn_gap.reading.reading import Statement


def statement(name, severity, degree="present"):
    return Statement(name, name, "rhythm", (), "", degree, 0.9, (), "network", severity)


EXTRASYSTOLES, FIBRILLATION = statement("Early beats", 5), statement("Fibrillation", 7)


@pytest.mark.parametrize(
    ("statements", "alerts", "reason"),
    [
        ([EXTRASYSTOLES], [], "early beats"),
        ([EXTRASYSTOLES], ["Heart rate 35/min"], "heart rate 35/min"),
        ([EXTRASYSTOLES, FIBRILLATION], ["Heart rate 165/min"], "fibrillation"),
        ([], ["Pause of 3.1 s"], "pause of 3.1 s"),
    ],
)
def test_the_reason_is_the_gravest_statement_or_an_alert_that_is_graver(statements, alerts, reason):
    conclusion, found = conclude(tuple(statements), "", tuple(alerts))
    assert conclusion == "abnormal"
    assert str(found).startswith(reason)


def test_minor_and_possible_findings_are_borderline():
    minor = (statement("Left axis deviation", 2), statement("Fibrillation", 7, "possible"))
    assert conclude(minor, "", ())[0] == "borderline"
