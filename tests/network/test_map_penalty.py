"""The penalty on maps: it is lower on the waves than outside, and training moves maps onto the waves."""

from dataclasses import replace

import keras
import numpy as np
from keras import ops

from cnn_gap.beats.wave_steps import WAVES, find_wave_steps
from cnn_gap.diagnoses.classes import known_diagnoses, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.diagnoses.target_waves import target_waves, wave_by_code
from cnn_gap.network.architecture import build_network, copy_weights
from cnn_gap.network.map_penalty import Focus, FocusedMaps
from cnn_gap.network.options import Network
from cnn_gap.simulation.recordings import simulate_record

RATE, STRIDE = 100.0, 4
SMALL = Network((4,), (5,), (4,), dropout=0.0)


def test_a_window_without_heartbeats_has_no_waves_and_no_penalty():
    silent = np.zeros((2, 400, 12), np.float32)
    assert not ops.convert_to_numpy(find_wave_steps(silent, RATE, STRIDE)).any()
    layer = FocusedMaps(Focus(("QRS", "early beat"), 1.0), RATE, STRIDE)
    maps = np.random.default_rng(0).normal(size=(2, 100, 2)).astype(np.float32)
    assert float(layer.penalty(maps.mean(axis=1), maps, silent)) == 0


def test_a_map_on_the_complexes_costs_less_than_one_beside_them():
    record = simulate_record("record", ("426783006",), RATE, 10.0, 1)
    windows = record.signal[None].astype(np.float32)
    complexes = ops.convert_to_numpy(find_wave_steps(windows, RATE, STRIDE))[:, :, [WAVES.index("QRS")]]
    layer = FocusedMaps(Focus(("QRS",), 1.0), RATE, STRIDE)
    logits = np.ones((1, 1), np.float32)
    on, beside = (float(layer.penalty(logits, 20 * steps, windows)) for steps in (complexes, 1 - complexes))
    assert on < 0.1 * beside
    less_likely = float(layer.penalty(logits - 9, 20 * (1 - complexes), windows))
    assert less_likely < 0.1 * beside
    free = FocusedMaps(Focus(("",), 1.0), RATE, STRIDE)
    assert float(free.penalty(logits, 20 * (1 - complexes), windows)) == 0


def test_training_moves_the_maximum_from_the_complexes_onto_the_t_waves():
    keras.utils.set_random_seed(0)
    records = [simulate_record("record", ("426783006",), RATE, 6.0, seed).signal for seed in range(16)]
    windows, labels = np.stack(records).astype(np.float32), np.ones((16, 1), np.float32)
    shares = []
    for weight in (0.0, 5.0):
        network = build_network(SMALL, 12, 1, focus=Focus(("ST-T",), weight))
        network.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
        network.fit(windows, labels, batch_size=16, epochs=60, verbose=0)
        maps = keras.Model(network.input, network.get_layer("probabilities").output).predict_on_batch(windows)
        wanted = ops.convert_to_numpy(find_wave_steps(windows, RATE, STRIDE))[:, :, WAVES.index("ST-T")] > 0
        shares.append(
            np.mean([steps[each.argmax()] for each, steps in zip(maps[:, :, 0], wanted, strict=True)])
        )
    assert shares[1] > 0.9
    assert shares[0] < 0.5


def test_the_probabilities_are_those_of_the_network_without_it():
    focus = Focus(("QRS", "", "P"), 1.0)
    focused, plain = build_network(SMALL, 12, 3, margin=8, focus=focus), build_network(SMALL, 12, 3, margin=8)
    copy_weights(focused, plain)
    windows = np.random.default_rng(2).normal(size=(4, 96, 12)).astype(np.float32)
    np.testing.assert_allclose(focused.predict_on_batch(windows), plain.predict_on_batch(windows), rtol=1e-5)


def test_the_layer_is_rebuilt_from_its_config():
    layer = FocusedMaps(Focus(("QRS", ""), 0.5), RATE, STRIDE, margin=2, name="focused_maps")
    again = FocusedMaps.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.focus == layer.focus


def test_the_table_names_known_diagnoses_and_waves():
    known = {*known_diagnoses(), *(code for finding in read_findings("scp") for code in finding.codes)}
    assert set(wave_by_code()) <= known
    assert set(wave_by_code().values()) == set(WAVES)


def test_a_class_and_the_finding_that_teaches_it_are_shown_by_the_same():
    classes = replace(read_weights(), findings=read_findings("scp"))
    waves = dict(zip(classes.outputs, target_waves(classes), strict=True))
    for finding in classes.findings:
        for codes in classes.classes:
            if set(codes) & set(finding.teaches):
                assert waves[codes] == waves[finding.codes], finding.name
