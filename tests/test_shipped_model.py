"""The model that the repository ships, with which a newcomer classifies the first recording."""

import json

import keras
import numpy as np
import pytest
from conftest import ROOT

from benchmarks.maps.pointing import covered, pointings, simulated_truth
from benchmarks.maps.waves import QRS_CODES, counted, waves_of
from cnn_gap.classifier import load_classifier
from cnn_gap.io.amplitudes import record_from_signal
from cnn_gap.io.records import read_record
from cnn_gap.io.sources import find_records
from cnn_gap.leads import LEADS
from cnn_gap.network.activation_maps import with_maps
from cnn_gap.network.map_logits import logits_of_maps
from cnn_gap.simulation import QUIET, simulate_record
from cnn_gap.system.settings import from_dict
from cnn_gap.system.shipped import SHIPPED_CONFIGS
from cnn_gap.training.config import Config, read_config

MODEL = ROOT / "model"

#: Its probabilities of simulated records, written by driver.py where it was trained.
EXPECTED = json.loads((ROOT / "tests" / "shipped_probabilities.json").read_text())


@pytest.fixture(scope="module")
def classifier():
    return load_classifier(MODEL)


def test_it_gives_the_probabilities_that_it_gave_where_it_was_trained(classifier):
    records = {path.stem: path for path in find_records(ROOT / "test_data")}
    predictions = classifier.predict_batch([read_record(records[name]) for name in EXPECTED])
    for prediction, expected in zip(predictions, EXPECTED.values(), strict=True):
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-4)


def test_it_is_small_and_of_its_configuration(classifier):
    assert sum(path.stat().st_size for path in MODEL.iterdir()) < 10e6
    assert classifier.network.count_params() < 5e6
    trained = classifier.description.training["config"]
    assert from_dict(Config, trained) == read_config(SHIPPED_CONFIGS / "moments.toml")


def test_it_has_twelve_blocks_global_average_pooling_and_a_dense_layer(classifier):
    layers = classifier.network.layers
    blocks = [layer for layer in layers if layer.name.endswith("_convolution")]
    assert len(blocks) == 12
    assert sum(isinstance(layer, keras.layers.GlobalAveragePooling1D) for layer in layers) == 1
    assert sum(isinstance(layer, keras.layers.Dense) for layer in layers) == 1
    assert classifier.map_stride / classifier.description.preprocessing.sampling_rate <= 0.08


def test_its_logits_are_means_of_its_maps(classifier):
    windows = np.concatenate(
        [classifier.windows(read_record(path)) for path in find_records(ROOT / "test_data")[:4]]
    )
    probabilities, maps = with_maps(classifier.network).predict_on_batch(windows)
    head = classifier.trained.structure.head
    momentary = {classifier.classes.short_names[index] for index in np.flatnonzero(head.momentary)}
    assert momentary == {"PAC", "PVC", "SA", "SCP-ECG:PAC", "SCP-ECG:PVC", "SARRH"}
    logits = logits_of_maps(maps, head.momentary, head.moment_steps) + head.bias
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), probabilities, atol=1e-5)


def test_maps_of_periodic_records_bend_little_at_their_ends(classifier):
    found = []
    for code in ("426783006", "59118001", "164909002", "164889003", "39732003"):
        simulated = simulate_record("periodic", [code], 100.0, 10.0, seed=1, noise=QUIET).signal
        beat = simulated[200:280] - np.linspace(0, 1, 80, endpoint=False)[:, None] * (
            simulated[280] - simulated[200]
        )
        record = record_from_signal(np.tile(beat, (13, 1))[:1000], 100.0, LEADS)
        maps = classifier.run_with_maps(classifier.windows(record))[1][0]
        assert len(maps) == 250  # 20 values a beat
        for end, middle in ((maps[:20], maps[120:140]), (maps[-20:], maps[130:150])):
            found.append(np.abs(end - middle).max(axis=0) / np.abs(middle).max(axis=0))  # (outputs,)
    bent = np.array(found)
    assert np.median(bent) < 0.1
    assert np.mean(bent < 0.25) > 0.9


def test_its_maps_point_at_simulated_premature_beats(classifier):
    found = pointings(classifier, simulated_truth("PAC", 40, seed=5))
    assert np.mean([each.hit for each in found]) >= 0.9
    assert np.mean([each.chance for each in found]) < 0.2


@pytest.mark.parametrize("abbreviation", ["PVC", "LBBB", "CRBBB"])
def test_its_maps_point_at_simulated_complexes(classifier, abbreviation):
    found = pointings(classifier, simulated_truth(abbreviation, 12, seed=6))
    assert np.mean([each.hit for each in found]) >= 0.9


def test_its_maps_lie_on_complexes_that_cardiologists_delineated(classifier, shared):
    waves_of_records = json.loads((shared / "ludb" / "waves.json").read_text())
    hits = []
    for path in find_records(shared / "ludb"):
        record = read_record(path)
        complexes = waves_of(record, waves_of_records[record.name])["N"]
        shown = [code for code in record.codes if code in QRS_CODES]
        if not complexes or not shown:
            continue
        part = counted(record, {"N": complexes})
        inside = covered(len(record.signal), record.sampling_rate, complexes)[part]
        for explained in classifier.explain(record, shown, with_leads=False).classes:
            hits.append(inside[explained.activation[part].argmax()])
    assert len(hits) > 50
    assert np.mean(hits) > 0.95


def test_diagnoses_that_it_has_never_seen_are_named_and_never_answered(classifier):
    unseen = {diagnosis.abbreviation for diagnosis in classifier.unseen}
    assert unseen == {"Brady"}
    thresholds = classifier.description.thresholds
    never = {
        about.abbreviation
        for about, value in zip(classifier.classes.diagnoses, thresholds, strict=True)
        if value is None
    }
    assert never == unseen
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    assert all(diagnosis.name.casefold() in card.casefold() for diagnosis in classifier.unseen)
