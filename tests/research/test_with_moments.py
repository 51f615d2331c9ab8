"""A trained model that answers momentary diagnoses by the highest mean, without a training."""

import numpy as np

from cnn_gap.classifier import load_classifier
from cnn_gap.diagnoses.classes import read_weights
from research import with_moments


def test_the_weights_stay_and_momentary_diagnoses_rise(records, model, tmp_path, run_command):
    config = tmp_path / "config.toml"
    config.write_text(
        "[network]\nfilters = [4]\nkernels = [5]\npooling = [1]\n"
        'momentary = ["284470004", "427172004"]\nmoment_steps = 9\n'
    )
    done = run_command(with_moments, [model, records, tmp_path / "m", "--config", config])
    assert done.code == 0
    assert "| PVC |" in done.out
    before, behind = load_classifier(model), load_classifier(tmp_path / "m")
    head, classes = behind.trained.structure.head, read_weights()
    assert np.flatnonzero(head.momentary).tolist() == sorted(map(classes.find, ("PAC", "PVC")))
    for layer in before.network.layers:
        if layer.name.endswith("convolution"):
            kept = behind.network.get_layer(layer.name).get_weights()
            np.testing.assert_array_equal(kept[0], layer.get_weights()[0])
