"""Arrays as signals: arrays that are accepted, and the messages on all others."""

import numpy as np
import pandas
import pytest

from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.system.errors import InputError

TWO = [[1.0, 2.0], [3.0, 5.0]]


@pytest.mark.parametrize(
    ("unit", "factor"), [("nV", 1e-6), ("uV", 1e-3), ("µV", 1e-3), ("mV", 1), ("V", 1e3), ("uVolt", 1e-3)]
)
def test_units(unit, factor):
    record = record_from_signal(TWO, 500, ["I", "II"], unit=unit)
    np.testing.assert_allclose(record.signal[:, :2], np.array(TWO) * factor, rtol=1e-6)


def test_whole_numbers_none_and_nan():
    record = record_from_signal([[1000, None], [2000, 3000]], 500, ["I", "V1"], unit="uV")
    np.testing.assert_array_equal(record.signal[:, 0], [1, 2])
    np.testing.assert_array_equal(record.signal[:, 6], [np.nan, 3])


def test_a_data_frame_names_its_leads():
    record = record_from_signal(pandas.DataFrame({"ii": [1, 2], "V6": [3, 4]}), 500)
    np.testing.assert_array_equal(record.signal[:, [1, 11]], [[1, 3], [2, 4]])


def test_notes_on_leads():
    assert record_from_signal(TWO, 500, ["I", "II"]).notes == ()
    assert record_from_signal(TWO, 500, ["I", "x"]).notes == ("left out, as none of the twelve leads: x",)
    assert record_from_signal(TWO, 500, ["i", "I"]).notes == ("lead I is given twice: the first counts",)
    assert record_from_signal([[1.0], [2.0]], 300, ["ECG"]).notes == ("the lead named ECG is taken as lead I",)


def test_an_inverted_lead_has_its_sign_changed():
    record = record_from_signal(TWO, 500, ["V1", "aVR-"])
    np.testing.assert_array_equal(record.signal[:, 3], -np.array(TWO, np.float32)[:, 1])


@pytest.mark.parametrize(
    ("signal", "rate", "leads", "unit", "said"),
    [
        (TWO, "500", ["I", "II"], "mV", "the sampling rate must be a number, in Hz; received '500'"),
        (TWO, None, ["I", "II"], "mV", "must be a number, in Hz; received None"),
        (TWO, True, ["I", "II"], "mV", "must be a number, in Hz; received True"),
        (TWO, 500, ["I", "II"], "bar", "the unit must be one of nV, uV, mV, V; received 'bar'"),
        (TWO, 500, "I", "mV", "leads must be a list of names .* received 'I'"),
        (TWO, 500, None, "mV", "leads must be a list of names .* received None"),
        (TWO, 500, [0, 1], "mV", "the name of a lead must be text; received 0"),
        ([["1", "2"]], 500, ["I", "II"], "mV", "expected numbers; received values of type <U1"),
        ([[1, 2], [3]], 500, ["I", "II"], "mV", "all rows of one length"),
        (np.ones((2, 9)), 500, ["I", "II"], "mV", r"received float64 \(2, 9\); give its transpose"),
        (np.ones((9, 3)), 500, ["I", "II"], "mV", r"2 leads in columns; received float64 \(9, 3\)$"),
    ],
)
def test_what_cannot_be_a_signal_is_said(signal, rate, leads, unit, said):
    with pytest.raises(InputError, match=f"mine: .*{said}"):
        record_from_signal(signal, rate, leads, "mine", unit=unit)


def test_an_amplitude_that_no_number_can_hold_is_not_valid():
    record = record_from_signal([[1e308, 1.0], [0.0, 1.0]], 500, ["I", "II"], unit="V")
    assert np.isnan(record.signal[0, 0])
    assert record.signal[1, 1] == 1000
