"""Records of folders, lists and addresses."""

import shutil

import fsspec
import numpy as np
import pytest
from test_segments import write_layout, write_master, write_segment

from cnn_gap.io.records import read_record
from cnn_gap.io.registry import SIDECAR_SUFFIXES
from cnn_gap.io.sources import list_records, require_folder, require_source
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Two records, one in a nested folder."""
    for name, place in (("A", "data"), ("B", "data/more")):
        write_simulated(tmp_path / place, simulate_record(name, ["426783006"], 100.0, 5.0, seed=1))
    return tmp_path / "data"


@pytest.fixture
def remote(folder):
    """The same in fsspec's memory."""
    system = fsspec.filesystem("memory")
    system.put(f"{folder}/", "/cnn-gap-test/", recursive=True)
    yield "memory://cnn-gap-test"
    system.rm("/cnn-gap-test", recursive=True)


def named(data):
    return {record.name: record for record in list_records(data).records}


def test_folders_and_single_files(folder):
    assert sorted(named(folder)) == ["A", "B"]
    assert named(folder)["B"].source == str(folder / "more" / "B.hea")
    assert list(named(folder / "A.hea")) == ["A"]


@pytest.mark.parametrize("heading", ["", "path,id\n"])
def test_a_list_gives_paths_and_ids(folder, heading):
    lines = f"# a comment\ndata/A.hea,patient 1\n\n{folder}/more/B\nabsent\n"
    (folder.parent / "list.csv").write_text(heading + lines)
    records = named(folder.parent / "list.csv")
    assert list(records) == ["patient 1", "B", "absent"]
    np.testing.assert_array_equal(records["patient 1"].open().signal, read_record(folder / "A").signal)
    np.testing.assert_array_equal(records["B"].open().signal, read_record(folder / "more" / "B").signal)
    with pytest.raises(InputError, match="absent"):
        records["absent"].open()


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_an_address_is_read_like_the_folder(folder, remote, kind):
    records = named(remote if kind == "memory" else f"file://{folder}")
    assert sorted(records) == ["A", "B"]
    for name, path in (("A", folder / "A"), ("B", folder / "more" / "B")):
        np.testing.assert_array_equal(records[name].open().signal, read_record(path).signal)
        assert records[name].stamp() == records[name].stamp()
    assert records["A"].source.startswith(f"{kind}://")


def test_a_remote_file_that_changes_has_another_stamp(remote):
    before = named(remote)["A"].stamp()
    fsspec.filesystem("memory").pipe("/cnn-gap-test/A.mat", b"changed")
    record = named(remote)["A"]
    assert record.stamp() != before
    with pytest.raises(InputError, match=r"memory://.*A") as caught:
        record.open()
    assert "tmp" not in str(caught.value)


def test_a_list_may_hold_addresses(folder, remote):
    (folder / "list.txt").write_text(f"{remote}/more/B.hea,mine\nA.hea\n")
    records = named(folder / "list.txt")
    assert list(records) == ["mine", "A"]
    np.testing.assert_array_equal(records["mine"].open().signal, read_record(folder / "more" / "B").signal)


def test_records_of_one_name_are_told_apart(folder):
    shutil.copytree(folder / "more", folder / "copy")
    for suffix in (".dcm", ".xml"):
        (folder / f"A{suffix}").write_bytes(b"damaged")
    listing = list_records(folder)
    names = {record.source.removeprefix(f"{folder}/"): record.name for record in listing.records}
    assert names == {
        "A.dcm": "A.dcm",
        "A.hea": "A.hea",
        "A.xml": "A.xml",
        "copy/B.hea": "copy__B",
        "more/B.hea": "more__B",
    }
    assert listing.remarks == (
        "5 records have the name of another record and are called: A.dcm, A.hea, A.xml, copy__B, more__B",
    )


def test_one_name_in_folders_and_formats(folder):
    (folder / "more" / "A.dcm").write_bytes(b"damaged")
    (folder / "A.dcm").write_bytes(b"damaged")
    names = sorted(record.name for record in list_records(folder).records)
    assert names == ["A.dcm", "A.hea", "B", "more__A.dcm"]


def test_files_that_are_not_known_are_counted(folder):
    for name in ("x.zip", "y.ZIP", "more/z.foo", "more/RECORDS", "A.html", "more/B.atr", ".hidden", "lost.dat"):
        (folder / name).write_bytes(b"something")
    listing = list_records(folder)
    assert [record.name for record in listing.records] == ["A", "B"]
    assert listing.remarks == ("5 files are no ECG that is known: *.zip 2, *.dat 1, RECORDS 1, *.foo 1",)
    (folder / "A.hea").unlink()
    (folder / "more" / "B.hea").unlink()
    for path in folder.rglob("*.mat"):
        path.unlink()
    with pytest.raises(InputError, match=r"no records in this folder.*files are no ECG that is known"):
        list_records(folder)


