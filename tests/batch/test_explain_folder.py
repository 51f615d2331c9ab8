"""Explaining a folder: results that are kept of an earlier run, records that are done again, and links."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cnn_gap.batch import explain_folder as module
from cnn_gap.batch.explain_folder import ExplainOptions, explain_folder
from cnn_gap.batch.explanation_files import EXPLANATIONS, RecordWriter
from cnn_gap.classifier import Classifier, load_classifier
from cnn_gap.explain.regions import parse_level
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.report.page import Links, explanation_page
from cnn_gap.report.sheet.report import SheetOptions
from cnn_gap.results.ledger import files_hash
from cnn_gap.simulation.changing_rhythms import Part, simulate_changing
from cnn_gap.simulation.files import write_simulated
from cnn_gap.system.errors import InputError

NAMES = [f"SIM{number:04d}" for number in range(4)]

SUFFIXES = tuple(EXPLANATIONS.files)

#: The process that may write, where a test sets it.
HERE = 0

#: The file that lists the records that are done.
LEDGER = "explanations.sqlite"

TOP = ExplainOptions("top2", leads=False)


@dataclass(frozen=True)
class Folder:
    """Four records, and the folder of their explanations."""

    classifier: Classifier
    model: Path
    data: Path
    out: Path

    def explain(self, options=TOP, out=None, jobs=0):
        """Return how many records were explained, failed and were kept, and the lines about failures."""
        warnings = []
        out = self.out if out is None else out
        done = explain_folder(self.classifier, self.model, self.data, out, options, warnings.append, jobs)
        return (done.explained, done.failed, done.kept), warnings

    def files(self, out=None):
        """Return the hash of each of the results' files by its name."""
        out = self.out if out is None else out
        return {path.name: files_hash([path]) for path in out.iterdir() if path.name != LEDGER}

    def links(self, out=None):
        """Return the links of each page, by the page's name."""
        pages = sorted((self.out if out is None else out).glob("SIM*.html"))
        return {page.name: re.findall(r'<a rel="(\w+)" href="(.*?)"', page.read_text()) for page in pages}

    def damage(self, name):
        """Damage a record, and return a function that repairs it."""
        path = self.data / f"{name}.mat"
        content = path.read_bytes()
        path.write_bytes(content[:100])
        return lambda: path.write_bytes(content)


class Here(RecordWriter):
    """Writes in the process that runs the tests, and fails in others."""

    def write(self, task):
        """Write the files of a record."""
        assert os.getpid() == HERE
        return super().write(task)


class Deadly(RecordWriter):
    """Kills the process that it runs in when it is to write one of the records."""

    def write(self, task):
        """Write the files of a record."""
        if task.name == "SIM0001":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(task)


@pytest.fixture(scope="module")
def classifier(model):
    return load_classifier(model)


