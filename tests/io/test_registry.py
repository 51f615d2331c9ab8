"""Every format: the same record as WFDB's, compared with other readers where there are any."""

import shutil
import sys
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest

from cnn_gap.classifier import load_classifier
from cnn_gap.io.records import read_info, read_record
from cnn_gap.io.registry import FORMATS, START_BYTES, recognise, record_name
from cnn_gap.io.sources import find_records
from cnn_gap.io.xml_files import xml_root
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.vendor_files import FAMILY_NAME, GIVEN_NAME, RECORDED, UNIT_UV, counts
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
pydicom = pytest.importorskip("pydicom", reason="pip install cnn-gap[formats]")

DEVICES = [form.name for form in FORMATS if form.needs == "content"]


@pytest.fixture(scope="module")
def simulated():
    return simulate_record("S1", ["164889003"], 500.0, 10.0, seed=3)


@pytest.fixture(scope="module")
def files(simulated, tmp_path_factory):
    """The file of the record in each format, in a folder of its own."""
    paths = {}
    for name, write in WRITERS.items():
        paths[name] = write(tmp_path_factory.mktemp("format"), simulated)
    return paths


def test_there_is_a_writer_for_each_format_and_its_file_is_recognised(files):
    assert set(files) == {form.name for form in FORMATS if form.needs != "name"}
    for name, path in files.items():
        form = recognise(path.read_bytes()[:START_BYTES])
        assert name == form.name


@pytest.mark.parametrize("name", WRITERS)
def test_amplitudes_leads_and_the_patient(files, simulated, name):
    record = read_record(files[name])
    # MUSE stores eight leads; the others are sums of two that were rounded.
    units = 1.01 if name == "GE MUSE XML" else 0.501
    np.testing.assert_allclose(record.signal, simulated.signal, atol=units * UNIT_UV / 1000)
    assert record.leads.all()
    assert (record.name, record.sampling_rate, record.sex) == ("S1", 500, simulated.sex)
    assert record.age == simulated.age or name == "EDF"  # which has the day of birth
    assert record.time == (RECORDED if name in DEVICES else None)
    for word in (FAMILY_NAME, GIVEN_NAME, "4711"):
        assert word not in f"{record.notes}{record.device}{record.name}{record!r}"


@pytest.mark.parametrize("name", WRITERS)
def test_records_of_each_format_are_found_with_their_properties(files, name):
    assert find_records(files[name].parent) == [files[name]]
    info = read_info(files[name])
    assert (info.path, info.name, info.sampling_rate, info.samples) == (files[name], "S1", 500, 5000)


def test_the_name_of_a_record_is_without_the_suffix_of_its_format():
    for form in FORMATS:
        for suffix in form.suffixes:
            assert (
                record_name(Path(f"folder/A.1{suffix}")) == record_name(Path(f"A.1{suffix.upper()}")) == "A.1"
            )
    assert record_name(Path("1.2.840.99")) == "1.2.840.99"


def test_probabilities_are_those_of_wfdb(files, simulated, model, tmp_path):
    write_simulated(tmp_path, simulated)
    classifier = load_classifier(model)
    expected = classifier.predict(tmp_path / "S1").probabilities
    predictions = classifier.predict_batch(files.values())
    assert [each.failure for each in predictions] == [""] * len(files)
    for prediction in predictions:
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-3)


def test_the_content_tells_the_format_whatever_the_name(files, tmp_path):
    shutil.copy(files["DICOM"], tmp_path / "1.2.840.99.1")
    shutil.copy(files["SCP-ECG"], tmp_path / "export.bin")
    shutil.copy(files["HL7 aECG"], tmp_path / "wrong.dcm")
    (tmp_path / "notes").write_text("no record")
    (tmp_path / "table.csv").write_text("no record")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    found = find_records(tmp_path)
    assert [path.name for path in found] == ["1.2.840.99.1", "export.bin", "wrong.dcm"]
    assert [read_record(path).name for path in found] == ["1.2.840.99.1", "export.bin", "wrong"]


def test_a_header_comes_before_a_file_without_an_extension(simulated, tmp_path):
    write_simulated(tmp_path, simulated)
    (tmp_path / "S1").write_text("something else")
    assert read_record(tmp_path / "S1").sampling_rate == 500


def test_dicom_as_pydicom_reads_it():
    path = Path(pydicom.__file__).parent / "data" / "test_files" / "waveform_ecg.dcm"
    if not path.is_file():
        pytest.skip("this pydicom has no waveform_ecg.dcm")
    record = read_record(path)
    expected = pydicom.dcmread(path).waveform_array(0) / 1000  # µV
    assert (record.sampling_rate, record.leads.all(), record.notes) == (1000, True, ())
    np.testing.assert_allclose(record.signal, expected, atol=1e-5)


def test_edf_as_pyedflib_reads_it(files):
    pyedflib = pytest.importorskip("pyedflib")
    with pyedflib.EdfReader(str(files["EDF"])) as file:
        assert [label.removeprefix("ECG ") for label in file.getSignalLabels()] == list(LEADS)
        expected = np.stack([file.readSignal(number) for number in range(12)], axis=1) / 1000
    np.testing.assert_allclose(read_record(files["EDF"]).signal, expected, atol=1e-5)


