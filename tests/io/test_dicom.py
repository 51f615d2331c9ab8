"""DICOM with several groups: which are read; and DICOM without a preamble."""

import io

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.io.waveforms import MORE_WAVEFORMS
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import UNIT_UV
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

pydicom = pytest.importorskip("pydicom", reason="pip install cnn-gap[formats]")
TOLERANCE = 0.501 * UNIT_UV / 1000


@pytest.fixture(scope="module")
def simulated():
    return simulate_record("S1", ["164889003"], 100.0, 10.0, seed=3)


@pytest.fixture
def groups(simulated, tmp_path):
    """A function that writes a file of groups, each of leads, samples and attributes, and returns its path."""
    path = WRITERS["DICOM"](tmp_path, simulated)

    def write(*parts, **save):
        held = pydicom.dcmread(path)
        (rhythm, _), written = held.WaveformSequence, []
        for leads, samples, more in parts:
            group = pydicom.dcmread(path).WaveformSequence[0]
            columns = [LEADS.index(lead) for lead in leads]
            counts = np.frombuffer(rhythm.WaveformData, "<i2").reshape(-1, 12)[samples, columns]
            group.WaveformData = np.ascontiguousarray(counts).tobytes()
            group.NumberOfWaveformSamples, group.NumberOfWaveformChannels = counts.shape
            group.ChannelDefinitionSequence = [group.ChannelDefinitionSequence[column] for column in columns]
            for keyword, value in more.items():
                setattr(group, keyword, value)
            written.append(group)
        held.WaveformSequence = written
        held.save_as(path, enforce_file_format=True, **save)
        return path

    return write


ALL = slice(None)


@pytest.mark.parametrize(
    "beat",
    [
        {"WaveformOriginality": "DERIVED", "MultiplexGroupLabel": "BEAT"},
        {"WaveformOriginality": "DERIVED", "MultiplexGroupLabel": ""},
        {"WaveformOriginality": "ORIGINAL", "MultiplexGroupLabel": "TEMPLATE"},
        {"WaveformOriginality": "ORIGINAL", "MultiplexGroupLabel": ""},
    ],
)
def test_a_beat_that_stands_first_is_not_taken(simulated, groups, beat):
    record = read_record(groups((LEADS, slice(120), beat), (LEADS, ALL, {})))
    np.testing.assert_allclose(record.signal, simulated.signal, atol=TOLERANCE)


def test_a_rhythm_strip_that_stands_first_is_not_taken(simulated, groups):
    record = read_record(groups((["II"], ALL, {"MultiplexGroupLabel": "STRIP"}), (LEADS, ALL, {})))
    np.testing.assert_allclose(record.signal, simulated.signal, atol=TOLERANCE)
    assert record.notes == (MORE_WAVEFORMS,)


def test_groups_of_one_start_are_joined(simulated, groups):
    record = read_record(groups((LEADS[:9], ALL, {}), (LEADS[9:], ALL, {})))
    np.testing.assert_allclose(record.signal, simulated.signal, atol=TOLERANCE)
    assert record.notes == ()


def test_groups_one_after_another_stand_at_their_times(simulated, groups):
    parts = [
        (
            LEADS[3 * part : 3 * part + 3],
            slice(250 * part, 250 * part + 250),
            {"MultiplexGroupTimeOffset": 2500 * part},
        )
        for part in range(4)
    ]
    record = read_record(groups(*parts))
    assert np.isfinite(record.signal).sum() == 4 * 250 * 3
    np.testing.assert_allclose(record.signal[750:, 9:], simulated.signal[750:, 9:], atol=TOLERANCE)
    assert "not all leads were recorded at the same time" in record.notes[0]


def test_a_rhythm_that_is_only_derived_is_read(simulated, groups):
    record = read_record(
        groups((LEADS, ALL, {"WaveformOriginality": "DERIVED", "MultiplexGroupLabel": "AVERAGE"}))
    )
    np.testing.assert_allclose(record.signal, simulated.signal, atol=TOLERANCE)


@pytest.mark.parametrize("implicit", [False, True])
def test_without_a_preamble(simulated, groups, tmp_path, implicit):
    path = groups((LEADS, ALL, {}))
    held = pydicom.dcmread(path)
    del held.file_meta, held.preamble
    buffer = io.BytesIO()
    held.save_as(buffer, enforce_file_format=False, implicit_vr=implicit, little_endian=True)
    path.write_bytes(buffer.getvalue())
    assert find_records(tmp_path) == [path]
    np.testing.assert_allclose(read_record(path).signal, simulated.signal, atol=TOLERANCE)


@pytest.mark.parametrize("unit", ["uVolt", "µV", "microvolts"])
def test_spellings_of_units(simulated, groups, unit):
    path = groups((LEADS, ALL, {}))
    held = pydicom.dcmread(path)
    held.SpecificCharacterSet = "ISO_IR 192"
    for channel in held.WaveformSequence[0].ChannelDefinitionSequence:
        channel.ChannelSensitivityUnitsSequence[0].CodeValue = unit
    held.save_as(path)
    np.testing.assert_allclose(read_record(path).signal, simulated.signal, atol=TOLERANCE)


def test_more_groups_than_a_recording_has_are_refused(groups):
    path = groups(*[(["II"], slice(2), {})] * 65)
    with pytest.raises(InputError, match=r"S1\.dcm: holds 65 waveforms; at most 64 are read"):
        read_record(path)


def test_a_group_with_less_data_than_it_announces_is_refused(groups):
    path = groups((LEADS, ALL, {}), (LEADS, ALL, {"NumberOfWaveformSamples": 5000}))
    with pytest.raises(InputError, match=r"S1\.dcm: is damaged or incomplete"):
        read_record(path)
