"""Configurations: how files are read, and that an error names the key at fault."""

import pytest
from conftest import ROOT

from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import from_dict, to_dict
from cnn_gap.system.shipped import SHIPPED_CONFIGS
from cnn_gap.training.config import Config, read_config

NETWORK = "[network]\nfilters = [4, 8]\nkernels = [5, 3]\npooling = [2, 1]\n"


SHIPPED = sorted(SHIPPED_CONFIGS.glob("*.toml"))
CONFIGS = [*SHIPPED, *sorted((ROOT / "research" / "configs").rglob("*.toml"))]


def test_the_wheel_holds_six_configurations():
    names = ["default", "demo", "fine_tuning", "long_crops", "moments", "paper"]
    assert [path.stem for path in SHIPPED] == names


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_configuration_is_valid_and_survives_a_round_trip(path):
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
        (NETWORK + "[augmentation]\ncrop_s = 11.0\n", "augmentation.crop_s must be at most"),
        ("base = 3\n", "base must name"),
        ('base = "absent.toml"\n', r"its base is at fault: \S*absent\.toml: cannot be read"),
        ('base = "wrong.toml"\n', r"its base \S*wrong\.toml is based on it"),
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


def test_a_base_gives_what_is_left_out(tmp_path):
    (tmp_path / "base.toml").write_text(NETWORK + "[training]\nepochs = 3\nbatch_size = 5\n")
    (tmp_path / "other.toml").write_text(
        'base = "base.toml"\n[training]\nepochs = 4\n[augmentation]\nmixup = 0.2\n'
    )
    config = read_config(tmp_path / "other.toml")
    assert (config.training.epochs, config.training.batch_size, config.augmentation.mixup) == (4, 5, 0.2)
    assert config.network == read_config(tmp_path / "base.toml").network


def test_a_base_may_have_a_base_relative_to_its_own_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "first.toml").write_text(
        NETWORK + "[training]\nepochs = 3\nbatch_size = 5\nlearning_rate = 1\n"
    )
    (tmp_path / "deep" / "second.toml").write_text(
        'base = "../first.toml"\n[training]\nepochs = 4\nbatch_size = 6\n'
    )
    (tmp_path / "third.toml").write_text('base = "deep/second.toml"\n[training]\nepochs = 7\n')
    training = read_config(tmp_path / "third.toml").training
    assert (training.epochs, training.batch_size, training.learning_rate) == (7, 6, 1.0)


def test_bases_in_a_circle_are_named(tmp_path):
    (tmp_path / "one.toml").write_text('base = "two.toml"\n')
    (tmp_path / "two.toml").write_text('base = "one.toml"\n')
    with pytest.raises(InputError, match=r"two\.toml: its base \S*one\.toml is based on it"):
        read_config(tmp_path / "one.toml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "[training]\nlearning_rate = " + "9" * 400,
            "learning_rate must be a number that 64 bits can hold; .*400 digits",
        ),
        ("[training]\nepochs = " + "9" * 5000, "not valid TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        (
            "[network]\nfilters = [1000000000]\nkernels = [1]\npooling = [1]",
            "filters must be a list of numbers from 1 to",
        ),
        ("[network]\nfilters = [9999, 9999]\nkernels = [9, 9]\npooling = [1, 1]", "at most 100000000 weights"),
        ("[network]\nfilters = [1, 1]\nkernels = [9, 9]\npooling = [9999, 9999]", "multiply to at most"),
    ],
)
def test_settings_have_bounds_that_say_what_is_allowed(tmp_path, text, reason):
    path = tmp_path / "a.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"a\.toml: .*{reason}"):
        read_config(path)