def test_an_edf_without_ecg_names_its_leads():
    pyedflib = pytest.importorskip("pyedflib")
    path = Path(pyedflib.__file__).parent / "data" / "test_generator.edf"
    if not path.is_file():
        pytest.skip("this pyEDFlib has no test_generator.edf")
    with pytest.raises(InputError, match=r"test_generator\.edf: has none of the twelve leads; its .* are squ"):
        read_record(path)


def test_compressed_sierra_as_sierraecg_reads_it(files, simulated, tmp_path):
    sierraecg = pytest.importorskip("sierraecg")
    path = tmp_path / "S1.xml"
    text = files["Philips Sierra XML"].read_text()
    start, end = text.index(">", text.index("<parsedwaveforms")) + 1, text.index("</parsedwaveforms")
    text = text[:start] + packed(counts(simulated)) + text[end:]
    path.write_text(text.replace('compressflag="False"', 'compressflag="True" compression="XLI"'))
    expected = np.stack([lead.samples for lead in sierraecg.read_file(str(path)).leads], axis=1)
    np.testing.assert_array_equal(expected, counts(simulated))
    np.testing.assert_allclose(read_record(path).signal, expected * UNIT_UV / 1000, atol=1e-5)


def packed(values):
    """Return counts of twelve leads as XLI, in base64."""
    lead_i, lead_ii, lead_iii, *augmented = values.T[:6].astype(int)
    halves = (-((lead_i + lead_ii) // 2), (lead_i - lead_iii) // 2, (lead_ii + lead_iii) // 2)
    rests = [half - lead for half, lead in zip(halves, augmented, strict=True)]
    stored = [lead_i, lead_ii, lead_ii - lead_i - lead_iii, *rests, *values.T[6:].astype(int)]
    return b64encode(b"".join(map(xli_chunk, stored))).decode()


def xli_chunk(samples):
    """Return one lead's samples as second differences, their bytes apart, LZW in codes of 10 bits."""
    differences = 2 * samples[1:-1] - samples[:-2] - samples[2:]
    codes = np.concatenate([samples[:2], differences[1:] + 64, [0]]).astype(">i2").tobytes()
    body = lzw(codes[::2] + codes[1::2])
    first = int(differences[0]).to_bytes(2, "little", signed=True)
    return len(body).to_bytes(4, "little") + b"\0\0" + first + body


def lzw(content):
    """Return bytes compressed as T. Welch does, with 1023 strings at most."""
    strings = {bytes([value]): value for value in range(256)}
    codes, held = [], b""
    for value in content:
        byte = bytes([value])
        if held + byte in strings:
            held += byte
            continue
        codes.append(strings[held])
        if len(strings) <= 1022:
            strings[held + byte] = len(strings)
        held = byte
    bits = "".join(f"{code:010b}" for code in [*codes, strings[held], 1023])
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize(
    ("unit", "scale"), [("nV", UNIT_UV * 1e3), ("uV", UNIT_UV), ("mV", UNIT_UV / 1e3), ("V", UNIT_UV / 1e6)]
)
def test_units_of_aecg(files, tmp_path, unit, scale):
    text = files["HL7 aECG"].read_text()
    text = text.replace(f'<scale value="{UNIT_UV}" unit="uV"/>', f'<scale value="{scale}" unit="{unit}"/>')
    text = text.replace('<origin value="0" unit="uV"', f'<origin value="0" unit="{unit}"')
    (tmp_path / "S1.xml").write_text(text)
    expected = read_record(files["HL7 aECG"]).signal
    np.testing.assert_allclose(read_record(tmp_path / "S1.xml").signal, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["DICOM", "HL7 aECG"])
def test_rates_that_are_no_whole_numbers(tmp_path, name):
    simulated = simulate_record("S1", ["426783006"], 257.25, 8.0, seed=1)
    assert read_record(WRITERS[name](tmp_path, simulated)).sampling_rate == pytest.approx(257.25)


def test_xml_in_utf_16(files, tmp_path):
    text = files["Philips Sierra XML"].read_text().replace("UTF-8", "UTF-16")
    (tmp_path / "S1.xml").write_bytes(text.encode("utf-16"))
    assert read_record(tmp_path / "S1.xml").leads.all()


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("<a/>", "a"),
        ('\ufeff<?xml version="1.0"?>\n<!-- <b> --><n:a x="1">', "a"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>', "a"),
        ("text <a>", None),
        ("", None),
        ("<!-- never closed", None),
    ],
)
def test_the_root_of_xml(text, root):
    assert xml_root(text.encode()) == root


def test_without_the_extra_the_error_says_what_to_install(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "ecgdatakit", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"S1\.dcm: is DICOM; pip install cnn-gap\[formats\] to read it"):
        read_record(files["DICOM"])
    with pytest.raises(InputError, match=r"S1\.parquet: is Parquet; pip install cnn-gap\[formats\]"):
        read_record(files["Parquet"])
