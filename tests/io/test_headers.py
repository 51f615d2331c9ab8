"""Headers as data sets write them, and as they should not."""

import math
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnn_gap.io.headers import Header, HeaderLead, HeaderSegment, parse_header, read_header
from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError


def header_of(first="A1 1 500 5000", lead="A1.mat 16+24 1000/mV 16 0 0 0 0 I", comments=""):
    return parse_header(f"{first}\n{lead}\n{comments}", "A1.hea")


def test_challenge_header_is_read_whole():
    text = (
        "A0001 2 500 7500 12-May-2020 12:33:59\n"
        "A0001.mat 16+24 1000/mV 16 0 28 -1716 0 I\n"
        "A0001.mat 16+24 500(-3)/mV 16 7 7 2029 0 V6\n"
        "#Age: 74\n#Sex: Male\n#Dx: 59118001,164889003\n#Rx: Unknown\n"
    )
    assert parse_header(text, "A0001.hea") == Header(
        "A0001",
        500.0,
        7500,
        (
            HeaderLead("I", "A0001.mat", "16", 1000.0, 0, 24, initial_value=28),
            HeaderLead("V6", "A0001.mat", "16", 500.0, -3, 24, initial_value=7),
        ),
        ("59118001", "164889003"),
        74.0,
        "Male",
    )


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("A1 1 500 5000 12:33:59 24/05/2020", datetime(2020, 5, 24, 12, 33, 59)),
        ("A1 1 500 5000 12:33:59.25 24/5/2020", datetime(2020, 5, 24, 12, 33, 59, 250_000)),
        ("A1 1 500 5000 24-May-2020 12:33:59", None),  # the Challenge's: the date of the file
        ("A1 1 500 5000 12:33:59", None),
        ("A1 1 500 5000 0:00:00 0/0/0", None),
        ("A1 1 500 5000 12:33:59.x 24/05/2020", None),
    ],
)
def test_the_time_of_a_recording_is_read_where_it_is_whole(line, time):
    assert header_of(line).time == time


@pytest.mark.parametrize(
    ("first", "rate", "samples"),
    [
        ("A1 1", 250.0, None),
        ("A1 1 360", 360.0, None),
        ("A1 1 500/360", 500.0, None),
        ("A1 1 500/360(10) 5000", 500.0, 5000),
        ("A1 1 257.5 5000", 257.5, 5000),
        ("A1 1 500 0", 500.0, None),
        ("A1 1 500 5000 04-Jun-2020", 500.0, 5000),
        ("A1.mat 1 500 5000 14:50:55 05/05/2020", 500.0, 5000),
        ("  A1\t1  500   5000  ", 500.0, 5000),
    ],
)
def test_first_line_has_two_to_six_fields(first, rate, samples):
    header = header_of(first)
    assert (header.sampling_rate, header.samples) == (rate, samples)


@pytest.mark.parametrize(
    ("gain", "zero", "expected"),
    [
        ("1000/mV", 0, (1000.0, 0)),
        ("1000(0)/mV", 5, (1000.0, 0)),
        ("1000.0(-12)/mv", 0, (1000.0, -12)),
        ("200", 0, (200.0, 0)),
        ("1/uV", 0, (1000.0, 0)),
        ("0.2048/µV", 0, (204.8, 0)),
        ("1e6/V", 0, (1000.0, 0)),
        ("0/mV", 0, (200.0, 0)),
        ("0(3)/uV", 0, (200.0, 3)),
        ("/mV", 0, (200.0, 0)),
        ("1000/mV", 1024, (1000.0, 1024)),
        ("-400/mV", 0, (-400.0, 0)),
    ],
)
def test_gain_is_per_millivolt(gain, zero, expected):
    lead = header_of(lead=f"A1.mat 16+24 {gain} 16 {zero} 0 0 0 I").leads[0]
    assert (pytest.approx(lead.gain), lead.baseline) == expected


@pytest.mark.parametrize("unit", ["uV", "uVolt", "microvolts", "mcV", "µV", "μVolts", "UV", "mkV", "мкВ"])
def test_microvolts_in_every_spelling(unit):
    lead = header_of(lead=f"A1.mat 16 2/{unit} 16 0 0 0 0 I").leads[0]
    assert (lead.gain, lead.unit) == (2000.0, "mV")


