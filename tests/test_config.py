"""Configurations: what is read, and that every mistake is named."""

import pytest

from cnn_gap.config import CONFIGS, Config, from_dict, read_config, to_dict
from cnn_gap.errors import InputError

NETWORK = "[network]\nfilters = [4, 8]\nkernels = [5, 3]\npooling = [2, 1]\n"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid_and_survives_a_round_trip(path):
    config = read_config(path)
    assert from_dict(Config, to_dict(config)) == config


def test_what_is_left_out_has_its_default(tmp_path):
    path = tmp_path / "short.toml"
    path.write_text(NETWORK + "[training]\nepochs = 3\nlearning_rate = 1\n")
    config = read_config(path)
    assert config.training.epochs == 3
    assert config.training.learning_rate == 1.0
    assert config.preprocessing.window_s == 10.0


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (NETWORK + "[training]\nepoch = 3\n", "training.epoch;"),
        (NETWORK + "[traning]\n", "traning"),
        (NETWORK + '[training]\nepochs = "3"\n', "training.epochs must be of type int; received '3'"),
        (NETWORK + "[training]\nepochs = true\n", "training.epochs must be of type int; received True"),
        (NETWORK + "[training]\nepochs = 0\n", "training.epochs must be from 1"),
        (NETWORK + '[training]\nloss = "mse"\n', "training.loss must be one of"),
        (NETWORK + "[preprocessing]\noverlap = 1.5\n", "preprocessing.overlap"),
        (NETWORK.replace("[4, 8]", "[4, 8.5]"), r"network.filters\[1\] must be of type int"),
        (NETWORK.replace("[4, 8]", "4"), "network.filters must be a list"),
        ("[training]\nepochs = 3\n", "missing key network"),
        ("network = 3\n", "network must be a table"),
        ("[network\n", "not valid TOML"),
    ],
)
def test_every_mistake_names_the_file_and_the_key(tmp_path, text, named):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=named) as error:
        read_config(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.toml"):
        read_config(tmp_path / "absent.toml")
