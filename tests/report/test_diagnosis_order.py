"""The order of diagnoses, and which of them are shown once."""

import numpy as np
import pytest

from cnn_gap.diagnoses.classes import Diagnosis, diagnosis, duplicate_indices
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.explain.explanation import ExplainedClass
from cnn_gap.report.diagnosis_order import OTHERS, REPORTED, in_order

FINDINGS = {finding.abbreviation: finding.diagnosis for finding in read_findings("scp")}
AF, SR, PVC = (diagnosis(code) for code in ("164889003", "426783006", "427172004"))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(AF, True), (FINDINGS["AFIB"], True)], {1}),
        ([(FINDINGS["AFIB"], False), (AF, False)], {0}),
        ([(AF, True), (FINDINGS["AFIB"], False)], set()),
        ([(AF, False), (FINDINGS["AFIB"], True)], set()),
        ([(FINDINGS["AFIB"], True), (FINDINGS["IMI"], True)], set()),
        ([(PVC, np.True_), (FINDINGS["PVC"], True)], {1}),
        ([], set()),
    ],
)
def test_a_finding_that_repeats_the_answer_of_a_class_is_found(answers, expected):
    assert duplicate_indices(answers) == expected


def test_a_diagnosis_is_shown_once_with_what_is_reported_first():
    listed = (
        _explained(SR, 0.4, False),
        _explained(FINDINGS["SR"], 0.5, False),
        _explained(FINDINGS["AFIB"], 0.99, True),
        _explained(AF, 0.9, True),
        _explained(FINDINGS["IMI"], 0.2, False),
    )
    shown = [(group, each.diagnosis.abbreviation) for group, each in in_order(listed)]
    assert shown == [(REPORTED, AF.abbreviation), ("Rhythm", SR.abbreviation), (OTHERS, "IMI")]


def _explained(about: Diagnosis, probability: float, label: bool) -> ExplainedClass:
    activation = np.zeros(10, np.float32)
    return ExplainedClass(about, (about.code,), probability, 0.5, label, activation, 0.0, ())