@pytest.mark.parametrize("unit", ["adu", "mmHg", "parsec", "NU", "%"])
def test_other_units_are_kept(unit):
    lead = header_of(lead=f"A1.mat 16 50/{unit} 16 0 0 0 0 I").leads[0]
    assert (lead.gain, lead.unit) == (50.0, unit)


def test_lead_line_may_end_after_the_format():
    assert header_of(lead="A1.dat 212").leads == (HeaderLead("", "A1.dat", "212"),)


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ("16", ("16", 1, 0, 0)),
        ("16x1+24", ("16", 1, 0, 24)),
        ("212x4:3+512", ("212", 4, 3, 512)),
        ("80:2", ("80", 1, 2, 0)),
    ],
)
def test_storage_format(storage, expected):
    lead = header_of(lead=f"A1.mat {storage} 1000/mV 16 0 0 0 0 I").leads[0]
    assert (lead.storage, lead.samples_per_frame, lead.skew, lead.byte_offset) == expected


def test_lead_names_have_one_spelling():
    for lead in LEADS:
        for written in (lead.upper(), lead.lower(), lead + "  "):
            assert header_of(lead=f"A1.mat 16+24 1000/mV 16 0 0 0 0 {written}").leads[0].name == lead
    assert header_of(lead="A1.mat 16 200 12 0 0 0 0 MLII filtered").leads[0].name == "MLII filtered"


@pytest.mark.parametrize(
    ("comments", "codes"),
    [
        ("#Dx: 1,2", ("1", "2")),
        ("# Dx: 1", ("1",)),
        ("#Dx : 1", ("1",)),
        ("#DX:1", ("1",)),
        ("# dx: 2,1,,2,\t1 ,", ("2", "1")),
        ("#Dx: Unknown", ("Unknown",)),
        ("#Dx: sinus rhythm, LVH", ("sinus rhythm", "LVH")),
        ("#Dx:", ()),
        ("#Rx: 1\n#Hx: 2", ()),
        ("#Dx: 1\n#Dx: 2", ("1", "2")),
    ],
)
def test_codes(comments, codes):
    assert header_of(comments=comments).codes == codes


@pytest.mark.parametrize(
    ("written", "age"), [("57", 57), ("57.5", 57.5), ("NaN", math.nan), ("Unknown", math.nan), ("-1", math.nan)]
)
def test_age(written, age):
    assert header_of(comments=f"# Age: {written}").age == pytest.approx(age, nan_ok=True)


@pytest.mark.parametrize(
    ("written", "sex"),
    [
        ("F", "Female"),
        ("female", "Female"),
        ("M", "Male"),
        ("MALE", "Male"),
        ("Unknown", "Unknown"),
        ("", "Unknown"),
    ],
)
def test_sex(written, sex):
    assert header_of(comments=f"#Sex: {written}").sex == sex


@pytest.mark.parametrize(
    "comments",
    [
        "#<age>: 49 <sex>: M <diagnoses>: none",
        "# age: 49\n# sex: male",
        "#Age (years) = 49, Gender = M",
        "# Patient's age: 049Y\n# Patient's sex: M",
        "# 49 M 1085 1629 x1\n# Aldomet",
        "#Age = 49\n# Sex M",
        "# AGE 49Y SEX Man",
        "#sex male\n#age\t49 years",
    ],
)
def test_age_and_sex_in_dialects(comments):
    header = header_of(comments=comments)
    assert (header.age, header.sex) == (49.0, "Male")


@pytest.mark.parametrize(
    "comments",
    ["# the age of the device 12", "# Dosage 49", "# age 49 of the pacemaker, sex M", "# Sex differs"],
)
def test_other_comments_say_nothing_of_the_person(comments):
    header = header_of(comments=comments)
    assert math.isnan(header.age)
    assert header.sex == "Unknown"


@pytest.mark.parametrize(
    ("written", "age"), [("6 months", 0.5), ("018M", 1.5), ("73 days", 73 / 365.25), ("26W", 26 * 7 / 365.25)]
)
def test_ages_of_children(written, age):
    assert header_of(comments=f"#Age: {written}").age == pytest.approx(age)


@pytest.mark.parametrize("name", ["records100/00000/00001_lr", "12345/00001", "a/b/2"])
def test_a_name_may_have_slashes(name):
    header = header_of(f"{name} 1 500 5000")
    assert (header.name, header.segments) == (name, ())
    assert len(header.leads) == 1


