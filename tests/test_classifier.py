"""The classifier: one answer for a record however it comes, and model folders that are checked."""

import json
import shutil
import weakref
from dataclasses import replace

import numpy as np
import pandas
import pytest
from scipy.signal import resample_poly

import cnn_gap
from cnn_gap.classifier import load_classifier
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import failed_prediction
from cnn_gap.reading.reading import Reading
from cnn_gap.simulation import simulate_record
from cnn_gap.system.errors import InputError


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
            classifier.predict(record.signal, record.sampling_rate, LEADS),
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


def test_records_of_many_lengths_together_get_what_each_gets_alone(classifier, some):
    shorter = [replace(some[0], signal=some[0].signal[:samples]) for samples in (1000, 400, 607, 400, 999)]
    for record, together in zip(shorter, classifier.predict_batch(shorter), strict=True):
        alone = classifier.predict(record).probabilities
        np.testing.assert_allclose(together.probabilities, alone, atol=1e-5)


def test_nothing_is_answered_where_there_is_no_heart(classifier, some):
    quiet = replace(some[0], signal=np.zeros_like(some[0].signal))
    prediction, other = classifier.predict_batch([quiet, some[1]])
    assert not prediction.answerable
    assert other.answerable
    assert prediction.notes[0].startswith("nothing is answered")
    assert not prediction.labels.any()
    assert not prediction.probabilities.any()
    explanation = classifier.explain(quiet, "top2", with_leads=True)
    assert (explanation.notes, explanation.answerable) == (prediction.notes, False)
    assert not any(
        each.activation.any() or each.regions or each.lead_shares.any() for each in explanation.classes
    )


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


def test_top_names_each_diagnosis_once(with_findings, some):
    prediction = with_findings.predict(some[0])
    names = [about.code for about, _ in prediction.top(len(prediction.labels))]
    labels = dict(zip(prediction.classes.representatives, prediction.labels, strict=True))
    assert "426783006" in names
    assert ("SR" in names) == (labels["SR"] != labels["426783006"])
    assert len(names) < len(labels)


def test_answered_names_each_diagnosis_once(with_findings, some):
    found = with_findings.predict(some[0])
    labels = np.zeros(len(found.labels), bool)
    rhythm, finding = (found.classes.find(name) for name in ("426783006", "SCP-ECG:SR"))
    labels[[rhythm, finding]] = True
    assert [each.diagnosis.code for each in replace(found, labels=labels).answered] == ["426783006"]
    labels[rhythm] = False
    assert [each.diagnosis.code for each in replace(found, labels=labels).answered] == ["SR"]


def test_a_batch_takes_paths_records_iterators_and_arrays(classifier, records, some):
    paths = find_records(records)[:9]
    expected = [classifier.predict(record).probabilities for record in some]
    mixed = [str(paths[0]), paths[1].with_suffix(""), *some[2:]]
    array = np.stack([record.signal for record in some])
    for batch in (
        classifier.predict_batch(paths),
        classifier.predict_batch(mixed),
        classifier.predict_batch(record for record in some),
        classifier.predict_batch(iter(paths)),
        list(classifier.predict_stream(paths)),
    ):
        assert [each.name for each in batch] == [path.stem for path in paths]
        np.testing.assert_allclose([each.probabilities for each in batch], expected, atol=1e-5)
    numbered = classifier.predict_batch(array * 1000, 100, LEADS, unit="uV")
    assert [each.name for each in numbered] == [str(number) for number in range(9)]
    np.testing.assert_allclose([each.probabilities for each in numbered], expected, atol=1e-5)
    named = classifier.predict_batch(pandas.Series(list(array[:2])), 100.0, LEADS, names=["a", "b"])
    assert [each.name for each in named] == ["a", "b"]
    np.testing.assert_allclose([each.probabilities for each in named], expected[:2], atol=1e-5)