def test_signals_of_a_records_name_that_are_not_its_own_are_counted(tmp_path):
    for name in ("A.dcm", "A.dat", "A.npy", "A.parquet", "A.pdf", "B.hea", "B.mat", "B.dat", "B.npz"):
        (tmp_path / name).write_bytes(b"B 1" if name == "B.hea" else b"")
    listing = list_records(tmp_path)
    assert [record.name for record in listing.records] == ["A", "B"]
    counted = sorted(path.rpartition("/")[2] for path in listing.unknown)
    assert counted == ["A.dat", "A.npy", "A.parquet", "B.npz"]


def test_segments_and_their_signals_are_no_records_of_their_own(tmp_path, remote):
    write_layout(tmp_path, ["II"])
    write_segment(tmp_path, "m_0001", ["II"])
    write_master(tmp_path, ["m_layout 0", "m_0001 100"], 100, 1)
    write_segment(tmp_path, "single", ["II"])
    shutil.move(tmp_path / "single.dat", tmp_path / "signals.dat")
    header = (tmp_path / "single.hea").read_text().replace("single.dat", "signals.dat")
    (tmp_path / "single.hea").write_text(header)
    system = fsspec.filesystem("memory")
    system.put(f"{tmp_path}/m*", "/cnn-gap-test/parts/", recursive=False)
    shutil.rmtree(tmp_path / "data")
    listing = list_records(tmp_path)
    assert [record.name for record in listing.records] == ["m", "single"]
    assert not listing.unknown
    far = {record.name: record for record in list_records(remote).records}
    np.testing.assert_array_equal(far["m"].open().signal, read_record(tmp_path / "m").signal)


def test_arrays_with_a_sidecar_are_records_and_their_results_are_not(folder):
    for name in ("A.csv", "text.txt", "text.tsv"):
        (folder / name).write_text("I,II\n1,2\n")
    assert [record.name for record in list_records(folder).records] == ["A", "B"]
    (folder / "text.json").write_text("{}")
    records = [record.source.removeprefix(f"{folder}/") for record in list_records(folder).records]
    assert records == ["A.hea", "more/B.hea"] + [f"text{s}" for s in (".tsv", ".txt") if s in SIDECAR_SUFFIXES]


def test_what_cannot_be_used_is_said(folder, tmp_path):
    (tmp_path / "list.csv").write_text("data/A.hea,x\ndata/more/B.hea,x\n")
    with pytest.raises(InputError, match="the id x stands in 2 lines"):
        list_records(tmp_path / "list.csv")
    (tmp_path / "list.csv").write_text("data/A.hea\ndata/A.hea\n")
    with pytest.raises(InputError, match="has the same record name as"):
        list_records(tmp_path / "list.csv")
    (tmp_path / "empty.txt").write_text("path\n")
    with pytest.raises(InputError, match=r"empty\.txt: lists no records"):
        list_records(str(tmp_path / "empty.txt"))
    with pytest.raises(InputError, match="memory://nowhere: "):
        list_records("memory://nowhere")
    with pytest.raises(InputError, match="nosuch://x: cannot be listed"):
        list_records("nosuch://x")
    with pytest.raises(InputError, match="no such folder"):
        require_source(str(tmp_path / "absent"))
    for refuse in (list_records, require_source):
        with pytest.raises(InputError, match=r"A: is a record and no folder; give its file, .*A\.hea, or"):
            refuse(str(folder / "A"))
    with pytest.raises(InputError, match=r"A\.hea: is a file; give the folder of the records"):
        require_folder(folder / "A.hea")
    for data in ("memory://x", str(folder), str(tmp_path / "empty.txt")):
        require_source(data)


def test_one_stem_in_several_formats_goes_by_whole_file_names(folder):
    pytest.importorskip("pydicom", reason="pip install cnn-gap[formats]")
    record = simulate_record("A", ["426783006"], 100.0, 5.0, seed=1)
    WRITERS["DICOM"](folder, record)
    WRITERS["HL7 aECG"](folder, record)
    assert sorted(named(folder)) == ["A.dcm", "A.hea", "A.xml", "B"]
    assert named(folder)["A.dcm"].open().name == "A"


def test_results_tables_and_explanations_are_no_records(folder):
    pytest.importorskip("pandas")
    record = simulate_record("C", ["426783006"], 100.0, 5.0, seed=1)
    WRITERS["NumPy array"](folder, record)
    (folder / "C.json").rename(folder / "signals.json")
    (folder / "C.csv").write_text("#C\n1\n0\n0.5\n")
    (folder / "C.json").write_text('{\n  "format": 1,\n  "record": "C"\n}')
    (folder / "results.csv").write_text('"record","failure","answerable","notes"\n"C","",true,""\n')
    (folder / "results.json").write_text('{\n  "format": 1,\n  "model": "m"\n}')
    assert sorted(named(folder)) == ["A", "B", "C"]
    assert named(folder)["C"].open().sampling_rate == 100
