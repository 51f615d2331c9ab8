"""Whatever DATA and OUT are, no command changes or removes a file that no run has written."""

import shutil
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import driver
import evaluate_model
import explain
import export
import train_model
from cnn_gap.batch import explain_folder, explanation_files
from cnn_gap.batch.explanation_files import EXPLANATIONS, WrittenRecord
from cnn_gap.commands import drive
from cnn_gap.commands import explain as explain_command
from cnn_gap.commands import train as train_command
from cnn_gap.io.annotations import write_events
from cnn_gap.io.sources import list_records
from cnn_gap.model.folder import read_description
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import RecordWindows
from cnn_gap.report.page_index import IndexRow
from cnn_gap.results.ledger import files_hash
from cnn_gap.simulation import simulate_record, write_simulated
from cnn_gap.simulation.writers import WRITERS
from cnn_gap.system import exit_codes
from cnn_gap.system.shipped import SHIPPED_MODEL
from cnn_gap.training import adaptation, train
from cnn_gap.training.checkpoints import Checkpoints

NAMES = ("A", "B")
FORMATS = ("WFDB", *WRITERS)

#: Names that an output of some command has.
OUTPUTS = (
    *(f"{name}{suffix}" for name in NAMES for suffix in (".csv", ".json", ".html", ".cam", ".png")),
    *("failures.log", "quality.log", "driver.sqlite", "explanations.sqlite", "index.html", ".cnn-gap.lock"),
    *("results.csv", "results.json", "results.parquet", ".results.csv.lock", "driver.json", "driver.jsonl"),
    *("model.json", "model.keras", "history.csv", "history.png", "checkpoint", "scores.csv", "model.onnx"),
    *(".writing-mine.csv", "sheet.png", "list.txt"),
)

CONTENTS = (
    b"mine",
    b"{}",
    b"<!DOCTYPE html>\n<title>mine</title>",
    b"#mine\n",
    b"SQLite format 3\0",
    b"\x89PNG",
)


@dataclass(frozen=True)
class StubMaker:
    """Makes windows that nobody looks at."""

    measures: bool = True

    def prepare(self, record):
        """Return them."""
        return RecordWindows(record.name, np.zeros((1, 8, 12), np.float32))


class Stub:
    """Classifies records without a network."""

    def __init__(self, folder):
        self.description = read_description(folder)
        self.classes = self.description.class_set
        self.preparation = StubMaker()

    def predict_prepared(self, records):
        """Answer nothing."""
        count = len(self.classes)
        return [
            Prediction(each.name, self.classes, np.full(count, 0.1), np.zeros(count, bool), ("a note",))
            for each in records
        ]


def write_stub(writer, task):
    """Write files that look like the explanation of a record."""
    if task.failure:
        return explanation_files.as_failed(task)
    page, data, marks = EXPLANATIONS.paths(writer.out, task.name)
    page.write_text(f'<!DOCTYPE html>\n<html lang="en">\n<title>{task.name}: explained ECG</title>')
    data.write_text(f'{{\n  "format": 1,\n  "record": "{task.name}"\n}}')
    write_events(marks, [], 100.0, 100)
    row = IndexRow(task.name, page.name)
    return WrittenRecord(task.name, task.stamp, task.links, row, files_hash([page, data, marks]))


def write_model(folder):
    """Write the files that a training writes, and remove its checkpoints."""
    checkpoints = Checkpoints(folder / "checkpoint")
    checkpoints.folder.mkdir(exist_ok=True)
    (checkpoints.folder / "epoch-0001.weights.h5").write_bytes(b"weights")
    (folder / "history.csv").write_text("epoch,loss,val_loss\n")
    for name in ("model.json", "model.keras"):
        shutil.copy(SHIPPED_MODEL / name, folder)
    checkpoints.clear()


