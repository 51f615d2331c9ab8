"""Damaged and malicious files: an error that names the file, and no memory taken."""

import base64
import io
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnn_gap.io.formats.sierra import unpacked_size
from cnn_gap.io.records import read_record
from cnn_gap.io.registry import FORMATS, MIB
from cnn_gap.io.sources import find_records
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import FAMILY_NAME
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
DEVICES = [form.name for form in FORMATS if form.needs == "content"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The file of a record of 250 samples in each format."""
    simulated = simulate_record("S1", ["426783006"], 50.0, 5.0, seed=3)
    return {name: write(tmp_path_factory.mktemp("short"), simulated) for name, write in WRITERS.items()}


def refused(path, content, *words):
    """Require an error of one line that names the file and the words."""
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_record(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", DEVICES)
def test_truncated_files_are_refused(files, tmp_path, name):
    content = files[name].read_bytes()
    for share in (0.3, 0.6, 0.95):
        refused(tmp_path / files[name].name, content[: int(len(content) * share)])


@pytest.mark.parametrize("name", DEVICES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files_are_read_or_refused(files, tmp_path, name, data):
    content = bytearray(files[name].read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 3000) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / files[name].name
    path.write_bytes(content)
    try:
        assert read_record(path).signal.shape[1] == 12
    except InputError as error:
        assert str(path) in str(error)
        assert FAMILY_NAME not in str(error)


def test_what_is_no_record(tmp_path):
    refused(tmp_path / "a.dcm", b"", "is empty")
    refused(tmp_path / "a.dcm", b"\x89PNG nonsense", "a format that is not known", "DICOM, GE MUSE XML")
    refused(tmp_path / "a.xml", b"<svg/>", "is XML of an unknown kind (root svg)")
    assert find_records(tmp_path) == [tmp_path / "a.dcm", tmp_path / "a.xml"]  # so that they are named


def test_files_that_are_too_large(tmp_path, files):
    path = tmp_path / "S1.scp"
    large = files["SCP-ECG"].read_bytes() + bytes(4 * MIB)
    refused(path, large, "too large", "at most 4 MiB", "received 5 MiB")
    with path.open("r+b") as file:
        file.write(files["EDF"].read_bytes())
        file.truncate(256 * MIB + 1)  # which takes no space
    with pytest.raises(InputError, match="at most 256 MiB"):
        read_record(path)


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("GE MUSE XML", "RestingECG"),
        ("Philips Sierra XML", "restingecgdata"),
        ("HL7 aECG", "AnnotatedECG"),
        ("GE CardioSoft XML", "CardiologyXML"),
        ("Schiller XML", "com.xiriuz.sema.xml.schillerEDI.SchillerEDI"),
        ("Mortara ELI XML", "ECG"),
    ],
)
@pytest.mark.parametrize(
    "entity", ['<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">', '<!ENTITY a SYSTEM "file:///etc/passwd">']
)
def test_entities_are_not_expanded(files, tmp_path, name, root, entity):
    text = files[name].read_text().replace('<!DOCTYPE RestingECG SYSTEM "restecg.dtd">', "")
    text = text.replace(f"<{root}", f"<!DOCTYPE {root} [{entity}]><{root}", 1)
    refused(tmp_path / "S1.xml", text.encode(), "declares XML entities")


def test_edf_that_is_not_supported(files, tmp_path):
    path, content = tmp_path / "S1.edf", files["EDF"].read_bytes()
    gap = content.replace(b"EDF+C", b"EDF+D").replace(b"+2\x14", b"+3\x14")
    refused(path, gap, "discontinuous EDF (EDF+D) with gaps")
    refused(path, content[:236] + b"-1      " + content[244:], "incomplete")
    refused(path, content.replace(b"uV  ", b"mmHg"), "lead ECG I has no unit of voltage; its unit is mmHg")


def test_scp_with_a_wrong_checksum(files, tmp_path):
    content = bytearray(files["SCP-ECG"].read_bytes())
    content[-5] ^= 1
    refused(tmp_path / "S1.scp", bytes(content), "damaged")


def test_dicom_without_a_waveform_and_compressed(files, tmp_path):
    import pydicom

    image, deflated = tmp_path / "image.dcm", tmp_path / "deflated.dcm"
    content = pydicom.dcmread(files["DICOM"])
    content.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian
    content.save_as(deflated, enforce_file_format=True)
    refused(deflated, deflated.read_bytes(), "deflated", "not supported")
    content = pydicom.dcmread(files["DICOM"])
    del content.WaveformSequence
    content.save_as(image, enforce_file_format=True)
    refused(image, image.read_bytes(), "DICOM without a waveform (12-lead ECG")


def test_a_damaged_kind_of_dicom_is_not_told(files, tmp_path):
    import pydicom

    held = pydicom.dcmread(files["DICOM"])
    del held.WaveformSequence
    held["SOPClassUID"]._value = pydicom.uid.UID("1.2 Mustermann", validation_mode=0)
    held.save_as(tmp_path / "S1.dcm")
    with pytest.raises(InputError, match="without a waveform") as caught:
        read_record(tmp_path / "S1.dcm")
    assert "Mustermann" not in str(caught.value)


def codes_of_10_bits(codes):
    bits = "".join(f"{code:010b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize(
    "codes",
    [
        [65, 66, 256, 258, 1023, 65],
        [7, 256, 257, 258, 300, 258],
        [*range(1023), 1022, 5, 1022],
    ],
)
def test_the_unpacked_size_is_what_the_decoder_makes(codes):
    from ecgdatakit.parsing.codecs.lzw import LzwDecoder

    packed = codes_of_10_bits(codes)
    assert unpacked_size(packed, 10**9) == len(LzwDecoder(packed, 10).read_all())
    assert unpacked_size(packed, 3) > 3


#: Code that reads each file of a folder with 2 GB more of address space than it holds, and prints the outcome.
BOUNDED = """
import resource, sys
from pathlib import Path
import cnn_gap.io.vendor, ecgdatakit.parsing.parser, pydicom
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.io.registry import FORMATS, MIB

ecgdatakit.parsing.parser._discover()
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 2_000_000_000,) * 2)
for path in find_records(Path(sys.argv[1])):
    try:
        read_record(path)
        print(path.name, "was read")
    except Exception as error:
        print(path.name, type(error).__name__, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's limits on memory")
def test_bombs_take_no_memory(files, tmp_path):
    write_bombs(tmp_path, files)
    arguments = [sys.executable, "-c", BOUNDED, str(tmp_path)]
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    said = dict(line.split(" ", 1) for line in ended.stdout.splitlines())
    assert set(said) == {path.name for path in find_records(tmp_path)}, ended.stderr
    for name, words in said.items():
        # A DICOM element that is longer than the file ends with the file, and its samples may be enough.
        assert words.startswith("InputError") or name == "length.dcm", (name, words)
        assert "MemoryError" not in words, (name, words)
    assert "would take more than 32 MiB" in said["run.xml"]
    assert "more than its data hold" in said["counts.scp"]
    assert "too many XML tags" in said["many.xml"]


def write_bombs(folder, files):
    """Write files that announce, or would become, gigabytes."""
    text = files["Philips Sierra XML"].read_text()
    start, end = text.index(">", text.index("<parsedwaveforms")) + 1, text.index("</parsedwaveforms")
    run = codes_of_10_bits([0, *range(256, 1023), 0]) + codes_of_10_bits([1022] * 4) * 2_000_000
    chunk = len(run).to_bytes(4, "little") + bytes(4) + run
    text = text[:start] + base64.b64encode(chunk).decode() + text[end:]
    text = text.replace('compressflag="False"', 'compressflag="True" compression="XLI"')
    (folder / "run.xml").write_text(text)
    scp = bytearray(files["SCP-ECG"].read_bytes())
    at = scp.index((1).to_bytes(4, "little") + (250).to_bytes(4, "little"))
    scp[at + 4 : at + 8] = (2**31).to_bytes(4, "little")
    (folder / "counts.scp").write_bytes(scp)
    dicom = files["DICOM"].read_bytes()
    at = dicom.index(b"\x00\x54\x10\x10OW") + 8
    (folder / "length.dcm").write_bytes(dicom[:at] + b"\xf0\xff\xff\xff" + dicom[at + 4 :])
    edf = files["EDF"].read_bytes()
    (folder / "many.edf").write_bytes(edf[:236] + b"99999999" + edf[244:])
    npy = io.BytesIO()
    np.lib.format.write_array_header_1_0(npy, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 12)})
    (folder / "wide.npy").write_bytes(npy.getvalue())
    (folder / "wide.json").write_text('{"sampling_rate": 500}')
    (folder / "nested.xml").write_text("<RestingECG>" + "<a>" * 140_000 + "</a>" * 140_000 + "</RestingECG>")
    (folder / "deep.xml").write_text("<AnnotatedECG>" + "<a>" * 9_000_000 + "</AnnotatedECG>")
    (folder / "many.xml").write_text("<restingecgdata>" + "<a/>" * 7_000_000 + "</restingecgdata>")
