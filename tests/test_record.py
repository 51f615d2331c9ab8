"""The record: its leads by name or as a mask, and values that are refused when it is made."""

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from cnn_gap.leads import LEADS
from cnn_gap.record import NoValidSampleError, Record
from cnn_gap.system.errors import InputError


def signal_of(*leads: str, samples: int = 5) -> np.ndarray:
    """Return a signal whose columns are the leads' places in `LEADS`, mV."""
    return np.tile([float(LEADS.index(lead)) for lead in leads], (samples, 1))


def test_names_bring_columns_into_the_order_of_the_twelve_leads():
    record = Record("A1", signal_of("V6", "V1"), ["v6", "V1"], 500)
    assert record.lead_names == ("V1", "V6")
    assert record.signal.shape == (5, 12)
    assert record.signal.dtype == np.float32
    assert record.signal[0, [6, 11]].tolist() == [6, 11]
    assert not record.signal[:, :6].any()
    assert record.leads.tolist() == [lead in ("V1", "V6") for lead in LEADS]


def test_limb_leads_are_derived_and_other_leads_noted():
    record = Record("A1", [[0.25, 1.0, 9.0]] * 4, ["I", "II", "X"], 500, notes=["first"])
    assert record.lead_names == LEADS[:6]
    assert record.signal[0, :6].tolist() == [0.25, 1.0, 0.75, -0.625, -0.25, 0.875]
    assert record.notes == ("first", "left out, as none of the twelve leads: X")


def test_a_mask_keeps_the_signal_as_it_is():
    signal = np.zeros((3, 12), np.float32)
    mask = np.arange(12) < 2
    record = Record("A1", signal, mask, 500.0)
    assert record.signal is signal
    assert record.leads is mask
    assert record.lead_names == ("I", "II")
    assert Record("A1", signal, mask.tolist(), 500.0).leads.tolist() == mask.tolist()
    later = replace(record, name="A2", leads=list(LEADS))
    assert (later.name, later.lead_names) == ("A2", LEADS)
    with pytest.raises(FrozenInstanceError):
        record.name = "A2"


@pytest.mark.parametrize(
    ("signal", "leads", "rate", "said"),
    [
        (np.zeros((5, 2)), ["I"], 500, r"A1: 1 leads are named; the signal has shape \(5, 2\)"),
        (np.zeros((5, 2)), ["X", "Y"], 500, "A1: has none of the twelve leads"),
        (np.zeros((5, 2)), "I", 500, "leads must be a list of names"),
        (np.zeros((5, 2)), [1, 2], 500, "leads must be a list of names"),
        (np.zeros((5, 2)), [], 500, "leads must be a list of names"),
        (np.zeros((5, 2)), np.ones(12, bool), 500, r"received \(12,\) and \(5, 2\)"),
        (np.zeros((5, 12)), np.ones(11, bool), 500, r"received \(11,\) and \(5, 12\)"),
        (np.zeros(5), ["I"], 500, r"numbers of shape \(samples, leads\); received float64 \(5,\)"),
        ([["a"]], ["I"], 500, "numbers of shape"),
        ([[1.0], [1.0, 2.0]], ["I"], 500, "must be an array"),
        (np.zeros((0, 1)), ["I"], 500, "has no samples"),
        (np.zeros((5, 1)), ["I"], 0, "the sampling rate must be above 0 Hz; received 0"),
        (np.zeros((5, 1)), ["I"], float("nan"), "the sampling rate must be above 0 Hz"),
    ],
)
def test_what_is_no_recording_is_refused_when_it_is_made(signal, leads, rate, said):
    with pytest.raises(InputError, match=said):
        Record("A1", signal, leads, rate)


def test_a_record_needs_a_valid_sample():
    with pytest.raises(NoValidSampleError):
        Record("A1", np.full((5, 1), np.nan), ["I"], 500)
