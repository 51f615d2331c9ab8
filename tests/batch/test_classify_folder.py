"""The driver: result files for every record, failures included, and second runs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas
import pytest
import scipy.io
from conftest import ROOT

import driver
import evaluate_model
import team_code
import test_model
from cnn_gap.batch import classify_folder as batch_module
from cnn_gap.batch import watch_folder as watch_folder_module
from cnn_gap.batch.classify_folder import DRIVER, QUALITY, classify_folder
from cnn_gap.beats.intervals import measure
from cnn_gap.classifier import Classifier, load_classifier
from cnn_gap.commands import drive
from cnn_gap.commands import main as main_module
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io import long_records, sources
from cnn_gap.io.formats.wfdb import read_recording
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records, stamp_of
from cnn_gap.leads import LEADS
from cnn_gap.model.folder import fingerprint
from cnn_gap.predict import preparation, stream
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import RecordWindows, WindowMaker
from cnn_gap.reading.degrees import DegreeLimits, write_degree_limits
from cnn_gap.results.challenge_files import read_evaluation, read_outputs
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked

REMOVED = "its results are removed, and every record is done anew"


def _drive(model, data, out, jobs=None):
    lines = []
    summary = classify_folder(load_classifier(model), model, data, out, warn=lines.append, jobs=jobs)
    return summary, lines


@pytest.fixture
def data(records, tmp_path):
    """The simulated records, two of them in nested folders."""
    folder = tmp_path / "data"
    shutil.copytree(records, folder)
    for index, place in enumerate(("g1", "g2/deep")):
        (folder / place).mkdir(parents=True)
        for path in folder.glob(f"SIM000{index}.*"):
            path.rename(folder / place / path.name)
    return folder


def test_every_record_gets_four_lines_with_all_27_codes(model, data, tmp_path):
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed, lines) == (48, 0, [])
    text = (tmp_path / "out" / "SIM0000.csv").read_text().splitlines()
    assert text[0] == "#SIM0000"
    assert tuple(text[1].split(",")) == read_weights().codes
    assert len(text) == 4
    outputs = read_outputs(tmp_path / "out" / "SIM0000.csv")
    by_code = dict(zip(outputs.codes, zip(outputs.labels, outputs.probabilities, strict=True), strict=True))
    assert by_code["713427006"] == by_code["59118001"]


def test_files_agree_with_the_classifier_and_with_the_harness_functions(model, data, tmp_path):
    _drive(model, data, tmp_path / "out")
    classifier = load_classifier(model)
    harness = team_code.load_model(
        str(model), ("I", "II", "III", "aVR", "aVL", "aVF", *(f"V{n}" for n in range(1, 7)))
    )
    for path in find_records(data)[:6]:
        written = read_outputs(tmp_path / "out" / f"{path.stem}.csv")
        alone = classifier.predict(read_record(path))
        expected = classifier.classes.expand(alone.probabilities)
        np.testing.assert_allclose(written.probabilities, expected, atol=1e-5)
        codes, labels, probabilities = team_code.run_model(
            harness, path.read_text(), read_recording(path.with_suffix(".mat"))
        )
        assert codes == list(written.codes)
        assert labels == written.labels.astype(int).tolist()
        np.testing.assert_allclose(probabilities, expected, atol=1e-5)


def test_fewer_leads_through_the_harness_functions(model, data):
    path = find_records(data)[-1]
    for leads in (("I", "II"), ("I", "II", "V2"), ("I", "II", "III", "aVR", "aVL", "aVF")):
        loaded = team_code.load_model(str(model), leads)
        _, _, probabilities = team_code.run_model(
            loaded, path.read_text(), read_recording(path.with_suffix(".mat"))
        )
        expected = loaded.classifier.predict_signal(
            read_record(path).signal[:, [0, 1, 2, 3, 4, 5, 7][: 7 if len(leads) == 3 else 6]],
            100.0,
            ["I", "II", "III", "aVR", "aVL", "aVF", "V2"][: 7 if len(leads) == 3 else 6],
        )
        np.testing.assert_allclose(
            probabilities, loaded.classifier.classes.expand(expected.probabilities), atol=0.02
        )


def test_bad_records_cost_only_themselves(model, data, tmp_path):
    out = tmp_path / "out"
    (data / "SIM0002.mat").write_bytes(b"\0" * 100)
    (data / "SIM0003.mat").unlink()
    (data / "SIM0004.hea").write_bytes(b"\x80\x00 nonsense")
    header = (data / "SIM0005.hea").read_text()
    (data / "SIM0005.hea").write_text(header.replace(" I\n", " X\n"))
    summary, lines = _drive(model, data, out)
    assert (summary.classified, summary.failed) == (45, 3)
    assert sorted(line.split(":")[0] for line in lines) == ["SIM0002", "SIM0003", "SIM0004"]
    assert (out / "failures.log").read_text().splitlines() == lines
    failed = read_outputs(out / "SIM0003.csv")
    assert not failed.labels.any()
    assert np.isnan(failed.probabilities).all()
    assert failed.codes == read_weights().codes
    (data / "SIM0004.hea").write_text(header.replace("SIM0005", "SIM0004"))
    evaluation = read_evaluation(data, out, read_weights())
    assert not evaluation.probabilities[evaluation.names.index("SIM0002")].any()
    summary, lines = _drive(model, data, out)  # failures are tried again
    assert (summary.classified, summary.failed) == (1, 2)
    assert summary.kept == 45


def test_other_processes_read_the_same(model, data, tmp_path):
    (data / "SIM0002.mat").write_bytes(b"\0" * 100)
    here, elsewhere = (_drive(model, data, tmp_path / f"out{jobs}", jobs) for jobs in (0, 2))
    assert here == elsewhere
    for path in (tmp_path / "out0").iterdir():
        if path.suffix in (".csv", ".log"):
            assert path.read_bytes() == (tmp_path / "out2" / path.name).read_bytes()
    assert _drive(model, data, tmp_path / "out2", 2)[0].kept == 47


def test_a_second_run_keeps_what_is_current(model, data, tmp_path):
    out = tmp_path / "out"
    _drive(model, data, out)
    before = (out / "SIM0010.csv").stat().st_mtime_ns
    (out / "SIM0011.csv").unlink()
    os.utime(data / "SIM0012.mat", (time.time() + 5, time.time() + 5))
    summary, _ = _drive(model, data, out)
    assert (summary.classified, summary.kept) == (2, 46)
    assert (out / "SIM0010.csv").stat().st_mtime_ns == before


def test_a_record_replaced_by_an_older_one_is_classified_anew(model, data, tmp_path):
    out = tmp_path / "out"
    _drive(model, data, out)
    before = (out / "SIM0012.csv").read_bytes()
    content = (data / "SIM0013.mat").read_bytes()
    (data / "SIM0012.mat").write_bytes(content)
    os.utime(data / "SIM0012.mat", (1e9, 1e9))  # as cp -p, unzip and rsync do
    summary, _ = _drive(model, data, out)
    assert (summary.classified, summary.kept) == (1, 47)
    assert (out / "SIM0012.csv").read_bytes() != before
    status = (data / "SIM0012.mat").stat()
    (data / "SIM0012.mat").write_bytes((data / "SIM0014.mat").read_bytes())
    os.utime(data / "SIM0012.mat", ns=(status.st_atime_ns, status.st_mtime_ns))  # by its content alone
    assert _drive(model, data, out)[0].classified == 1


def test_a_changed_file_of_another_name_is_noticed(model, data, tmp_path):
    (data / "SIM0012.mat").rename(data / "signal.bin.mat")
    header = data / "SIM0012.hea"
    header.write_text(header.read_text().replace("SIM0012.mat", "signal.bin.mat"))
    (data / "signal.bin.hea").write_text("no record")
    assert _drive(model, data, tmp_path / "out")[0].classified == 48
    (data / "signal.bin.mat").write_bytes((data / "SIM0014.mat").read_bytes())
    assert _drive(model, data, tmp_path / "out")[0].classified == 1


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_a_result_that_a_power_failure_cut_is_written_again(model, data, tmp_path, size):
    out = tmp_path / "out"
    _drive(model, data, out)
    whole = (out / "SIM0010.csv").read_bytes()
    (out / "SIM0010.csv").write_bytes(whole[:size])
    assert _drive(model, data, out)[0].classified == 1
    before, after = (text.decode().splitlines() for text in (whole, (out / "SIM0010.csv").read_bytes()))
    assert after[:-1] == before[:-1]
    # By itself a record is summed up in another order than among others: the last digit may differ.
    probabilities = [np.array(lines[-1].split(","), float) for lines in (before, after)]
    np.testing.assert_allclose(*probabilities, rtol=0, atol=2e-6)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_without_its_ledger_a_folder_is_done_anew(model, data, tmp_path, damage):
    out = tmp_path / "out"
    _drive(model, data, out)
    damage(DRIVER.path(out))
    summary, _ = _drive(model, data, out)
    assert (summary.classified, summary.failed) == (48, 0)
    assert _drive(model, data, out)[0].kept == 48


def test_results_of_an_earlier_version_are_done_anew_in_their_place(model, data, tmp_path):
    out = tmp_path / "out"
    (data / "SIM0002.mat").write_bytes(b"\0" * 100)
    _drive(model, data, out)
    DRIVER.path(out).unlink()
    (out / "driver.json").write_text(json.dumps({"model": "m", "data": str(data), "precision": "float32"}))
    (out / "driver.jsonl").write_text("[]\n")
    summary, lines = _drive(model, data, out)
    assert (summary.classified, summary.failed, summary.kept) == (47, 1, 0)
    assert any("an earlier version" in line and "anew" in line for line in lines)
    assert (out / "driver.jsonl").read_text() == "[]\n"


def test_names_that_no_result_can_have_cost_only_themselves(model, data, tmp_path):
    header = (data / "SIM0012.hea").read_bytes()
    for name in (f"a.{'b' * 245}", "c" * 250, "d" * 251, "line\nbreak", "e\x1b[2J"):
        (data / f"{name}.hea").write_bytes(header)
    out = tmp_path / "out"
    summary, lines = _drive(model, data, out)
    assert (summary.classified, summary.failed) == (51, 2)
    assert any("line\\nbreak" in line for line in lines)
    assert not any("\n" in line or "\x1b" in line for line in lines)
    assert all(len(path.read_text().splitlines()) == 4 for path in out.glob("*.csv"))


def test_an_id_that_no_result_can_have_costs_only_itself(model, data, tmp_path):
    listed = tmp_path / "records.txt"
    listed.write_text(f"{data / 'SIM0012.hea'},{'x' * 300}\n{data / 'SIM0013.hea'},b\n")
    summary, lines = _drive(model, listed, tmp_path / "out")
    assert (summary.classified, summary.failed) == (1, 1)
    assert any("the name of a record is too long for a result file" in line for line in lines)
    assert [path.name for path in (tmp_path / "out").glob("*.csv")] == ["b.csv"]


def test_an_id_does_not_lead_out_of_the_results(model, data, tmp_path):
    listed = tmp_path / "records.txt"
    listed.write_text(f"{data / 'SIM0013.hea'},../victim\n")
    (tmp_path / "victim.csv").write_text("mine")
    with pytest.raises(InputError, match=r"must be a name for files, without folders; received \.\./victim"):
        _drive(model, listed, tmp_path / "out")
    assert (tmp_path / "victim.csv").read_text() == "mine"


def test_a_second_driver_is_told_who_writes_here(model, data, tmp_path):
    out = tmp_path / "out"
    with locked(out), pytest.raises(InputError, match=f"out: is in use by process {os.getpid()}"):
        _drive(model, data, out)
    assert _drive(model, data, out)[0].classified == 48
    assert [path for path in out.iterdir() if path.suffix != ".csv"] == [DRIVER.path(out)]


def test_an_unreadable_folder_is_told_and_with_strict_an_error(run_command, model, data, tmp_path, monkeypatch):
    scandir = os.scandir

    def refuse(place):
        if str(place).endswith("g2"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    result = run_command(driver, [model, data, tmp_path / "out"])
    assert result.code == 0
    assert result.out.splitlines()[-1] == "47 classified, 0 failed, 1 folder unreadable"
    assert f"{data / 'g2'}: this folder cannot be read" in result.err
    result = run_command(driver, [model, data, tmp_path / "out", "--strict"])
    assert result.code == 1
    assert "g2" in result.err


def test_a_record_that_changes_or_goes_while_it_is_driven_costs_only_itself(model, data, tmp_path, monkeypatch):
    def change(path):
        stamp = stamp_of(path)
        if path.stem == "SIM0012":
            path.with_suffix(".mat").write_bytes((data / "SIM0013.mat").read_bytes())
        if path.stem == "SIM0014":
            path.with_suffix(".mat").unlink()
        return stamp

    monkeypatch.setattr(sources, "stamp_of", change)
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed) == (47, 1)
    assert "SIM0014.mat: the signal file is missing" in lines[0]
    monkeypatch.undo()
    assert _drive(model, data, tmp_path / "out")[0].classified == 1  # the one that has changed since its stamp


def test_long_records_get_the_answers_of_the_whole(model, data, tmp_path, monkeypatch):
    for name, rate, seconds in (("LONG1", 250.0, 95.0), ("LONG2", 100.0, 130.0)):
        write_simulated(data, simulate_record(name, ["164889003"], rate, seconds, seed=3))
    (data / "LONG2.mat").unlink()
    whole = load_classifier(model).predict(read_record(data / "LONG1.hea"))
    monkeypatch.setattr(long_records, "LONG_SAMPLES", 2000)
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed, len(lines)) == (49, 1, 1)
    found = read_outputs(tmp_path / "out" / "LONG1.csv")
    np.testing.assert_allclose(found.probabilities, whole.classes.expand(whole.probabilities), atol=2e-3)
    np.testing.assert_allclose(
        load_classifier(model).predict(data / "LONG1.hea").probabilities, whole.probabilities, atol=2e-3
    )
    assert _drive(model, data, tmp_path / "out")[0].kept == 49


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_cost_only_themselves(model, data, tmp_path):
    os.mkfifo(data / "pipe.hea")
    (data / "zero.hea").symlink_to("/dev/zero")
    (data / "SIM0012.mat").unlink()
    os.mkfifo(data / "SIM0012.mat")
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed) == (47, 3)
    assert all("is not a regular file" in line for line in lines)


@pytest.fixture
def other_model(model, tmp_path):
    """A model folder whose files differ."""
    other = tmp_path / "other"
    shutil.copytree(model, other, ignore=shutil.ignore_patterns("cache"))
    (other / "model.json").write_text((other / "model.json").read_text() + "\n")
    return other


def test_another_model_does_not_keep_the_first_ones_files(model, other_model, data, tmp_path):
    (data / "SIM0002.mat").unlink()
    _drive(model, data, tmp_path / "out")
    summary, lines = _drive(other_model, data, tmp_path / "out")
    assert (summary.classified, summary.failed, summary.kept) == (47, 1, 0)
    assert lines[0] == f"{tmp_path / 'out'}: the earlier run had another model; {REMOVED}"
    assert (tmp_path / "out" / "failures.log").read_text().count("\n") == 1


def test_results_that_no_ledger_notes_are_not_kept(model, data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "SIM0010.csv").write_text("#SIM0010\n1\n0\n0.5\n")
    summary, _ = _drive(model, data, out)
    assert (summary.classified, summary.kept) == (48, 0)
    assert len((out / "SIM0010.csv").read_text()) > 100


@pytest.mark.parametrize("name", ["SIM0010.csv", "failures.log", "quality.log", "driver.sqlite"])
def test_a_file_that_no_run_has_written_is_refused_before_anything_is_read(model, data, tmp_path, name):
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(InputError, match=f"{name}: is not .* stays as it is; move it away"):
        _drive(model, data, out)
    assert [path.name for path in out.iterdir()] == [name]
    assert (out / name).read_text() == "mine"


def test_a_record_that_cannot_be_classified_costs_only_itself(model, data, tmp_path, monkeypatch):
    predict_prepared = Classifier.predict_prepared

    def too_large(self, records):
        if "SIM0007" in [record.name for record in records]:
            raise MemoryError("too large")
        predictions = predict_prepared(self, records)
        for prediction in predictions:
            if prediction.name == "SIM0009":
                prediction.probabilities[0] = np.nan
        return predictions

    monkeypatch.setattr(Classifier, "predict_prepared", too_large)
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed) == (46, 2)
    assert sorted(line.split(":")[0] for line in lines) == ["SIM0007", "SIM0009"]
    assert np.isnan(read_outputs(tmp_path / "out" / "SIM0007.csv").probabilities).all()


def test_long_records_are_read_less_far_ahead(model, data, tmp_path, monkeypatch):
    alive = []

    def prepare(self, record):
        assert not self.measures
        alive.append(record.name)
        return RecordWindows(record.name, np.zeros((600, 1000, 12), np.float32))

    most = []

    def predict_prepared(self, records):
        most.append(len(alive))
        alive.clear()
        return [Prediction(each.name, self.classes, np.zeros(24), np.zeros(24, bool)) for each in records]

    monkeypatch.setattr(WindowMaker, "prepare", prepare)
    monkeypatch.setattr(Classifier, "predict_prepared", predict_prepared)
    assert _drive(model, data, tmp_path / "out")[0].classified == 48
    assert max(most) <= 3


def test_what_holds_no_heart_gets_zeros_and_a_note(model, tmp_path):
    data, rng = tmp_path / "data", np.random.default_rng(0)
    data.mkdir()
    for name, values in {"ZERO": np.zeros((12, 1000)), "NOISE": rng.normal(size=(12, 1000)) * 200}.items():
        scipy.io.savemat(data / f"{name}.mat", {"val": values.astype(np.int16)}, format="4")
        lines = [f"{name}.mat 16+24 1000/mV 16 0 0 0 0 {lead}" for lead in LEADS]
        (data / f"{name}.hea").write_text("\n".join([f"{name} 12 100 1000", *lines, ""]))
    summary, lines = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed, summary.unanswerable) == (2, 0, 2)
    assert [line.split(": ")[0] for line in lines] == ["NOISE", "ZERO"]
    for name in ("ZERO", "NOISE"):
        outputs = read_outputs(tmp_path / "out" / f"{name}.csv")
        assert not outputs.labels.any()
        assert not outputs.probabilities.any()
    assert "ZERO: nothing is answered: no lead has a signal" in (tmp_path / "out" / QUALITY).read_text()


def test_files_of_no_record_stay(model, other_model, data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.csv").write_text("mine")
    for each in (model, other_model):
        assert _drive(each, data, out)[0].classified == 48
    assert (out / "notes.csv").read_text() == "mine"


def test_results_of_records_that_are_gone_stay_and_are_named(model, data, tmp_path, run_command):
    out, last = tmp_path / "out", "0 classified, 0 failed, 46 kept from an earlier run"
    _drive(model, data, out)
    for name, gone in (("SIM0010", "1 record"), ("SIM0011", "2 records")):
        for path in data.glob(f"{name}.*"):
            path.unlink()
        ended = run_command(driver, [model, data, out])
        assert (ended.code, (out / f"{name}.csv").exists()) == (0, True)
        line = f"{out}: has results of {gone} no longer in DATA, such as SIM0010.csv; remove the results"
        assert f"{line} that you do not need\n" in ended.err
    assert ended.out.splitlines()[-1] == last
    (out / "SIM0010.csv").unlink()
    (out / "SIM0011.csv").unlink()
    ended = run_command(driver, [model, data, out])
    assert (ended.out.splitlines()[-1], "no longer" in ended.err) == (last, False)


def test_records_of_a_folder_that_cannot_be_read_are_not_gone(model, data, tmp_path, monkeypatch):
    out, scandir = tmp_path / "out", os.scandir
    assert _drive(model, data, out)[0].left_over == ()

    def refuse(place):
        if str(place).endswith("g2"):
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    summary, _ = _drive(model, data, out)
    assert (summary.kept, summary.unreadable, summary.left_over) == (47, 1, ())


def test_other_records_of_the_same_names_are_classified_anew(model, data, tmp_path):
    _drive(model, data, tmp_path / "out")
    shutil.copytree(data, tmp_path / "copy")
    summary, (line,) = _drive(model, tmp_path / "copy", tmp_path / "out")
    assert line == f"{tmp_path / 'out'}: the earlier run had another folder or list of records; {REMOVED}"
    assert (summary.classified, summary.kept) == (48, 0)


def test_a_name_that_is_not_utf8_costs_nothing(model, data, tmp_path):
    name = os.fsdecode(b"lat\xe9in: one")
    try:
        (data / f"{name}.hea").write_text((data / "SIM0010.hea").read_text())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    (data / f"{name}2.hea").write_text("nonsense")
    summary, _ = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed) == (49, 1)
    assert (tmp_path / "out" / f"{name}.csv").exists()
    summary, _ = _drive(model, data, tmp_path / "out")
    assert (summary.classified, summary.failed, summary.kept) == (0, 1, 49)


def test_two_records_of_one_name_have_results_of_their_own(model, data, tmp_path):
    for suffix in (".hea", ".mat"):
        shutil.copy(data / f"SIM0010{suffix}", data / "g1" / f"SIM0010{suffix}")
    _, lines = _drive(model, data, tmp_path / "out")
    assert "1 record has the name of another record and is called: g1__SIM0010" in lines
    assert sorted(path.stem for path in (tmp_path / "out").glob("*SIM0010.csv")) == ["SIM0010", "g1__SIM0010"]


def test_the_command_ends_with_a_count(run_command, model, data, tmp_path):
    (data / "SIM0002.mat").unlink()
    result = run_command(test_model, [model, data, tmp_path / "out"])
    assert result.code == 0, result.err
    assert result.out.splitlines()[-1] == "47 classified, 1 failed"
    assert "SIM0002" in result.err


def test_no_network_is_loaded_where_every_result_is_kept(run_command, model, data, tmp_path, monkeypatch):
    assert run_command(driver, [model, data, tmp_path / "out"]).code == 0

    def refuse(*_):
        raise NotImplementedError

    monkeypatch.setattr(drive, "_load", refuse)
    result = run_command(driver, [model, data, tmp_path / "out"])
    assert result.out.splitlines()[-1] == "0 classified, 0 failed, 48 kept from an earlier run"
    (tmp_path / "out" / "SIM0000.csv").unlink()
    with pytest.raises(NotImplementedError):
        run_command(driver, [model, data, tmp_path / "out"])


def test_the_command_fails_if_every_record_does(run_command, model, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "A.hea").write_text("A 1 500 10\nA.mat 16+24 1000/mV 16 0 0 0 0 I\n")
    result = run_command(driver, [model, tmp_path / "data", tmp_path / "out"])
    assert result.code == 1
    assert result.out.splitlines()[-1] == "0 classified, 1 failed"


def test_user_errors_are_one_line(run_command, model, data, tmp_path):
    for arguments, code, named in (
        ((tmp_path / "absent", data, tmp_path / "out"), 1, "absent"),
        ((model, tmp_path / "absent", tmp_path / "out"), 1, "absent"),
        ((model, data), 2, "usage"),
    ):
        result = run_command(driver, arguments)
        assert result.code == code
        assert named in result.err
        assert code == 2 or len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "argument", "call"),
    [
        (("drive", "DATA", "MODEL"), "OUT", "MODEL DATA OUT"),
        (("drive", "MODEL", "DATA", "MODEL"), "OUT", "MODEL DATA OUT"),
        (("watch", "DATA", "MODEL"), "OUT", "MODEL IN OUT"),
        (("explain", "DATA", "--out", "MODEL"), "--out", "MODEL DATA --out DIR"),
    ],
)
def test_no_results_are_written_into_the_folder_of_a_model(
    run_command, model, records, tmp_path, monkeypatch, arguments, argument, call
):
    shutil.copytree(model, tmp_path / "MODEL")
    shutil.copytree(records, tmp_path / "DATA")
    before = sorted(path.name for path in (tmp_path / "MODEL").iterdir())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(watch_folder_module, "list_records", None)  # or it would watch for ever
    result = run_command(main_module, list(arguments))
    assert (result.code, result.out) == (1, "")
    assert f"MODEL: holds a model, but was taken for {argument}, " in result.err
    assert "(DATA was taken for the records)" in result.err
    assert result.err.endswith(f"write {call}\n")
    assert sorted(path.name for path in (tmp_path / "MODEL").iterdir()) == before


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_killed_while_driving_then_finished_by_a_second_run(model, tmp_path, data):
    for copy in range(40):  # enough records to be killed among
        for path in list(data.glob("SIM002?.*")):
            text = path.read_bytes().replace(path.stem.encode(), f"C{copy}{path.stem}".encode())
            (data / f"C{copy}{path.name}").write_bytes(text)
    out = tmp_path / "out"
    process = subprocess.Popen([sys.executable, "driver.py", str(model), str(data), str(out)], cwd=ROOT)
    while not list(out.glob("[CS]*.csv")) and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    written = list(out.glob("[CS]*.csv"))
    assert written
    assert all(len(path.read_text().splitlines()) == 4 for path in written)
    summary, _ = _drive(model, data, out)
    assert summary.classified + summary.kept == len(find_records(data))


def test_a_runtime_that_is_not_to_be_had_is_named_before_anything_is_written(
    model, records, tmp_path, run_command
):
    result = run_command(
        driver, [model, records, tmp_path / "out", "--runtime", "keras", "--precision", "bfloat16"]
    )
    assert result.code == 1
    assert "eras predicts in float32" in result.err
    assert not (tmp_path / "out").exists()


def test_results_of_another_precision_are_not_kept(model, records, tmp_path, run_command):
    openvino = pytest.importorskip("openvino", reason="the extra cnn-gap[fast] is not installed")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    out = tmp_path / "out"
    assert run_command(driver, [model, records, out]).out.endswith("48 classified, 0 failed\n")
    exact = read_outputs(out / "SIM0000.csv")
    result = run_command(driver, [model, records, out, "--precision", "bfloat16"])
    assert result.out.endswith("48 classified, 0 failed\n")
    given = read_outputs(out / "SIM0000.csv")
    assert (given.probabilities != exact.probabilities).any()
    np.testing.assert_allclose(given.probabilities, exact.probabilities, atol=0.05)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_says_what_the_result_files_say(run_command, model, data, tmp_path, suffix):
    pytest.importorskip("pyarrow")
    (data / "SIM0002.mat").unlink()
    table, out = tmp_path / f"results{suffix}", tmp_path / "out"
    result = run_command(driver, [model, data, out, "--table", table, "--raw", "--no-reading"])
    assert result.code == 0, result.err
    scores = []
    for outputs in (out, table):
        scores.append(run_command(evaluate_model, [data, outputs]))
        assert scores[-1].code == 0, scores[-1].err
    assert scores[0].out == scores[1].out
    frame = pandas.read_parquet(table) if suffix == ".parquet" else pandas.read_csv(table)
    assert sorted(frame["record"]) == sorted(path.stem for path in find_records(data))
    failed = frame[frame["record"] == "SIM0002"].iloc[0]
    assert "the signal file is missing" in failed["failure"]
    assert np.isnan(failed["AF_probability"])


def test_a_table_alone_is_gone_on_with(run_command, model, data, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    table, out = tmp_path / "results.parquet", tmp_path / "out"
    (tmp_path / "list.txt").write_text("\n".join(f"data/SIM{number:04d}.hea" for number in range(2, 22)))
    arguments = [model, tmp_path / "list.txt", out, "--table", table, "--table-only"]
    predict_prepared = Classifier.predict_prepared

    def killed(self, prepared):
        if "SIM0020" in [each.name for each in prepared]:
            raise KeyboardInterrupt
        return predict_prepared(self, prepared)

    monkeypatch.setattr(stream, "BATCH", 8)
    monkeypatch.setattr(batch_module, "RECORDS_NOTED_AT_ONCE", 8)
    monkeypatch.setattr(Classifier, "predict_prepared", killed)
    assert run_command(driver, arguments).code == 130
    assert not table.exists()
    monkeypatch.undo()
    result = run_command(driver, arguments)
    assert result.out.splitlines()[-1] == "4 classified, 0 failed, 16 kept from an earlier run"
    assert not list(out.glob("SIM*.csv"))
    frame = pandas.read_parquet(table)
    assert sorted(frame["record"]) == [f"SIM{number:04d}" for number in range(2, 22)]


def test_a_table_has_the_readings_and_a_later_one_needs_no_network(
    run_command, model, data, tmp_path, monkeypatch
):
    pytest.importorskip("pyarrow")
    table, out = tmp_path / "results.parquet", tmp_path / "out"
    assert run_command(driver, [model, data, out, "--table", table]).code == 0
    frame = pandas.read_parquet(table).set_index("record")
    path = data / "SIM0003.hea"
    expected = load_classifier(model).predict(path)
    row = frame.loc["SIM0003"]
    assert row["interpretation"] == expected.reading.interpretation
    assert (row["conclusion"], row["path"]) == (expected.reading.conclusion, str(path))
    assert row["rate"] == round(expected.reading.measured["rate"])
    assert row["age"] == expected.facts.age
    assert not [column for column in frame if column.endswith("_label")]

    monkeypatch.setattr(Classifier, "predict_prepared", None)
    result = run_command(driver, [model, data, out, "--table", tmp_path / "raw.csv", "--raw"])
    assert result.out.splitlines()[-1] == "0 classified, 0 failed, 48 kept from an earlier run"
    raw = pandas.read_csv(tmp_path / "raw.csv").set_index("record")
    assert raw["AF_probability"]["SIM0003"] == pytest.approx(expected["AF"].probability, abs=1e-5)
    assert raw["interpretation"].tolist() == frame["interpretation"].tolist()


def test_records_are_measured_for_a_table_alone(run_command, model, data, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow")
    out, measured = tmp_path / "out", []
    monkeypatch.setattr(preparation, "measure", lambda record: measured.append(record.name) or measure(record))
    assert run_command(driver, [model, data, out]).code == 0
    arguments = [model, data, out, "--table", tmp_path / "results.csv"]
    result = run_command(driver, [*arguments, "--no-reading"])
    assert result.out.splitlines()[-1] == "0 classified, 0 failed, 48 kept from an earlier run"
    assert "rate" not in pandas.read_csv(tmp_path / "results.csv")
    assert not measured
    result = run_command(driver, arguments)
    assert result.out.splitlines()[-1] == "48 classified, 0 failed"
    assert "48 records are classified again: the earlier run measured no beats" in result.err
    assert len(measured) == 48


def test_readings_by_other_rules_are_made_anew(run_command, model, data, tmp_path):
    pytest.importorskip("pyarrow")
    own = tmp_path / "model"
    shutil.copytree(model, own)
    arguments = [own, data, tmp_path / "out", "--table", tmp_path / "results.csv"]
    assert run_command(driver, arguments).out.splitlines()[-1] == "48 classified, 0 failed"
    assert "48 kept" in run_command(driver, arguments).out
    write_degree_limits(own, fingerprint(own), DegreeLimits({"sinus_rhythm": (0.1, 0.05, 0.01)}))
    result = run_command(driver, arguments)
    assert result.out.splitlines()[-1] == "48 classified, 0 failed"
    assert "48 records are classified again: the rules of readings have changed" in result.err


def test_a_table_alone_has_no_result_files_to_keep(run_command, model, data, tmp_path):
    pytest.importorskip("pyarrow")
    arguments = [model, data, tmp_path / "out", "--table", tmp_path / "results.csv", "--no-reading"]
    assert "again" not in run_command(driver, [*arguments, "--table-only"]).err
    result = run_command(driver, arguments)
    assert result.out.splitlines()[-1] == "48 classified, 0 failed"
    assert "48 records are classified again: the earlier run wrote no result files" in result.err


def test_an_address_of_records(run_command, model, data, tmp_path):
    result = run_command(driver, [model, f"file://{data}", tmp_path / "out"])
    assert result.out.splitlines()[-1] == "48 classified, 0 failed"
    result = run_command(driver, [model, f"file://{data}", tmp_path / "out"])
    assert result.out.splitlines()[-1] == "0 classified, 0 failed, 48 kept from an earlier run"
