"""XML as devices write it: encodings, namespaces, comments, several waveforms, and wrong files."""

import re

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.io.xml_files import parse_xml, xml_root
from cnn_gap.leads import LEADS
from cnn_gap.simulation import simulate_record
from cnn_gap.simulation.vendor_files import FAMILY_NAME, UNIT_UV
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError

pytest.importorskip("ecgdatakit", reason="pip install cnn-gap[formats]")
XML = [name for name, write in WRITERS.items() if "XML" in name or name == "HL7 aECG"]


@pytest.fixture(scope="module")
def simulated():
    return simulate_record("S1", ["426783006"], 100.0, 10.0, seed=3)


@pytest.fixture(scope="module")
def files(simulated, tmp_path_factory):
    return {name: WRITERS[name](tmp_path_factory.mktemp("xml"), simulated) for name in XML}


def declared(text, encoding):
    """Return a file's text with another encoding in its declaration."""
    end = text.index("?>")
    return f'<?xml version="1.0" encoding="{encoding}"?>' + text[end + 2 :]


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize(
    ("says", "encoding", "patient"),
    [
        ("UTF-8", "latin-1", "Müstermann"),
        ("UTF-8", "cp1252", "Mu\u0308stermann\u2019s".replace("u\u0308", "ü")),
        ("ISO-8859-1", "latin-1", "Müstermann"),
        ("ISO-8859-2", "iso8859-2", "Šimková"),
        ("windows-1251", "cp1251", "Иванова"),
        ("GB2312", "gb2312", "张"),
        ("GB2312", "gbk", "張"),
        ("GB18030", "gb18030", "张"),
        ("Big5", "big5", "張"),
        ("Shift_JIS", "cp932", "髙橋①"),
        ("EUC-JP", "euc_jp", "山田"),
        ("EUC-KR", "cp949", "김"),
        ("UTF-16", "utf-16", "Müstermann"),
        ("UTF-16", "utf-16-le", "Müstermann"),
        ("UTF-8", "utf-8-sig", "Müstermann"),
        ("unknown-1", "utf-8", "Müstermann"),
        ("punycode", "utf-8", "Müstermann"),
    ],
)
def test_encodings(files, tmp_path, name, says, encoding, patient):
    text = declared(files[name].read_text(), says).replace(FAMILY_NAME, patient)
    (tmp_path / "S1.xml").write_bytes(text.encode(encoding))
    record = read_record(tmp_path / "S1.xml")
    np.testing.assert_array_equal(record.signal, read_record(files[name]).signal)


@pytest.mark.parametrize("name", XML)
def test_a_prefix_of_the_namespace_and_long_comments(files, tmp_path, name):
    text = files[name].read_text()
    start = text.index("<", text.index(">", text.index("<?xml")) + 1)
    head, body = text[:start], text[start:]
    if "<!DOCTYPE" in body:
        body = body[body.index(">") + 1 :].lstrip()
    namespace = body.partition('xmlns="')[2].partition('"')[0] or "urn:x"
    body = body.replace(f' xmlns="{namespace}"', "").replace("</", "</\0").replace("<", "<n:")
    body = body.replace("<n:/\0", "</n:").replace("<n:", "<n:", 1)
    root = re.match(r"<n:[^\s>]+", body)[0]
    body = body.replace(root, f'{root} xmlns:n="{namespace}"', 1)
    (tmp_path / "S1.xml").write_text(head + "<!-- " + "long " * 4000 + "-->\n" + body)
    assert find_records(tmp_path) == [tmp_path / "S1.xml"]
    np.testing.assert_array_equal(read_record(tmp_path / "S1.xml").signal, read_record(files[name]).signal)


def test_a_comment_that_is_longer_than_what_tells_the_format(files, tmp_path):
    text = files["GE MUSE XML"].read_text()
    (tmp_path / "S1.xml").write_text(text.replace("?>", "?><!--" + "long " * 20_000 + "-->", 1))
    assert read_record(tmp_path / "S1.xml").leads.all()