def test_a_failing_record_comes_back_with_its_reason(classifier, records, some, tmp_path):
    batch = classifier.predict_batch([some[0], tmp_path / "absent", find_records(records)[1]])
    assert [each.name for each in batch] == [some[0].name, "absent", some[1].name]
    assert [bool(each.failure) for each in batch] == [False, True, False]
    assert str(tmp_path / "absent") in batch[1].failure
    assert np.isnan(batch[1].probabilities).all()
    assert batch[1].answered == ()
    np.testing.assert_allclose(batch[2].probabilities, classifier.predict(some[1]).probabilities, atol=1e-5)
    signals = [np.ones((1000, 11)), some[0].signal, some[0].signal * np.float32(1e38)]
    short, good, large = classifier.predict_batch(signals, 100, LEADS)
    assert "signal 0: expected a signal of 12 leads" in short.failure
    assert good.failure == ""
    assert "amplitudes" in large.failure
    with pytest.raises(InputError, match="amplitudes"):
        classifier.predict_signal(signals[2], 100, LEADS)


def test_a_stream_holds_few_records_at_a_time(classifier, some):
    alive = weakref.WeakSet()
    most = 0

    def many():
        nonlocal most
        for index in range(300):
            record = replace(some[0], name=str(index), signal=some[0].signal.copy())
            alive.add(record)
            most = max(most, len(alive))
            yield record

    assert sum(1 for _ in classifier.predict_stream(many())) == 300
    assert most < 10


def test_wrong_calls_say_which_method_to_use(classifier, some):
    for wrong in (some[0].signal, some[0].signal.tolist(), ["A0001", "A0002"], some):
        with pytest.raises(InputError, match=r"received .*; predict_batch and explain_batch take several"):
            classifier.predict(wrong)
        with pytest.raises(InputError, match=r"received .*; predict_batch and explain_batch take several"):
            classifier.explain(wrong)
    for wrong in (some[0], "A0001", some[0].signal):
        with pytest.raises(InputError, match=r"received .*; predict takes one"):
            classifier.predict_batch(wrong)
    with pytest.raises(InputError, match="sampling_rate belongs to a signal; received it with a Record"):
        classifier.predict(some[0], 100.0)
    with pytest.raises(InputError, match="which needs its sampling_rate"):
        classifier.predict(some[0].signal, leads=LEADS)
    with pytest.raises(InputError, match="a signal needs its sampling_rate and leads; received ndarray"):
        classifier.predict_batch(np.zeros((2, 1000, 12)))
    with pytest.raises(InputError, match="a name for each record; received 1 names"):
        classifier.predict_batch(some[:2], names=["one"])


def test_lists_and_data_frames_are_signals(classifier, some):
    expected = classifier.predict(some[0]).probabilities
    frame = pandas.DataFrame(some[0].signal, columns=list(LEADS))
    for prediction in (
        classifier.predict_signal(some[0].signal.tolist(), 100, LEADS),
        classifier.predict_signal(frame, np.float64(100)),
        classifier.predict_signal(frame / 1000, 100, unit="V"),
        classifier.predict_signal(frame.astype("Float64"), 100),
    ):
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-5)


def test_notes_say_which_leads_were_not_taken(classifier, some):
    signal = some[0].signal[:, [0, 1, 1, 6]]
    prediction = classifier.predict_signal(signal, 100, ["I", "II", "ii", "Frank X"])
    assert prediction.notes[:2] == (
        "lead II is given twice: the first counts",
        "left out, as none of the twelve leads: Frank X",
    )
    assert classifier.predict_batch([signal], 100, ["I", "II", "ii", "Frank X"])[0].notes == prediction.notes