@pytest.fixture(scope="module")
def stubs():
    """Commands without a network: after their checks, they write the same files in no time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, "_load", lambda model, runtime: Stub(model))
        patch.setattr(explain_command, "_load", lambda model, runtime: Stub(model))
        patch.setattr(train_command, "start_keras", lambda lean: None)
        patch.setattr(explain_folder, "_computed", lambda classifier, options, tasks: tasks)
        patch.setattr(explain_folder, "map_reader", lambda classifier, level: None)
        patch.setattr(explanation_files.RecordWriter, "write", write_stub)
        patch.setattr(explain_folder.ExplainOptions, "explain", lambda *arguments: (None, None))
        patch.setattr(explain_command, "_write_explanations", write_wished)
        patch.setattr(
            "cnn_gap.model.export.export_network", lambda network, about, path: path.write_bytes(b"new")
        )
        patch.setattr(train, "_train", lambda experiment, checkpoints, model, log: write_model(model))
        patch.setattr(adaptation, "_adapt", lambda data, model, *others: write_model(model))
        yield


def write_wished(every, chosen, options):
    """Write the files that are asked for of a record."""
    for path in (options.json, options.html):
        path.write_bytes(b"new")
    return 0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder for each format with the files of each record."""
    pytest.importorskip("pydicom", reason="pip install cnn-gap[formats]")
    pytest.importorskip("pyedflib")
    place = tmp_path_factory.mktemp("formats")
    for name in NAMES:
        record = simulate_record(name, ["426783006"], 100.0, 5.0, seed=1)
        for form in FORMATS:
            folder = place / form / name
            folder.mkdir(parents=True)
            if form == "WFDB":
                write_simulated(folder, record)
            else:
                WRITERS[form](folder, record)
    return place


def run(script, *arguments):
    """Run a command to its end; return its exit code."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", [script.__name__, *map(str, arguments)])
        exit_codes.run(script.main)
    return end.value.code


def commands(data, out):
    """Return each command's script and arguments; some commands write into DATA, or read and write OUT."""
    model, record = SHIPPED_MODEL, data / "A"
    return {
        "drive": (driver, model, data, out, "--jobs", "0"),
        "drive to a table": (driver, model, data, out, "--table", out / "results.csv", "--jobs", "0"),
        "drive to Parquet": (driver, model, data, out, "--table", data / "A.parquet", "--table-only"),
        "explain": (explain, model, data, "--out", out, "--jobs", "0"),
        "evaluate": (evaluate_model, data, out, out / "scores.csv", out / "A.csv"),
        "export": (export, model, out / "model.onnx"),
        "explain a record": (explain, model, record, "--json", data / "A.json", "--html", data / "A.html"),
        "adapt": (train_model, data, out, "--thresholds-only", "--from", model),
        "train": (train_model, data, out, "--cache", data),
    }


# Without shrinking: an example is small, and a few hundred of them would take minutes.
@settings(
    max_examples=30,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    formats=st.fixed_dictionaries({name: st.sampled_from(FORMATS) for name in NAMES}),
    planted=st.dictionaries(st.sampled_from(OUTPUTS), st.sampled_from(CONTENTS), max_size=3),
    is_apart=st.booleans(),
    chosen=st.lists(st.sampled_from(sorted(commands(SHIPPED_MODEL, SHIPPED_MODEL))), min_size=1, max_size=4),
)
def test_every_file_that_no_run_has_written_stays(
    stubs, files, tmp_path_factory, formats, planted, is_apart, chosen
):
    place = tmp_path_factory.mktemp("place")
    data = place / "data"
    data.mkdir()
    out = place / "out" if is_apart else data
    out.mkdir(exist_ok=True)
    for name, content in planted.items():
        (out / name).write_bytes(content)
    for name, form in formats.items():
        shutil.copytree(files / form / name, data, dirs_exist_ok=True)
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    listed = {each.source for each in list_records(data).records}
    calls = commands(data, out)
    for name in chosen:
        script, *arguments = calls[name]
        assert run(script, *arguments) in (0, 1)
    assert {path: path.read_bytes() for path in before if path.is_file()} == before
    assert {each.source for each in list_records(data).records} == listed
    shutil.rmtree(place)
