"""Tables of results: whole or not there, and told from other files."""

import json
from functools import partial

import numpy as np
import pytest

from cnn_gap.results import result_table
from cnn_gap.results.result_table import ResultTable, read_result_table, rounded
from cnn_gap.system.errors import InputError

pandas = pytest.importorskip("pandas")
parquet = pytest.importorskip("pyarrow.parquet")

COLUMNS = {
    "record": str,
    "failure": str,
    "answerable": bool,
    "AF_probability": float,
    "AF_label": bool,
    "content": str,
}
ABOUT = {"format": 1, "model": "m", "classes": [{"column": "AF", "codes": ["1", "2"], "threshold": 0.5}]}


def rows(*names, failure="", probability=0.25):
    return [[name, failure, not failure, probability, probability > 0.2, "c"] for name in names]


def written(path):
    read = pandas.read_parquet if path.suffix == ".parquet" else partial(pandas.read_csv, keep_default_na=False)
    return read(path)


@pytest.fixture(params=[".parquet", ".csv"])
def path(request, tmp_path):
    return tmp_path / f"results{request.param}"


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(result_table, "GROUP_ROWS", 3)


def test_rows_of_several_groups_become_one_file(path):
    names = [f"r{number}" for number in range(7)]
    ResultTable(path, ABOUT, COLUMNS).write(iter(rows(*names)))
    assert written(path)["record"].tolist() == names
    assert {file.name for file in path.parent.iterdir()} <= {path.name, "results.json"}
    codes, results = read_result_table(path)
    assert codes == ("1", "2")
    np.testing.assert_array_equal(results["r3"][0], [True, True])
    np.testing.assert_array_equal(results["r3"][1], [0.25, 0.25])


def test_a_table_that_is_cut_off_leaves_the_earlier_one(path):
    table = ResultTable(path, ABOUT, COLUMNS)
    table.write(rows("a"))

    def interrupted():
        yield from rows("b", "c", "d", "e")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        table.write(interrupted())
    assert written(path)["record"].tolist() == ["a"]
    assert {file.name for file in path.parent.iterdir()} <= {path.name, "results.json"}


def test_failures_and_numbers_are_read_back(path):
    bad = rows("b", failure='bad, "very"', probability=float("nan"))
    ResultTable(path, ABOUT, COLUMNS).write([*rows("a", probability=1 / 3), *bad])
    results = read_result_table(path)[1]
    assert np.isnan(results["b"][1]).all()
    assert results["a"][1][0] == 1 / 3
    assert written(path)["failure"].tolist() == ["", 'bad, "very"']


def test_missing_numbers_and_texts_are_missing_and_whole_numbers_stay_whole(path):
    columns = {"record": str, "sex": str, "rate": int, "p": float}
    rows_of = [["a", "Female", 71, 0.5], ["b", None, None, float("nan")]]
    ResultTable(path, ABOUT, columns).write(rows_of)
    frame = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)
    assert (frame["rate"][0], frame["p"][0]) == (71, 0.5)
    assert frame.loc[1, ["sex", "rate", "p"]].isna().all()
    if path.suffix == ".parquet":
        assert parquet.read_table(path).column("p").null_count == 1
    else:
        assert path.read_text().splitlines()[1:] == ['"a","Female",71,0.5', '"b",,,']


def test_a_table_without_the_outputs_of_the_network_says_what_to_do(path):
    ResultTable(path, ABOUT | {"raw": False}, COLUMNS).write(rows("a"))
    with pytest.raises(InputError, match="write it with drive --table --raw"):
        read_result_table(path)


def test_only_a_table_is_replaced_by_a_table(path):
    table = ResultTable(path, ABOUT, COLUMNS)
    table.require_replaceable()
    table.write(rows("a"))
    table.require_replaceable()
    if path.suffix == ".csv":
        note = path.with_suffix(".json")
        note.write_text('{"sampling_rate": 500}')
        with pytest.raises(InputError, match=r"results\.json: is not the note of a table"):
            table.require_replaceable()
        note.unlink()
    path.write_bytes(b"PAR1 mine PAR1")
    with pytest.raises(InputError, match=r"is not a table of results and stays as it is"):
        table.require_replaceable()


def test_the_metadata_says_what_the_columns_mean(tmp_path):
    ResultTable(tmp_path / "r.parquet", ABOUT, COLUMNS).write([])
    held = parquet.read_schema(tmp_path / "r.parquet").metadata[b"cnn_gap"]
    assert json.loads(held) == ABOUT
    assert read_result_table(tmp_path / "r.parquet") == (("1", "2"), {})


def test_names_that_are_no_unicode(path):
    name = b"lat\xe9in".decode("utf-8", "surrogateescape")
    ResultTable(path, ABOUT, COLUMNS).write(rows(name))
    assert written(path)["record"].tolist() == ["lat�in"]


def test_other_files_are_no_tables(tmp_path):
    for name in ("a.csv", "a.parquet"):
        (tmp_path / name).write_text("record\n1\n")
        with pytest.raises(InputError, match="is not a table of results"):
            read_result_table(tmp_path / name)
    with pytest.raises(InputError, match=r"ends with \.parquet or \.csv"):
        ResultTable(tmp_path / "a.xlsx", ABOUT, COLUMNS).require_replaceable()


def test_a_damaged_table_is_named(path):
    ResultTable(path, ABOUT, COLUMNS).write(rows("a"))
    content = path.read_bytes()
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    damaged = b"PAR1" + b"\xff" * (len(content) - footer - 4) + content[-footer:]
    path.write_bytes(b'"record"\n"a"\n' if path.suffix == ".csv" else damaged)
    with pytest.raises(InputError, match=r"is a damaged table"):
        read_result_table(path)


def test_probabilities_have_the_digits_of_result_files():
    assert rounded(0.123456789) == 0.123457
    assert np.isnan(rounded(float("nan")))