@pytest.fixture
def folder(classifier, model, records, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in NAMES:
        for suffix in (".hea", ".mat"):
            shutil.copy((records / name).with_suffix(suffix), data)
    return Folder(classifier, model, data, tmp_path / "out")


def test_a_page_in_a_folder_says_what_the_record_by_itself_does(folder):
    options = ExplainOptions(leads=True)
    assert folder.explain(options) == ((4, 0, 0), [])
    every, answered = options.explain(folder.classifier, read_record(folder.data / "SIM0001.hea"))
    assert sum(each.lead_shares is not None for each in every.classes) >= module.DETAILED
    assert [each.codes for each in answered.classes] == [each.codes for each in every.answered.classes]
    expected = explanation_page(every, Links("index.html", "SIM0000.html", "SIM0002.html"))
    page = (folder.out / "SIM0001.html").read_text()
    assert len(page) == pytest.approx(len(expected), rel=1e-3)  # last digits of a batch may differ


def test_a_second_run_keeps_what_is_there(folder, monkeypatch):
    folder.explain()
    before = folder.files()
    monkeypatch.setattr(module, "compute_maps", None)
    assert folder.explain() == ((0, 0, 4), [])
    assert folder.files() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_a_file_that_is_not_whole_is_made_again(folder, suffix, damage):
    folder.explain()
    before = folder.files()
    damage(folder.out / f"SIM0002{suffix}")
    assert folder.explain()[0] == (1, 0, 3)
    after = folder.files()
    assert after.keys() == before.keys()
    # The last digits depend on the records that a record is computed together with.
    assert {name for name in after if after[name] != before[name]} <= {f"SIM0002{each}" for each in SUFFIXES}
    assert folder.explain()[0] == (0, 0, 4)


def test_a_changed_record_is_explained_again(folder):
    folder.explain()
    for suffix in (".hea", ".mat"):
        shutil.copy(folder.data / f"SIM0000{suffix}", folder.data / f"SIM0003{suffix}")
    header = folder.data / "SIM0003.hea"
    header.write_text(header.read_text().replace("SIM0000", "SIM0003"))
    assert folder.explain()[0] == (1, 0, 3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ExplainOptions("top1"), "choice of --classes and another choice of --no-leads"),
        (ExplainOptions("top2"), "choice of --no-leads"),
        (replace(TOP, level=parse_level("sd:1")), "--level"),
    ],
)
def test_other_options_explain_all_again(folder, options, said):
    folder.explain()
    counts, (line,) = folder.explain(options)
    assert counts == (4, 0, 0)
    assert f"{folder.out}: the earlier run had another {said}; its results are removed" in line
    assert folder.explain(options) == ((0, 0, 4), [])


def test_another_model_explains_all_again(folder, tmp_path):
    folder.explain()
    other = shutil.copytree(folder.model, tmp_path / "model")
    (other / "model.json").write_text((other / "model.json").read_text() + "\n")
    assert Folder(folder.classifier, other, folder.data, folder.out).explain()[0] == (4, 0, 0)


def test_pages_lead_past_records_that_fail_until_they_are_repaired(folder, tmp_path):
    repair = folder.damage("SIM0001")
    counts, warnings = folder.explain()
    assert counts == (3, 1, 0)
    assert [line.split(":")[0] for line in warnings] == ["SIM0001"]
    assert folder.links()["SIM0000.html"] == [("up", "index.html"), ("next", "SIM0002.html")]
    repair()
    assert folder.explain() == ((1, 0, 3), [])
    folder.explain(out=tmp_path / "fresh")
    assert folder.links() == folder.links(tmp_path / "fresh")
    assert folder.explain() == ((0, 0, 4), [])


def test_a_record_that_fails_later_loses_its_files(folder, tmp_path):
    folder.explain()
    folder.damage("SIM0003")
    assert folder.explain()[0] == (0, 1, 3)
    folder.explain(out=tmp_path / "fresh")
    assert folder.links() == folder.links(tmp_path / "fresh")
    assert folder.files().keys() == folder.files(tmp_path / "fresh").keys()


def test_a_file_that_was_not_written_by_this_stays_where_a_record_fails(folder):
    folder.explain()
    (folder.out / "SIM0003.json").write_text("mine")
    folder.damage("SIM0003")
    with pytest.raises(InputError, match=r"SIM0003\.json: is not an explanation and stays as it is"):
        folder.explain()
    assert (folder.out / "SIM0003.json").read_text() == "mine"


def test_a_record_that_breaks_the_computation_costs_no_other(folder, monkeypatch):
    compute = module.compute_maps

    def fails(classifier, records, choose):
        if any(record.name == "SIM0002" for record in records):
            raise MemoryError("too large")
        return compute(classifier, records, choose)

    monkeypatch.setattr(module, "compute_maps", fails)
    counts, warnings = folder.explain()
    assert counts == (3, 1, 0)
    assert warnings == [f"SIM0002: {folder.data / 'SIM0002.hea'}: MemoryError('too large')"]