def test_segments():
    header = parse_header("A1/3 2 500 5000\nA1_layout 0\nA1_0001 1000\n~ 4000\n#Age: 5", "A1.hea")
    assert header.segments == (
        HeaderSegment("A1_layout", 0),
        HeaderSegment("A1_0001", 1000),
        HeaderSegment("~", 4000),
    )
    assert (header.name, header.leads, header.age) == ("A1", (), 5.0)


def test_layout_of_the_text_does_not_matter(tmp_path):
    plain = header_of(comments="#Age: 60\n#Sex: F\n#Dx: 1,2")
    text = (
        "\ufeff# a comment\r\n\r\nA1 1 500 5000  \r\n\r\n# another\r\n"
        "A1.mat 16+24 1000/mV 16 0 0 0 0 I \r\n\r\n#Age: 60 \r\n#Sex: F\r\n#Dx: 1,2 \r\n"
    )
    (tmp_path / "A1.hea").write_bytes(text.encode())
    assert read_header(tmp_path / "A1.hea") == plain
    (tmp_path / "A1.hea").write_bytes(text.lstrip("\ufeff").replace("another", "Müller").encode("latin-1"))
    assert read_header(tmp_path / "A1.hea") == plain


def test_record_is_named_after_its_file(tmp_path):
    (tmp_path / "E1.hea").write_text("E07938.mat 1 500 5000\nE07938.mat 16+24 1000/mV 16 0 0 0 0 I\n#Age: 5\n")
    parsed = parse_header((tmp_path / "E1.hea").read_text(), "E1")
    assert parsed.name == "E07938.mat"
    assert read_header(tmp_path / "E1.hea") == replace(parsed, name="E1")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("#Dx: 1\n", "empty"),
        ("A1\n", "number of leads"),
        ("A1 0 500 5000\n", "no leads"),
        ("A1 -2 500 5000\n", "no leads"),
        ("A1 two 500 5000\n", "number of leads"),
        ("A1 2 500 5000\nA1.mat 16+24\n", "announces 2 leads and describes 1"),
        ("A1 1 0 5000\nA1.mat 16+24\n", "0 Hz"),
        ("A1 1 -500 5000\nA1.mat 16+24\n", "-500 Hz"),
        ("A1 1 1e9 5000\nA1.mat 16+24\n", "1e[+]09 Hz"),
        ("A1 1 nan 5000\nA1.mat 16+24\n", "sampling rate is not a number"),
        ("A1 1 500 -3\nA1.mat 16+24\n", "negative"),
        ("A1 1 500 many\nA1.mat 16+24\n", "number of samples"),
        ("A1 1 500 5000\nA1.mat\n", "storage format"),
        ("A1 1 500 5000\nA1.mat int16\n", "storage format"),
        ("A1 1 500 5000\nA1.mat 16 x/mV\n", "gain"),
        ("A1 1 500 5000\nA1.mat 16 inf/mV\n", "gain"),
        ("A1 1 500 5000\nA1.mat 16 1(x)/mV\n", "baseline"),
        ("A1 1 500 5000\nA1.mat 16 1((0)/mV\n", "baseline"),
        ("A1/3 12 500 5000\nA1 1000\n", "announces 3 segments and describes 1"),
        ("MATLAB\0 5.0", "binary"),
    ],
)
def test_unreadable_header_is_one_clear_line(text, reason):
    with pytest.raises(InputError, match=reason) as caught:
        parse_header(text, "folder/A1.hea")
    assert str(caught.value).startswith("folder/A1.hea: ")
    assert "\n" not in str(caught.value)


def test_missing_header(tmp_path):
    with pytest.raises(InputError, match=r"none\.hea"):
        read_header(tmp_path / "none.hea")


PIECES = ("A1", "1", "2", "0", "-1", "500", "1e400", "nan", "inf", "9" * 30, "16", "16x1+24", "16:2", "I", ",")
FIELDS = st.sampled_from((*PIECES, "1000/mV", "1(2)/uV", "1e-320", "(", "/", "#Dx:", "#Age:"))


@given(st.one_of(st.text(), st.lists(st.lists(FIELDS).map(" ".join)).map("\n".join)))
def test_any_text_is_a_header_or_an_input_error(text):
    try:
        header = parse_header(text, "A1.hea")
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert header.leads or header.segments
        assert 1 <= header.sampling_rate <= 100_000
        assert all(math.isfinite(lead.gain) and lead.gain for lead in header.leads)
