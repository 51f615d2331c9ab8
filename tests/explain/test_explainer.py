"""Explaining records: the explained classes, their time axis, and what each lead adds."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from scipy.special import logit

from cnn_gap.classifier import load_classifier
from cnn_gap.explain import explainer
from cnn_gap.explain.explainer import named_classes
from cnn_gap.explain.regions import Level
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.predict.prediction import Prediction
from cnn_gap.simulation import simulate_record
from cnn_gap.system.errors import InputError


@pytest.fixture(scope="module")
def classifier(model):
    return load_classifier(model)


@pytest.fixture(scope="module")
def record(records):
    return read_record(find_records(records)[0])


def _logits(classifier, record, lead=None):
    windows = classifier.windows(record)
    if lead is not None:
        windows[..., lead] = 0
    return _logits_of(classifier, windows)


def _logits_of(classifier, windows):
    return logit(classifier.run_with_maps(windows)[0])[0]


def test_an_explanation_has_the_predictions_probabilities_and_the_records_samples(classifier, record):
    prediction = classifier.predict(record)
    explanation = classifier.explain(record, classes=classifier.classes.representatives)
    assert [each.codes for each in explanation.classes] == list(classifier.classes.classes)
    np.testing.assert_allclose(
        [e.probability for e in explanation.classes], prediction.probabilities, atol=1e-6
    )
    np.testing.assert_array_equal([e.label for e in explanation.classes], prediction.labels)
    assert [each.threshold for each in explanation.classes] == list(classifier.description.thresholds)
    assert {each.activation.shape for each in explanation.classes} == {(1000,)}
    np.testing.assert_allclose(explanation.times[[0, 1, -1]], [0, 0.01, 9.99])
    assert explanation.stride_s == 0.16
    assert explanation.receptive_field_s == pytest.approx((9 + 3 + 4 * 4 + 3 * 4 + 4 * 16) / 100)
    assert explanation.record is record


def test_a_path_and_a_batch_are_explained_as_the_record_alone(classifier, records):
    paths = find_records(records)[:5]
    batch = classifier.explain_batch([read_record(path) for path in paths], classes=["AF"])
    for path, together in zip(paths, batch, strict=True):
        alone = classifier.explain(str(path), classes=["AF"])
        np.testing.assert_allclose(together["AF"].activation, alone["AF"].activation, atol=1e-4)
        assert together.record.name == alone.record.name == path.stem
    assert classifier.explain_batch([]) == []


def test_a_batch_takes_paths_records_and_signals(classifier, records, record, monkeypatch):
    monkeypatch.setattr("cnn_gap.classifier.RECORDS_EXPLAINED_AT_ONCE", 2)
    paths = find_records(records)[:3]
    mixed = [str(paths[0]), paths[1], read_record(paths[2]), record.signal]
    batch = classifier.explain_batch(mixed, "AF", level="absolute:0", sampling_rate=100, leads=LEADS)
    assert [each.record.name for each in batch] == [*(path.stem for path in paths), "3"]
    np.testing.assert_allclose(batch[3]["AF"].activation, batch[0]["AF"].activation, atol=1e-4)
    assert {each["AF"].level for each in batch} == {0.0}
    named = classifier.explain_batch(iter(paths[:2]), names=["a", "b"])
    assert [each.record.name for each in named] == ["a", "b"]


def test_a_batch_names_the_record_that_cannot_be_read(classifier, record, tmp_path):
    with pytest.raises(InputError, match="absent"):
        classifier.explain_batch([record, tmp_path / "absent"])
    for wrong in (record, "A0001", record.signal):
        with pytest.raises(InputError, match=r"expected several records; received .*; explain takes one"):
            classifier.explain_batch(wrong)


def test_leads_as_a_bool_is_deprecated(classifier, record):
    with pytest.warns(DeprecationWarning, match="with_leads"):
        explanation = classifier.explain(record, "AF", leads=True)
    assert explanation["AF"].lead_shares is not None


def test_the_maps_mean_is_the_logit_without_its_bias(classifier, record):
    explanation = classifier.explain(record, classes="top24")
    order = [classifier.classes.find(each.codes[0]) for each in explanation.classes]
    bias = classifier.network.get_layer("probabilities").get_weights()[1][order]
    # Ends are held when the map is brought to the record's samples, so this is near, not exact.
    means = np.array([each.activation.mean() for each in explanation.classes])
    maps = classifier.run_with_maps(classifier.windows(record))[1][0].mean(axis=0)[order]
    np.testing.assert_allclose(maps + bias, _logits(classifier, record)[order], atol=1e-4)
    np.testing.assert_allclose(means, maps, atol=0.1 * np.abs(maps).max())


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["AF", "RBBB", "63593006"], ["AF", "CRBBB", "PAC"]),
        (["af", "164889003"], ["AF"]),
        ("PVC, sb", ["PVC", "SB"]),
    ],
)
def test_classes_by_abbreviation_code_or_equivalent(classifier, record, classes, expected):
    explanation = classifier.explain(record, classes=classes)
    assert [each.diagnosis.abbreviation for each in explanation.classes] == expected
    for name in classes if isinstance(classes, list) else ["17338001"]:
        assert explanation[name] in explanation.classes


def test_the_most_probable_classes(classifier, record):
    order = np.argsort(-classifier.predict(record).probabilities, kind="stable")
    explained = classifier.explain(record, classes="top3").classes
    assert [classifier.classes.find(each.codes[0]) for each in explained] == order[:3].tolist()


def _predicted(classes, probabilities, answered=()):
    """Return a prediction with these probabilities by short name, and the others 0."""
    places = {name: index for index, name in enumerate(classes.short_names)}
    values, labels = np.zeros(len(classes)), np.zeros(len(classes), bool)
    for name, probability in probabilities.items():
        values[places[name]] = probability
    labels[[places[name] for name in answered]] = True
    return Prediction("A", classes, values, labels)


@pytest.mark.parametrize(
    ("probabilities", "answered", "expected"),
    [
        ({"AF": 0.9, "AFIB": 0.8, "PVC": 0.7, "SCP-ECG:PVC": 0.6, "SB": 0.5}, (), ["AF", "PVC", "SB"]),
        ({"AFIB": 0.9, "PVC": 0.8, "AF": 0.7, "SB": 0.6}, (), ["AFIB", "PVC", "SB"]),
        ({"AFIB": 0.9, "PVC": 0.8, "AF": 0.7, "SB": 0.6}, ("AF",), ["AF", "PVC", "SB"]),
        ({"AFIB": 0.9, "PVC": 0.8, "AF": 0.7, "SB": 0.6}, ("AF", "AFIB"), ["AFIB", "PVC", "SB"]),
    ],
)
def test_the_most_probable_diagnoses_are_different_ones(with_findings, probabilities, answered, expected):
    prediction = _predicted(with_findings.classes, probabilities, answered)
    chosen = explainer.chosen_classes(prediction, "top3")
    assert [with_findings.classes.short_names[index] for index in chosen] == expected
    assert len(explainer.chosen_classes(prediction, "all")) == len(with_findings.classes)


def test_the_answered_among_all_are_what_is_explained_by_itself(classifier, record):
    every = classifier.explain(record, classes="all")
    assert len(every.classes) == len(classifier.classes)
    codes = [each.codes for each in every.answered.classes]
    assert codes == [each.codes for each in classifier.explain(record).classes]
    one = replace(every, classes=tuple(replace(each, label=False) for each in every.classes[::-1]))
    assert [each.codes for each in one.answered.classes] == [every.classes[0].codes]


@pytest.mark.parametrize("answered", [True, False])
def test_what_is_answered_is_explained_or_the_most_probable(classifier, record, answered):
    thresholds = (1e-9 if answered else None,) * len(classifier.classes)
    described = replace(classifier.description, thresholds=thresholds)
    explained = replace(classifier, description=described).explain(record).classes
    assert len(explained) == (len(thresholds) if answered else 1)
    assert explained[0].probability == max(classifier.predict(record).probabilities)


@pytest.mark.parametrize("classes", [["nonsense"], "AF,nonsense", [], "top0", "topmost", [""]])
def test_unknown_classes_are_refused_with_what_there_is(classifier, classes):
    with pytest.raises(InputError, match="abbreviation"):
        named_classes(classifier.classes, classes)


def test_a_class_that_was_not_asked_for_is_not_there(classifier, record):
    with pytest.raises(InputError, match="explained are AF; received PVC"):
        classifier.explain(record, classes=["AF"])["PVC"]


def test_a_leads_share_is_the_fall_of_the_logit_without_it(classifier, record):
    explained = classifier.explain(record, classes="top3", with_leads=True)
    whole = _logits(classifier, record)
    for lead in (0, 7):
        without = _logits(classifier, record, lead)
        for each in explained.classes:
            index = classifier.classes.find(each.codes[0])
            assert each.lead_shares[lead] == pytest.approx(whole[index] - without[index], abs=1e-3)


def test_what_a_lead_adds_at_a_time_is_the_slope_of_the_logit_there(classifier, record):
    """If 0.3 s of a lead are scaled a little, the logit changes by what the lead adds there."""
    explained = classifier.explain(record, classes=["AF", "LBBB"], with_leads=True)
    window = classifier.windows(record)
    step, lead, change = 30, 7, 1e-2
    middle = step * classifier.map_stride + classifier.map_stride // 2
    scaled = window.copy()
    scaled[:, middle - 15 : middle + 15, lead] *= 1 + change
    moved = _logits_of(classifier, scaled) - _logits_of(classifier, window)
    for each in explained.classes:
        assert each.lead_activation.shape == (1000, 12)
        index = classifier.classes.find(each.codes[0])
        share = np.interp(middle / 100, explained.times, each.lead_activation[:, lead]) * 30 / 1000
        assert share == pytest.approx(moved[index] / change, rel=0.25, abs=1e-3)


def test_an_absent_lead_has_no_share(classifier):
    signal = simulate_record("three", ["164889003"], 250.0, 12.0, seed=0).signal[:, 6:9]
    three = classifier.explain(signal, "AF", with_leads=True, sampling_rate=250.0, leads=["V1", "V2", "V3"])
    explained = three["AF"]
    absent = [lead not in ("V1", "V2", "V3") for lead in LEADS]
    assert not explained.lead_shares[absent].any()
    assert not explained.lead_activation[:, absent].any()
    assert explained.lead_shares[np.logical_not(absent)].all()


@pytest.mark.parametrize(("seconds", "rate"), [(0.01, 100.0), (3.0, 257.0), (70.0, 500.0)])
def test_any_length_and_rate(classifier, seconds, rate):
    samples = round(seconds * rate)
    signal = np.random.default_rng(1).normal(size=(samples, 12)).astype(np.float32)
    explained = classifier.explain(signal, "top2", sampling_rate=rate, leads=LEADS).classes
    for each in explained:
        assert each.activation.shape == (samples,)
        assert np.isfinite(each.activation).all()
        for region in each.regions:
            assert 0 <= region.start_s < region.end_s <= samples / rate
            assert region.activation > each.level


def test_the_level_makes_the_regions(classifier, record):
    low = classifier.explain(record, "AF", level=Level("percentile", 0))["AF"]
    high = classifier.explain(record, "AF", level=Level("absolute", 1e6))["AF"]
    assert low.level == max(0, low.activation.min())
    shown = sum(region.end_s - region.start_s for region in low.regions)
    assert shown == pytest.approx((low.activation > low.level).sum() / record.sampling_rate)
    assert high.regions == ()


def test_a_finding_is_found_by_its_own_names(with_findings):
    explanation = with_findings.explain(ROOT / "test_data" / "SIM0008", "all")
    scored, finding = explanation["PVC"], explanation["scp-ecg:PVC"]
    assert (scored.codes[0], finding.codes[0]) == ("427172004", "PVC")
    assert explanation["IMI"].diagnosis.name == "Inferior myocardial infarction"
    for name in ("AF", "SCP-ECG:AFIB", "IMI"):
        assert explanation[name].codes == with_findings.classes.outputs[with_findings.classes.find(name)]


def test_a_record_whose_maps_are_too_many_is_refused(classifier, record, monkeypatch):
    monkeypatch.setattr(explainer, "LARGEST_MAPS", 24 * 999)
    with pytest.raises(InputError, match=r"SIM0000: lasts 0 minutes; with 24 classes at most 0 of 100 Hz are"):
        classifier.explain(record)
