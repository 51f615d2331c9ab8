"""A watched folder: each record is answered once it is whole, once, and bad ones are named."""

import shutil

import pytest

from cnn_gap.batch.classify_folder import ModelIdentity, OutputTarget, classify_folder, classify_here
from cnn_gap.batch.watch_folder import GRACE_S, Arrivals, watch_folder
from cnn_gap.classifier import load_classifier
from cnn_gap.io.sources import NoRecordsError
from cnn_gap.model.folder import fingerprint
from cnn_gap.system.errors import InputError


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    return place


@pytest.fixture
def bring(records, folder):
    def bring(name, *suffixes):
        for suffix in suffixes or (".hea", ".mat"):
            shutil.copy(records / f"{name}{suffix}", folder)

    return bring


def names(arrivals):
    return [record.name for record in arrivals.look()[0].records]


def test_a_record_is_whole_when_its_files_no_longer_change(folder, bring):
    arrivals = Arrivals(folder)
    with pytest.raises(InputError, match="no records"):
        arrivals.look()
    bring("SIM0001")
    content = (folder / "SIM0001.mat").read_bytes()
    for size in (100, 200, len(content)):
        (folder / "SIM0001.mat").write_bytes(content[:size])
        assert names(arrivals) == []
    bring("SIM0002")
    assert names(arrivals) == ["SIM0001"]
    assert names(arrivals) == ["SIM0001", "SIM0002"]


def test_a_record_waits_for_its_signals(folder, bring):
    now = [0.0]
    arrivals = Arrivals(folder, lambda: now[0])
    bring("SIM0001", ".hea")
    assert names(arrivals) == names(arrivals) == []
    now[0] = GRACE_S
    assert names(arrivals) == ["SIM0001"]  # is taken without them, and named
    bring("SIM0001")
    assert names(arrivals) == []
    assert names(arrivals) == ["SIM0001"]


def test_an_empty_folder_is_told_from_one_of_other_files(folder):
    arrivals = Arrivals(folder)
    with pytest.raises(NoRecordsError):
        arrivals.look()
    (folder / "letter.docx").write_bytes(b"no ECG")
    with pytest.raises(InputError, match="docx") as found:
        arrivals.look()
    assert not isinstance(found.value, NoRecordsError)


def test_each_record_is_answered_once_after_a_crash_too(folder, bring, model, tmp_path):
    classifier = load_classifier(model)
    identity = ModelIdentity(classifier.description, fingerprint(model), "float32", "")
    answered, said = [], []

    def classify(waiting, out):
        answered.extend(record.name for record in waiting)
        return classify_here(lambda: classifier, 0, waiting, out)

    def watched():
        return watch_folder(identity, folder, OutputTarget(tmp_path / "out"), classify, said.append, 0.01)

    bring("SIM0001")
    watch = watched()
    assert str(next(watch)) == "1 classified, 0 failed"
    (folder / "B.dcm").write_bytes(b"no DICOM")
    bring("SIM0002")
    while "SIM0002" not in answered or "B" not in answered:
        next(watch)
    watch.close()  # as a crash does, which leaves files and ledger
    bring("SIM0003")
    again = watched()
    assert next(again).kept == 2
    again.close()
    assert [answered.count(f"SIM000{number}") for number in (1, 2, 3)] == [1, 1, 1]
    assert sum("B.dcm" in line for line in said) == 2  # once by each watch
    assert "B.dcm" in (tmp_path / "out/failures.log").read_text()
    (folder / "B.dcm").unlink()
    classify_folder(classifier, model, folder, tmp_path / "driver", said.append)
    for path in (tmp_path / "driver").glob("SIM*.csv"):
        alone = (tmp_path / "out" / path.name).read_text().splitlines()
        assert alone[:3] == path.read_text().splitlines()[:3]
