"""The command that prints the content of files."""

import json
from types import SimpleNamespace

import pytest

from cnn_gap.commands import inspect
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.files import DIALECTS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Records with all leads, with few, flat, damaged and of another format, and a file that is none."""
    folder = tmp_path_factory.mktemp("files")
    for name, dialect in (("A1", DIALECTS[0]), ("A2", DIALECTS[8])):
        write_simulated(folder, simulate_record(name, ["426783006"], 100.0, 10.0, seed=1), dialect)
    for name in ("flat", "cut"):
        for suffix in (".hea", ".mat"):
            content = (folder / f"A1{suffix}").read_bytes()
            (folder / f"{name}{suffix}").write_bytes(content.replace(b"A1.mat", f"{name}.mat".encode()))
    content = (folder / "flat.mat").read_bytes()
    (folder / "flat.mat").write_bytes(content[:24] + bytes(len(content) - 24))
    (folder / "cut.mat").write_bytes(content[:500])
    (folder / "table.csv").write_text("I,II\n" + "0.1,0.2\n0.3,0.1\n" * 300)
    (folder / "table.json").write_text('{"sampling_rate": 250, "age": 49, "sex": "M"}')
    (folder / "old.zip").write_bytes(b"PK")
    return folder


def run(run_command, *arguments):
    return run_command(SimpleNamespace(__name__="inspect", main=inspect.COMMAND.main), arguments)


def test_one_record_is_described(run_command, folder):
    result = run(run_command, folder / "A2")
    assert result.code == 0
    lines = dict(line.split(maxsplit=1) for line in result.out.splitlines() if not line.startswith("note"))
    assert lines["format"] == "WFDB"
    assert lines["signal"] == "10 s at 100 Hz"
    assert lines["leads"] == "I, II, V1, V2, V4, V6"
    assert lines["derived"] == "III, aVR, aVL, aVF"
    assert lines["missing"] == "V3, V5"
    assert lines["diagnoses"] == "426783006"
    assert "years" in lines["person"]
    assert "note        missing: leads V3, V5" in result.out


def test_a_folder_is_counted_by_format_and_reason(run_command, folder):
    result = run(run_command, folder)
    assert result.code == 0
    text = " ".join(result.out.split())
    assert "5 records: 2 can be answered, 1 cannot be read" in text
    assert "formats 3 WFDB 1 CSV" in text
    assert "1 nothing is answered: no lead has a signal" in text
    assert "failures 1 " in text
    assert "1 file is no ECG that is known: *.zip 1" in text


def test_json_lists_every_record(run_command, folder):
    content = json.loads(run(run_command, folder, "--json").out)
    found = {each["name"]: each for each in content["records"]}
    assert sorted(found) == ["A1", "A2", "cut", "flat", "table"]
    assert found["table"]["format"] == "CSV"
    assert (found["table"]["age"], found["table"]["sex"]) == (49, "Male")
    assert "is truncated" in found["cut"]["failure"]
    assert found["cut"]["sampling_rate"] is None
    assert found["A1"]["stored"] == "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6".split()  # noqa: SIM905
    assert 0.3 < found["A1"]["amplitude_mv"] < 5
    assert not found["flat"]["answerable"]
    assert [path.rpartition("/")[2] for path in content["no_known_ecg"]] == ["old.zip"]


def test_a_file_that_cannot_be_read_says_why(run_command, folder):
    result = run(run_command, folder / "cut.hea")
    assert (result.code, "is truncated" in result.out) == (1, True)
    assert "cannot be read" in run(run_command, folder / "absent").out