def test_xml_that_declares_an_encoding_of_no_text_is_read_as_latin_1(tmp_path):
    (tmp_path / "a.xml").write_bytes(b'<?xml version="1.0" encoding="idna"?><RestingECG>\xe4</RestingECG>')
    assert parse_xml(tmp_path / "a.xml").text == "ä"
    assert xml_root(b'<?xml version="1.0" encoding="zip"?><a>') == "a"


@pytest.mark.parametrize("unit", ["uV", "uVolt", "mcV"])
def test_spellings_of_units_of_muse(files, tmp_path, unit):
    text = files["GE MUSE XML"].read_text().replace(">MICROVOLTS<", f">{unit}<")
    (tmp_path / "S1.xml").write_text(text)
    expected = read_record(files["GE MUSE XML"]).signal
    np.testing.assert_array_equal(read_record(tmp_path / "S1.xml").signal, expected)


def test_two_rhythm_waveforms_of_muse_are_joined(files, simulated, tmp_path):
    text = files["GE MUSE XML"].read_text()
    start = text.index("<Waveform><WaveformType>Rhythm")
    end = text.index("</Waveform>", start) + len("</Waveform>")
    rhythm = text[start:end]
    parts = rhythm.split("<LeadData>")
    limb = "<LeadData>".join(parts[:3]) + "</Waveform>"
    chest = "<LeadData>".join([parts[0], *parts[3:]])
    (tmp_path / "S1.xml").write_text(text[:start] + limb + chest + text[end:])
    record = read_record(tmp_path / "S1.xml")
    assert record.leads.all()
    np.testing.assert_allclose(record.signal, simulated.signal, atol=1.01 * UNIT_UV / 1000)


def test_the_full_disclosure_of_an_exercise_test(simulated, tmp_path):
    path = WRITERS["GE CardioSoft XML"](tmp_path, simulated)
    text = path.read_text()
    start, end = text.index("<StripData>"), text.index("</StripData>") + len("</StripData>")
    counts = np.rint(simulated.signal[:, [0, 1, 6]] * 1000 / UNIT_UV).astype(int)
    whole = (
        '<FullDisclosure><SampleRate units="Hz">100</SampleRate>'
        f'<Resolution units="uVperLsb">{UNIT_UV}</Resolution>'
        f"<LeadOrder>I,II,V1</LeadOrder><FullDisclosureData>{','.join(map(str, counts.ravel()))},"
        "</FullDisclosureData></FullDisclosure>"
    )
    path.write_text(text[:start] + whole + text[end:])
    record = read_record(path)
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], counts * UNIT_UV / 1000, atol=1e-5)
    assert [lead for lead, present in zip(LEADS, record.leads, strict=True) if present] == [*LEADS[:6], "V1"]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("GE CardioSoft XML", 'units="uVperLsb"', 'units="counts"', "no unit of voltage; their unit is counts"),
        ("GE CardioSoft XML", "StripData>", "Other>", "has no waveform of a resting ECG"),
        (
            "GE CardioSoft XML",
            ",</WaveformData>",
            ",a</WaveformData>",
            "one of its samples is no number",
        ),
        ("GE CardioSoft XML", '<SampleRate units="Hz">100', '<SampleRate units="Hz">?', "has no number in"),
        ("Schiller XML", "<units>UV</units>", "<units>bit</units>", "no unit of voltage; their unit is bit"),
        ("Schiller XML", "ECG_RHYTHMS", "ECG_OTHERS", "has no waveform of the type ECG_RHYTHMS"),
        ("Schiller XML", "<exponent>1<", "<exponent>2<", "its sampling rate has an exponent"),
        ("Mortara ELI XML", "UNITS_PER_MV", "UNITS", "lead I has no unit of voltage"),
    ],
)
def test_what_cannot_be_read_is_said(files, tmp_path, name, old, new, said):
    text = files[name].read_text()
    assert old in text
    (tmp_path / "S1.xml").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=said) as caught:
        read_record(tmp_path / "S1.xml")
    assert str(tmp_path / "S1.xml") in str(caught.value)
    assert FAMILY_NAME not in str(caught.value)
