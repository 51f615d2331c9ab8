"""Inputs that once failed, from real files and reports, and the right values of each."""

import json

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError

#: Largest difference, mV: half a unit of storage (2.5 µV), and rounding of the expected values to 0.1 µV.
TOLERANCE = 0.0014


@pytest.fixture(scope="module")
def cases(shared):
    found = sorted((shared / "failing").glob("*/*.expected.json"))
    if not found:
        pytest.skip("the development data has no inputs that failed")
    return {path: json.loads(path.read_text()) for path in found}


def test_all_samples_are_as_expected(cases):
    pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
    wrong = {}
    for place, case in cases.items():
        if case.get("expected"):
            try:
                compare(read_record(place.parent / case["input"]), case["expected"])
            except (AssertionError, InputError) as error:
                wrong[place.name] = str(error)
    assert wrong == {}


def compare(record, expected):
    assert record.sampling_rate == pytest.approx(expected["sampling_rate"])
    assert len(record.signal) == expected["samples"]
    for lead, values in expected["mV"].items():
        found = record.signal[expected["at"], LEADS.index(lead)]
        wanted = np.array([np.nan if value is None else value for value in values])
        np.testing.assert_allclose(found, wanted, atol=TOLERANCE, err_msg=lead)
