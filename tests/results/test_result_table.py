"""Tables of results: whole or not there, resumed without double rows."""

import json
from functools import partial

import numpy as np
import pytest

from cnn_gap.results import result_table
from cnn_gap.results.result_table import ResultTable, read_result_table, rounded
from cnn_gap.system.errors import InputError

pandas = pytest.importorskip("pandas")
parquet = pytest.importorskip("pyarrow.parquet")

COLUMNS = {"record": str, "failure": str, "content": str, "AF_probability": float, "AF_label": bool}
ABOUT = {"format": 1, "model": "m", "classes": [{"column": "AF", "codes": ["1", "2"], "threshold": 0.5}]}


def rows(*names, failure="", content="c", probability=0.25):
    count = len(names)
    columns = {"record": list(names), "failure": [failure] * count, "content": [content] * count}
    return columns | {"AF_probability": [probability] * count, "AF_label": [probability > 0.2] * count}


def written(path):
    read = pandas.read_parquet if path.suffix == ".parquet" else partial(pandas.read_csv, keep_default_na=False)
    return read(path).sort_values("record")


@pytest.fixture(params=[".parquet", ".csv"])
def path(request, tmp_path):
    return tmp_path / f"results{request.param}"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(result_table, "PART_ROWS", 2)
    monkeypatch.setattr(result_table, "GROUP_ROWS", 3)


def test_rows_of_several_parts_become_one_file(path):
    names = [f"r{number}" for number in range(7)]
    with ResultTable(path, ABOUT, COLUMNS) as table:
        for name in names:
            table.add(rows(name))
        assert not path.exists()
        table.finish(names)
    assert written(path)["record"].tolist() == names
    assert {file.name for file in path.parent.iterdir()} <= {path.name, "results.json"}
    codes, results = read_result_table(path)
    assert codes == ("1", "2")
    np.testing.assert_array_equal(results["r3"][0], [True, True])
    np.testing.assert_array_equal(results["r3"][1], [0.25, 0.25])


def test_a_run_that_was_cut_off_is_gone_on_with(path):
    with pytest.raises(KeyboardInterrupt), ResultTable(path, ABOUT, COLUMNS) as table:
        table.add(rows("a", "b", "c"))
        table.add(rows("d"))
        raise KeyboardInterrupt
    assert not path.exists()
    with ResultTable(path, ABOUT, COLUMNS) as table:
        assert table.is_current("a", lambda: "c")
        assert table.is_current("d", lambda: "c")
        assert not table.is_current("a", lambda: "changed")
        assert not table.is_current("e", lambda: "c")
        table.add(rows("a", content="changed", probability=0.125))
        table.finish(["a", "b", "d"])
    assert written(path)["record"].tolist() == ["a", "b", "d"]
    assert written(path)["AF_probability"].tolist() == [0.125, 0.25, 0.25]


def test_a_second_run_keeps_rows_and_tries_failures_again(path):
    with ResultTable(path, ABOUT, COLUMNS) as table:
        table.add(rows("a") | {"AF_probability": [1 / 3]})
        table.add(rows("b", failure='bad, "very"', probability=float("nan")))
        table.finish(["a", "b"])
    results = read_result_table(path)[1]
    assert np.isnan(results["b"][1]).all()
    with ResultTable(path, ABOUT, COLUMNS) as table:
        assert table.is_current("a", lambda: "c")
        assert not table.is_current("b", lambda: "c")
        table.finish(["a", "b"])
    assert written(path)["failure"].tolist() == ["", 'bad, "very"']
    assert read_result_table(path)[1]["a"][1][0] == 1 / 3
    other = ABOUT | {"model": "another"}
    with ResultTable(path, other, COLUMNS) as table:
        assert not table.is_current("a", lambda: "c")
        table.add(rows("a"))
        table.finish(["a", "b"])
    assert written(path)["record"].tolist() == ["a"]


def test_the_metadata_says_what_the_columns_mean(tmp_path):
    with ResultTable(tmp_path / "r.parquet", ABOUT, COLUMNS) as table:
        table.finish([])
    held = parquet.read_schema(tmp_path / "r.parquet").metadata[b"cnn_gap"]
    assert json.loads(held) == ABOUT
    assert read_result_table(tmp_path / "r.parquet") == (("1", "2"), {})


def test_names_that_are_no_unicode(path):
    name = b"lat\xe9in".decode("utf-8", "surrogateescape")
    with ResultTable(path, ABOUT, COLUMNS) as table:
        table.add(rows(name))
        assert not table.is_current("other", lambda: "c")
        table.finish([name])
    assert written(path)["record"].tolist() == ["lat�in"]


def test_other_files_are_no_tables(tmp_path):
    for name in ("a.csv", "a.parquet"):
        (tmp_path / name).write_text("record\n1\n")
        with pytest.raises(InputError, match="is not a table of results"):
            read_result_table(tmp_path / name)
    with pytest.raises(InputError, match=r"must|ends with \.parquet or \.csv"):
        ResultTable(tmp_path / "a.xlsx", ABOUT, COLUMNS)


def test_two_processes_do_not_write_one_table(path):
    with ResultTable(path, ABOUT, COLUMNS) as _, pytest.raises(InputError, match="parts"):
        ResultTable(path, ABOUT, COLUMNS).__enter__()


def test_a_damaged_part_is_named_and_the_table_is_not_left_locked(path):
    with pytest.raises(KeyboardInterrupt), ResultTable(path, ABOUT, COLUMNS) as table:
        table.add(rows("a"))
        raise KeyboardInterrupt
    (part,) = path.parent.glob(".*.parts/part-*")
    part.write_bytes(b"PAR1 nonsense")
    for _ in range(2):
        with pytest.raises(InputError, match=r"part-000000\.parquet: is a damaged table"):
            ResultTable(path, ABOUT, COLUMNS).__enter__()


def test_probabilities_have_the_digits_of_result_files():
    assert rounded(0.123456789) == 0.123457
    assert np.isnan(rounded(float("nan")))
