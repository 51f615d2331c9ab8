"""The classifier: one answer for a record however it comes, and model folders that are checked."""

import json
import shutil

import numpy as np
import pytest
from scipy.signal import resample_poly

import cnn_gap
from cnn_gap.classifier import load_classifier
from cnn_gap.ecg.headers import LEADS
from cnn_gap.ecg.records import find_records, read_record
from cnn_gap.errors import InputError
from cnn_gap.simulation import simulate_record


@pytest.fixture(scope="module")
def classifier(model):
    return load_classifier(model)


@pytest.fixture(scope="module")
def some(records):
    return [read_record(path) for path in find_records(records)[:9]]


def test_alone_together_by_path_and_as_a_signal_the_answer_is_the_same(classifier, records, some):
    together = classifier.predict_batch(some)
    for path, record, expected in zip(find_records(records), some, together, strict=False):
        for prediction in (
            classifier.predict(record),
            classifier.predict(str(path.with_suffix(""))),
            classifier.predict_signal(record.signal, record.sampling_rate, LEADS),
            classifier.predict_signal(record.signal[:, ::-1], 100.0, [lead.upper() for lead in LEADS[::-1]]),
        ):
            np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=1e-5)
            np.testing.assert_array_equal(prediction.labels, expected.labels)


def test_missing_limb_leads_do_not_change_the_answer(classifier, some):
    kept = [0, 1, *range(6, 12)]
    prediction = classifier.predict_signal(some[0].signal[:, kept], 100.0, [LEADS[index] for index in kept])
    expected = classifier.predict(some[0])
    np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=0.02)


@pytest.mark.parametrize("rate", [100, 128, 250, 257, 300, 360, 500, 977, 1000])
def test_any_sampling_rate_gives_nearly_the_same_answer(classifier, rate):
    signal = simulate_record("x", ["426783006"], 1000.0, 10.0, seed=3).signal
    resampled = resample_poly(signal, rate, 1000, axis=0, padtype="line")
    expected = classifier.predict_signal(signal, 1000, LEADS).probabilities
    assert np.abs(classifier.predict_signal(resampled, rate, LEADS).probabilities - expected).mean() < 0.002


@pytest.mark.parametrize("seconds", [1, 9, 10, 11, 61, 1800])
def test_any_length_works(classifier, some, seconds):
    signal = np.resize(some[0].signal, (seconds * 100, 12))
    probabilities = classifier.predict_signal(signal, 100, LEADS).probabilities
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_labels_follow_the_thresholds_and_unseen_classes_stay_silent(classifier, some):
    thresholds = classifier.description.thresholds
    for prediction in classifier.predict_batch(some):
        for probability, threshold, label in zip(
            prediction.probabilities, thresholds, prediction.labels, strict=True
        ):
            assert label == (threshold is not None and probability >= threshold)


def test_top_names_the_most_probable_diagnoses(classifier, some):
    prediction = classifier.predict(some[0])
    top = prediction.top(3)
    assert [probability for _, probability in top] == sorted(prediction.probabilities, reverse=True)[:3]
    assert top[0][0] == prediction.classes.diagnoses[int(np.argmax(prediction.probabilities))]


def test_no_records_give_no_predictions(classifier):
    assert classifier.predict_batch([]) == []


def test_the_package_offers_the_classifier():
    assert cnn_gap.load_classifier is load_classifier
    with pytest.raises(AttributeError):
        _ = cnn_gap.no_such_name


def _edited(model, folder, edit):
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("cache"))
    content = json.loads((folder / "model.json").read_text())
    edit(content)
    (folder / "model.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda content: content.pop("thresholds"), "missing key thresholds"),
        (lambda content: content.update(extra=1), "unknown key extra"),
        (lambda content: content["thresholds"].pop(), "thresholds must have 24 entries; received 23"),
        (lambda content: content.update(format=99), "format must be 1; received 99"),
        (lambda content: content["preprocessing"].update(overlap=2), "preprocessing.overlap"),
        (
            lambda content: content["thresholds"].__setitem__(0, "high"),
            r"thresholds\[0\] must be of type float",
        ),
        (
            lambda content: content["classes"].__setitem__(1, content["classes"][0]),
            "classes must be different codes",
        ),
        (lambda content: content["weights"][0].__setitem__(0, float("nan")), "weights must have 24 numbers"),
        (lambda content: content["leads"].reverse(), "leads must be I, II"),
        (lambda content: content["thresholds"].__setitem__(0, float("nan")), "thresholds must be from 0 to 1"),
    ],
)
def test_a_damaged_description_is_named(model, tmp_path, edit, named):
    with pytest.raises(InputError, match=named) as error:
        load_classifier(_edited(model, tmp_path / "m", edit))
    assert "\n" not in str(error.value)
    assert str(tmp_path / "m") in str(error.value)


def test_a_network_that_does_not_fit_is_named(model, tmp_path):
    def drop_a_class(content):
        for key in ("classes", "thresholds", "seen", "weights"):
            content[key].pop()
        for row in content["weights"]:
            row.pop()

    with pytest.raises(InputError, match=r"model\.keras: does not fit .* 23 outputs; received .*24"):
        load_classifier(_edited(model, tmp_path / "m", drop_a_class))


def test_damaged_and_missing_files_are_named(model, tmp_path):
    with pytest.raises(InputError, match=r"model\.json: not found"):
        load_classifier(tmp_path)
    folder = _edited(model, tmp_path / "m", lambda content: None)
    (folder / "model.keras").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"model\.keras: cannot be loaded"):
        load_classifier(folder)
    (folder / "model.json").write_text("{")
    with pytest.raises(InputError, match=r"model\.json: is not valid JSON"):
        load_classifier(folder)


def test_answering_at_least_one_class(model, tmp_path, some):
    folder = _edited(
        model,
        tmp_path / "m",
        lambda content: content.update(thresholds=[None, *[0.9999] * 23], answers={"at_least_one": True}),
    )
    prediction = load_classifier(folder).predict(some[0])
    (answered,) = np.flatnonzero(prediction.labels)
    assert answered == 1 + np.argmax(prediction.probabilities[1:])