def test_other_processes_write_the_same_files(folder, tmp_path, monkeypatch):
    folder.damage("SIM0001")
    alone = folder.explain()
    monkeypatch.setattr(module, "SENT", 1)
    assert folder.explain(out=tmp_path / "others", jobs=2) == alone
    assert folder.files(tmp_path / "others") == folder.files()


def test_what_is_too_large_to_be_sent_is_written_here(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_SENT", 0)
    monkeypatch.setattr(module, "RecordWriter", Here)
    monkeypatch.setattr("test_explain_folder.HERE", os.getpid())
    assert folder.explain(jobs=1) == ((4, 0, 0), [])


def test_a_record_that_kills_the_process_that_writes_it_costs_no_other(folder, monkeypatch):
    monkeypatch.setattr(module, "RecordWriter", Deadly)
    counts, warnings = folder.explain(jobs=1)
    assert counts == (3, 1, 0)
    (line,) = warnings
    assert line.startswith(f"SIM0001: {folder.data / 'SIM0001.hea'}: the process that wrote its page was ended")
    monkeypatch.undo()
    assert folder.explain() == ((1, 0, 3), [])


def test_reports_are_kept_made_again_and_removed_like_the_other_files(folder):
    reports = ExplainOptions("top1", leads=False, reports=SheetOptions())
    for name in NAMES[1:]:
        for path in folder.data.glob(f"{name}.*"):
            path.unlink()
    assert folder.explain(reports)[0] == (1, 0, 0)
    report = folder.out / "SIM0000.pdf"
    whole = report.read_bytes()
    assert '"SIM0000.pdf"' in (folder.out / "index.html").read_text()
    assert ("alternate", "SIM0000.pdf") in folder.links()["SIM0000.html"]
    assert folder.explain(reports)[0] == (0, 0, 1)
    report.write_bytes(whole[:-1])
    assert folder.explain(reports)[0] == (1, 0, 0)
    assert report.read_bytes() == whole
    assert folder.explain(replace(reports, reports=None))[0] == (1, 0, 0)
    assert not report.exists(), "a run without reports leaves none of an earlier one"
    report.write_bytes(b"mine")
    assert folder.explain(replace(reports, reports=None))[0] == (0, 0, 1)
    with pytest.raises(InputError, match=r"SIM0000\.pdf: is not a figure of an explanation and stays as it is"):
        folder.explain(reports)
    assert report.read_bytes() == b"mine"


def test_what_writes_pages_needs_no_keras():
    heavy = {"keras", "tensorflow", "jax"}
    code = f"import sys, cnn_gap.batch.explanation_files; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_records_of_a_folder_are_found_in_the_order_of_the_index(folder):
    folder.explain()
    index = (folder.out / "index.html").read_text()
    places = [index.index(f'"{path.stem}.html"') for path in find_records(folder.data)]
    assert places == sorted(places)


def test_a_long_record_among_others_has_its_page_and_report(folder, tmp_path):
    data = tmp_path / "mixed"
    data.mkdir()
    shutil.copy(folder.data / f"{NAMES[0]}.hea", data)
    shutil.copy(folder.data / f"{NAMES[0]}.mat", data)
    write_simulated(data, simulate_changing("L", [Part(("426783006",), 200, run=4)], 100.0, 1))
    out = tmp_path / "out"
    options = replace(TOP, reports=SheetOptions())
    for counts in ((2, 0, 0), (0, 0, 2)):
        done = explain_folder(folder.classifier, folder.model, data, out, options, lambda _: None, 0)
        assert (done.explained, done.failed, done.kept) == counts
    assert 'class="long"' in (out / "L.html").read_text()
    assert 'href="L.pdf"' in (out / "L.html").read_text()
    assert (out / "L.pdf").read_bytes().startswith(b"%PDF")
    assert 'class="record"' in (out / f"{NAMES[0]}.html").read_text()
    assert '"L"' in (out / "index.html").read_text()
