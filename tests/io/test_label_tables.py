"""Records of tables are found by name or path, however they are written."""

import pytest

from cnn_gap.io.label_tables import RecordTable, read_label_table
from cnn_gap.io.sources import ListedRecord

ONE = RecordTable({"A": ("1",)})


@pytest.mark.parametrize("written", ["A", "A.hea", "A.mat", "A.dat", "A.HEA", "records/A", "records/A.hea"])
@pytest.mark.parametrize("record", ["A", "data/A.hea", "/mnt/records/A.mat"])
def test_wfdb_names_have_many_forms(tmp_path, written, record):
    (tmp_path / "labels.csv").write_text(f"record,code\n{written},7\n")
    table = read_label_table(tmp_path / "labels.csv", ("7",))
    assert table[record] == ("7",)
    assert "B.hea" not in table


def test_files_of_other_formats_are_found_with_their_suffix(tmp_path):
    (tmp_path / "labels.csv").write_text("file,code\na.dcm,1\nb.xml,2\nc,3\n")
    table = read_label_table(tmp_path / "labels.csv", ("1", "2", "3"))
    assert [table[f"data/{name}"] for name in ("a.dcm", "b.xml", "c.scp")] == [("1",), ("2",), ("3",)]
    assert table["a"] == ("1",)
    assert "data/a.xml" not in table


def test_formats_and_folders_tell_records_of_one_name_apart():
    table = RecordTable({"A.dcm": ("1",), "A.xml": ("2",), "x/B": ("3",), "y/B": ("4",)})
    assert table["data/A.dcm"] == ("1",)
    assert table["data/A.xml"] == ("2",)
    assert "data/A.scp" not in table
    assert "data/A.hea" not in table
    assert table["data/x/B.hea"] == ("3",)
    assert table["data/y/B.hea"] == ("4",)


def test_lines_of_no_record_are_named():
    table = RecordTable({"A.dcm": ("1",), "B": ("2",), "C": ("3",)})
    listed = [ListedRecord(name[0], f"data/{name}") for name in ("A.dcm", "C.hea", "D.hea")]
    assert table.unmatched(listed) == ("B",)
    assert len(table) == 3


def test_an_id_of_a_list_comes_before_the_path():
    table = RecordTable({"patient 1": ("1",), "A": ("2",), "ward__B": ("3",)})
    assert table.of(ListedRecord("patient 1", "data/A.hea")) == ("1",)
    assert table.of(ListedRecord("other", "data/A.hea")) == ("2",)
    assert table.of(ListedRecord("ward__B", "data/ward/B.hea")) == ("3",)
    assert table.of(ListedRecord("C", "data/C.hea")) is None