def test_a_prediction_is_asked_by_name_and_becomes_a_dictionary(classifier, some):
    found = classifier.predict(some[0])
    labels = np.zeros(len(found.labels), bool)
    labels[[2, 5]] = True
    prediction = replace(found, labels=labels, notes=("noted",))
    known = prediction.classes.diagnoses
    assert prediction[known[2].abbreviation.lower()].label
    assert prediction[known[3].code].probability == found.probabilities[3]
    assert [each.diagnosis for each in prediction.answered] == [known[2], known[5]]
    with pytest.raises(InputError, match="received 'nonsense'"):
        _ = prediction["nonsense"]
    content = json.loads(json.dumps(prediction.to_dict(), allow_nan=False))
    assert (content["record"], content["notes"], content["failure"]) == (some[0].name, ["noted"], None)
    assert [each["label"] for each in content["classes"]] == labels.tolist()
    assert [each["probability"] for each in content["classes"]] == found.probabilities.tolist()
    failed = failed_prediction("x", found.classes, "why").to_dict()
    assert (failed["failure"], failed["classes"][0]["probability"]) == ("why", None)


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


def test_notebooks_show_small_tables_of_escaped_text(classifier, with_findings, some):
    prediction = replace(classifier.predict(some[0]), name="<b>A1", notes=("5 > 4",))
    page = prediction._repr_html_()
    assert "<caption>Prediction of &lt;b&gt;A1</caption>" in page
    assert "<p>5 &gt; 4</p>" in page
    assert page.count("<tr>") == 2 + len(prediction.reading.statements) + len(prediction.shown()) < 30
    assert prediction.top(1)[0][0].name in page
    failed = failed_prediction("x", classifier.classes, "a.dcm: <why>")._repr_html_()
    assert ("a.dcm: &lt;why&gt;" in failed, "<td>" in failed) == (True, False)
    explanation = with_findings.explain(replace(some[0], name="<b>A1"), "all", with_leads=True)
    rows = 2 + len(explanation.reading.statements) + len(explanation.rows)
    assert explanation._repr_html_().count("<tr>") == rows
    assert len(explanation.rows) < len(explanation.classes)
    assert "&lt;b&gt;A1" in explanation._repr_html_()


def test_every_prediction_and_explanation_has_the_same_reading(with_findings, some):
    first = some[0]
    reading = with_findings.read(first)
    assert reading == with_findings.interpret(with_findings.predict(first), first)
    assert with_findings.predict_batch([first, some[1]])[0].reading == reading
    of_signal = with_findings.predict(first.signal, first.sampling_rate, LEADS)
    assert of_signal.reading.statements == reading.statements  # its QTc limits lack the sex
    assert with_findings.explain(first).reading == reading
    assert with_findings.predict(first).to_dict()["reading"]["conclusion"] == reading.conclusion


def test_what_is_not_measured_has_no_reading_and_what_failed_is_not_interpretable(classifier, some):
    unmeasured = replace(classifier.preparation, measures=False)
    (prediction,) = classifier.predict_prepared([unmeasured.prepare(some[0])])
    assert prediction.reading is None
    assert classifier.interpret(prediction, some[0]) == classifier.read(some[0])
    failed = failed_prediction("x", classifier.classes, "a.dcm: why")
    assert (failed.reading.conclusion, failed.reading.reason) == ("not interpretable", "a.dcm: why")
    silent = classifier.predict(replace(some[0], signal=np.zeros_like(some[0].signal)))
    assert (silent.reading.conclusion, silent.reading.reason) == ("not interpretable", silent.notes[0])


def test_notebooks_show_the_reading_first_and_escape_it(classifier, some):
    reading = Reading("abnormal", "5 > 4.", alerts=("<b>Pause",), notes=("a & b",))
    page = replace(classifier.predict(some[0]), reading=reading, notes=("a & b", "c"))._repr_html_()
    assert page.startswith("<p><strong>&lt;b&gt;Pause</strong></p><table><caption>Abnormal ECG: 5 &gt; 4.")
    assert (page.count("a &amp; b"), page.count("<p>c</p>")) == (1, 1)


def test_a_classifier_is_shown_in_a_few_lines(classifier):
    shown = repr(replace(classifier, description=replace(classifier.description, seen=(False,) + (True,) * 23)))
    assert shown.startswith("<Classifier: 24 outputs (24 classes, 0 findings)")
    assert "windows of 10 s at 100 Hz, computed by onnx in float32" in shown
    assert "never learned: 1st degree AV block>" in shown
    assert len(shown.splitlines()) <= 3
