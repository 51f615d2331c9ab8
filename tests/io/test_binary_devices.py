"""SCP-ECG, ISHNE and MFER: data beside the signal, lead-off samples, and incomplete files."""

import binascii
import struct

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.device_files import write_ishne, write_mfer
from cnn_gap.simulation.vendor_files import UNIT_UV, counts, write_scp
from cnn_gap.system.errors import InputError

pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")


@pytest.fixture(scope="module")
def simulated():
    return simulate_record("S1", ["426783006"], 100.0, 10.0, seed=3)


def crc(content):
    return struct.pack("<H", binascii.crc_hqx(content, 0xFFFF))


def with_section(content, number, body):
    """Return an SCP file with one more section at its end."""
    about = struct.pack("<HIBB6x", number, 16 + len(body), 20, 20) + body
    content = bytearray(content + crc(about) + about)
    at = next(at for at in range(22, 142, 10) if struct.unpack_from("<H", content, at)[0] == number)
    struct.pack_into("<II", content, at + 2, 16 + len(body), len(content) - len(about) - 2 + 1)
    content[6:8] = crc(bytes(content[8:142]))
    struct.pack_into("<I", content, 2, len(content))
    return crc(bytes(content[2:])) + bytes(content[2:])


@pytest.mark.parametrize("number", [7, 8, 9, 10, 11])
@pytest.mark.parametrize("body", [b"", b"\0\0", b"\xff" * 40])
def test_sections_of_scp_that_say_nothing_of_the_signal(simulated, tmp_path, number, body):
    path = write_scp(tmp_path, simulated)
    expected = read_record(path).signal
    path.write_bytes(with_section(path.read_bytes(), number, body))
    np.testing.assert_array_equal(read_record(path).signal, expected)


@pytest.mark.parametrize("number", [2, 4, 5])
def test_empty_sections_of_scp_are_as_none(simulated, tmp_path, number):
    path = write_scp(tmp_path, simulated)
    expected = read_record(path).signal
    path.write_bytes(with_section(path.read_bytes(), number, b""))
    np.testing.assert_array_equal(read_record(path).signal, expected)


def test_samples_of_ishne_where_a_lead_was_off_are_not_valid(simulated, tmp_path):
    path = write_ishne(tmp_path, simulated)
    content = bytearray(path.read_bytes())
    for sample in range(100, 200):
        struct.pack_into("<h", content, 522 + 2 * (12 * sample + LEADS.index("V3")), -32768)
    path.write_bytes(content)
    record = read_record(path)
    invalid = np.isnan(record.signal)
    assert invalid[100:200, LEADS.index("V3")].all()
    assert invalid.sum() == 100


def test_an_ishne_file_with_fewer_samples_than_it_announces_says_so(simulated, tmp_path):
    path = write_ishne(tmp_path, simulated)
    content = path.read_bytes()
    path.write_bytes(content[: 522 + 24 * 600])
    assert read_record(path).notes == ("the file announces 1000 samples and holds 600",)
    path.write_bytes(content[: 522 + 24 * 600 + 4])
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_record(path)


def test_a_wrong_checksum_of_ishne_is_refused(simulated, tmp_path):
    path = write_ishne(tmp_path, simulated)
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_record(path)


def test_mfer_in_the_other_order_of_bytes(simulated, tmp_path):
    path = write_mfer(tmp_path, simulated)
    definitions = bytes([0x40, 32]) + b"MFR Standard 12 leads ECG".ljust(32) + b"\x01\x01\x00"
    definitions += b"\x0b\x06" + struct.pack(">Bbi", 0, 0, 100) + b"\x0c\x06" + struct.pack(">Bbi", 0, -7, 25)
    definitions += b"\x04\x04" + struct.pack(">I", 1) + b"\x05\x01\x02" + b"\x0a\x01\x00"
    for number, code in enumerate((1, 2)):
        definitions += bytes([0x3F, number, 4, 0x09, 2]) + struct.pack(">H", code)
    data = counts(simulated)[:, :2].astype(">i2").tobytes()
    path.write_bytes(definitions + b"\x1e\x84" + struct.pack(">I", len(data)) + data + b"\x80\x00")
    record = read_record(path)
    np.testing.assert_allclose(record.signal[:, :2], counts(simulated)[:, :2] * UNIT_UV / 1000, atol=1e-6)


def test_mfer_of_more_frames_than_a_day_has(simulated, tmp_path):
    path = write_mfer(tmp_path, simulated)
    start = path.read_bytes()[:34] + b"\x01\x01\x01\x04\x01\x01\x05\x01\x01"
    path.write_bytes(start + b"\x1e\x02\x01\x01" * 10_001)
    with pytest.raises(InputError, match="holds 10001 frames; at most 10000 are read"):
        read_record(path)


def test_mfer_that_announces_more_than_it_holds(simulated, tmp_path):
    path = write_mfer(tmp_path, simulated)
    content = path.read_bytes()
    path.write_bytes(
        content.replace(b"\x04\x04" + struct.pack("<I", 1000), b"\x04\x04" + struct.pack("<I", 10**9))
    )
    with pytest.raises(InputError, match="announces more samples than its data hold"):
        read_record(path)
    path.write_bytes(content[:-1000])
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_record(path)
