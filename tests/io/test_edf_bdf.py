"""EDF, EDF+ and BDF as pyEDFlib and as other programs write them."""

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError

pyedflib = pytest.importorskip("pyedflib")


def written(path, signals, rate=100, kind=pyedflib.FILETYPE_EDFPLUS, **header):
    """Write signals by label, in µV."""
    about = {"dimension": "uV", "sample_frequency": rate, "physical_min": -4000.0, "physical_max": 4000.0}
    wide = kind in (pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS)
    largest = 2**23 - 1 if wide else 2**15 - 1
    about |= {"digital_min": -largest - 1, "digital_max": largest} | header
    with pyedflib.EdfWriter(str(path), len(signals), kind) as file:
        file.setSignalHeaders([about | {"label": label} for label in signals])
        file.setPatientName("Mustermann")
        file.setBirthdate(pyedflib.edfwriter.date(1965, 5, 1))
        file.setSex("Female")
        file.setEquipment("Simulator_2")
        file.setStartdatetime(pyedflib.edfwriter.datetime(2021, 3, 4, 15, 6, 7))
        file.writeSamples(list(signals.values()))
    return path


def values(count=1000):
    return np.random.default_rng(1).normal(0, 300, count)


@pytest.mark.parametrize(
    ("kind", "name", "step"),
    [
        (pyedflib.FILETYPE_EDF, "A.edf", 8000 / 2**16),
        (pyedflib.FILETYPE_EDFPLUS, "A.edf", 8000 / 2**16),
        (pyedflib.FILETYPE_BDF, "A.bdf", 8000 / 2**24),
        (pyedflib.FILETYPE_BDFPLUS, "A.bdf", 8000 / 2**24),
    ],
)
def test_as_pyedflib_reads_it(tmp_path, kind, name, step):
    path = written(tmp_path / name, {lead: values() for lead in LEADS}, kind=kind)
    record = read_record(path)
    with pyedflib.EdfReader(str(path)) as file:
        expected = np.stack([file.readSignal(number) for number in range(12)], axis=1) / 1000
    np.testing.assert_allclose(record.signal, expected, atol=1e-6)
    np.testing.assert_allclose(record.signal[:, 0] * 1000, values(), atol=step)
    plus = kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS)
    assert (record.age, record.sex) == (55, "Female") if plus else record.sex == "Unknown"
    assert record.time is not None
    assert record.device == ("Simulator 2" if plus else "")


def test_a_single_channel_called_ecg_is_lead_one(tmp_path):
    record = read_record(written(tmp_path / "A.edf", {"ECG": values()}))
    assert record.leads.tolist() == [True] + [False] * 11
    assert record.notes == ("the lead named ECG is taken as lead I",)


def test_other_channels_are_named_and_may_have_other_rates(tmp_path):
    path = tmp_path / "A.edf"
    headers = [
        {
            "label": label,
            "dimension": unit,
            "sample_frequency": rate,
            "physical_min": -100,
            "physical_max": 100,
            "digital_min": -32768,
            "digital_max": 32767,
        }
        for label, unit, rate in (("I", "mV", 100), ("Resp", "Ohm", 25), ("II", "mV", 100))
    ]
    with pyedflib.EdfWriter(str(path), 3, pyedflib.FILETYPE_EDF) as file:
        file.setSignalHeaders(headers)
        file.writeSamples([np.ones(1000), np.ones(250), np.ones(1000)])
    record = read_record(path)
    assert record.leads[:2].all()
    assert record.notes == ("left out, as none of the twelve leads: Resp",)


def without_samples(content):
    """Return an EDF+ file whose channel of annotations has no samples."""
    count = int(content[252:256])
    size = 256 * (count + 1)
    at = size - count * 40 + 8 * (count - 1)
    width = [int(content[size - count * 40 + 8 * index :][:8]) for index in range(count)]
    record = 2 * sum(width)
    kept = [
        content[size + start :][: record - 2 * width[-1]] for start in range(0, len(content) - size, record)
    ]
    return content[:at] + b"0       " + content[at + 8 : size] + b"".join(kept)


@pytest.mark.parametrize(
    "changed",
    [
        lambda content: b"0" + bytes(7) + content[8:],
        without_samples,
        lambda content: content.replace(b"EDF+C", b"EDF+D"),
    ],
)
def test_what_others_write_is_read(tmp_path, changed):
    path = written(tmp_path / "A.edf", {lead: values() for lead in LEADS})
    expected = read_record(path).signal
    path.write_bytes(changed(path.read_bytes()))
    np.testing.assert_array_equal(read_record(path).signal, expected)


def test_a_gap_is_refused(tmp_path):
    path = written(tmp_path / "A.edf", {lead: values() for lead in LEADS})
    path.write_bytes(path.read_bytes().replace(b"EDF+C", b"EDF+D").replace(b"+5\x14", b"+6\x14"))
    with pytest.raises(InputError, match=r"A\.edf: is discontinuous EDF \(EDF\+D\) with gaps"):
        read_record(path)


def test_leads_of_different_rates_are_refused(tmp_path):
    path = written(tmp_path / "A.edf", {"I": values(), "II": values()})
    content = bytearray(path.read_bytes())
    at = 256 + 3 * 216
    assert content[at : at + 8] == b"100     "
    content[at : at + 8] = b"50      "
    path.write_bytes(content)
    with pytest.raises(InputError, match="its leads have different sampling rates"):
        read_record(path)
