"""Tables in text: rdsamp's, MUSE's, with units, decimal commas, and sidecars that disagree."""

import json

import numpy as np
import pytest

from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.system.errors import InputError

VALUES = np.array([[0.1, 0.2, 0.5], [0.3, 0.5, 0.25], [-1.0, 0.0, 0.125]])
MILLIVOLTS = {"sampling_rate": 100, "unit": "mV"}


def read_text(folder, text, about=MILLIVOLTS, name="A.csv", encoding="utf-8"):
    path = folder / name
    path.with_suffix(".json").write_text(json.dumps(about))
    path.write_bytes(text.encode(encoding))
    return read_record(path)


def rows(separator=",", point="."):
    return "\n".join(separator.join(f"{value:.3f}".replace(".", point) for value in row) for row in VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "I,II,V1\n" + rows(),
        "'I','II','V1'\n'mV','mV','mV'\n" + rows(),
        '"I";"II";"V1"\n' + rows(";", ","),
        "I\tII\tV1\n" + rows("\t"),
        "I II V1\n" + rows(" "),
        "  I   II   V1\n\n" + rows("   "),
        "\ufeffI,II,V1\r\n" + rows().replace("\n", "\r\n") + "\r\n",
        "DI,DII,C1\n" + rows(),
        "I (mV),II [mV],V1 (mV)\n" + rows(),
        "   I\t    II\t    V1\n  (mV)\t  (mV)\t  (mV)\n" + rows("\t"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_dialects(tmp_path, text, encoding):
    record = read_text(tmp_path, text, encoding=encoding)
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], VALUES, atol=1e-6)
    assert record.notes == ()


def test_rdsamp_and_its_units(tmp_path):
    lines = [f"'0:00.0{index}0',{row}" for index, row in enumerate(rows().splitlines())]
    text = "'Elapsed time','I','II','V1'\n'hh:mm:ss.mmm','mV','uV','V'\n" + "\n".join(lines) + "\n"
    record = read_text(tmp_path, text)
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], VALUES * [1, 1e-3, 1e3], rtol=1e-6)
    assert record.notes == ("left out, as none of the twelve leads: Elapsed time",)


def test_samples_that_are_not_valid(tmp_path):
    record = read_text(tmp_path, "I,II,V1\n" + rows() + "\n-,0.1,\nnan,0.1,-\n")
    assert np.isnan(record.signal[3:, [0, 6]]).all()
    assert np.isfinite(record.signal[:3, [0, 1, 6]]).all()


def test_a_unit_that_is_no_voltage_is_refused(tmp_path):
    with pytest.raises(InputError, match="the unit must be one of nV, uV, mV, V; received 'adu'"):
        read_text(tmp_path, "I,II,V1\nmV,mV,adu\n" + rows())


def test_rdsamps_stored_values_are_refused_by_their_unit(tmp_path):
    text = "'sample #','I','II','V1'\n'sample #','adu','adu','adu'\n0,12,13,14\n"
    with pytest.raises(InputError, match=r"A\.csv: the unit must be one of nV, uV, mV, V; received 'adu'"):
        read_text(tmp_path, text)


@pytest.mark.parametrize("missing", ["-,-,-", "NA,NA,NA", "nan,nan,nan"])
def test_a_first_sample_that_is_missing_is_no_line_of_units(tmp_path, missing):
    record = read_text(tmp_path, f"I,II,V1\n{missing}\n" + rows())
    assert np.isnan(record.signal[0, 0])
    np.testing.assert_allclose(record.signal[1:, [0, 1, 6]], VALUES)


def test_a_text_with_fewer_samples_than_it_announces_is_refused(tmp_path):
    text = "\nRhythm signal: 4 X 3\n\n" + rows(" ")
    with pytest.raises(InputError, match=r"A\.txt: is truncated; holds 3 of 4 samples; export it again"):
        read_text(tmp_path, text, {**MILLIVOLTS, "leads": ["I", "II", "V1"]}, name="A.txt")


def test_the_text_that_muse_exports(tmp_path):
    about = MILLIVOLTS | {"leads": ["I", "II", "V1"]}
    text = f"\r\n\r\nRhythm signal: 3 X 3 \r\n\r\n{rows(' ')} \r\n\r\nMedian signal: 1 X 3\r\n\r\n9 9 9\r\n"
    record = read_text(tmp_path, text, about, "A.txt")
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], VALUES, atol=1e-6)


def test_the_names_of_the_file_count_more_than_its_sidecars(tmp_path):
    about = MILLIVOLTS | {"leads": ["I", "V1", "II"]}
    record = read_text(tmp_path, "I,II,V1\n" + rows(), about)
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], VALUES, atol=1e-6)
    assert record.notes == ("the file's own names of leads count, which its sidecar contradicts",)
    told_alike = read_text(tmp_path, "I,II,V1\n" + rows(), MILLIVOLTS | {"leads": ["DI", "ii", "C1"]})
    assert told_alike.notes == ()


def test_a_heading_that_names_no_lead_leaves_it_to_the_sidecar(tmp_path):
    record = read_text(tmp_path, "ch1,ch2,ch3\n" + rows(), MILLIVOLTS | {"leads": ["I", "II", "V1"]})
    np.testing.assert_allclose(record.signal[:, [0, 1, 6]], VALUES, atol=1e-6)


def test_an_index_of_parquet_is_no_lead(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(VALUES, columns=["I", "II", "V1"])
    for number, index in enumerate((["a", "b", "c"], [0.0, 0.01, 0.02], frame.index)):
        path = tmp_path / f"{number}.parquet"
        frame.set_index(pandas.Index(index, name="time")).to_parquet(path)
        path.with_suffix(".json").write_text(json.dumps(MILLIVOLTS))
        np.testing.assert_allclose(read_record(path).signal[:, [0, 1, 6]], VALUES, atol=1e-6)


def test_a_table_of_too_many_columns_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"A\.csv: has 5000 columns; at most 1000 are read"):
        read_text(tmp_path, ",".join(["1"] * 5000))


def test_text_is_found_beside_its_sidecar_alone(tmp_path):
    (tmp_path / "README.txt").write_text("no record")
    (tmp_path / "signals.json").write_text(json.dumps(MILLIVOLTS))
    for name in ("A.txt", "B.tsv"):
        (tmp_path / name).write_text("I,II,V1\n" + rows())
    (tmp_path / "A.json").write_text(json.dumps(MILLIVOLTS))
    assert [path.name for path in find_records(tmp_path)] == ["A.txt", "B.tsv"]
