"""A network's file is looked at before Keras loads it."""

import io
import json
import os
import shutil
import zipfile

import h5py
import numpy as np
import pytest

from cnn_gap.model import archive
from cnn_gap.model.archive import MEMBERS, check_archive, check_weights
from cnn_gap.model.folder import load_model
from cnn_gap.system.errors import InputError


@pytest.fixture
def folder(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("cache"))
    return folder


def _rewrite(folder, **members):
    """Replace members of the archive by name without its suffix."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {next(name for name in content if name.startswith(key)): value for key, value in members.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            archive.writestr(name, value)


def _refused(folder, reason):
    with pytest.raises(InputError, match=reason) as error:
        load_model(folder)
    assert str(error.value).startswith(str(folder))
    assert "\n" not in str(error.value)


def test_what_training_wrote_is_accepted(folder):
    check_archive(folder / "model.keras")


@pytest.mark.parametrize("member", MEMBERS)
def test_a_small_archive_cannot_unpack_to_gigabytes(folder, member, monkeypatch):
    monkeypatch.setitem(MEMBERS, member, 1 << 22)
    _rewrite(folder, **{member.split(".")[0]: bytes((1 << 22) + 1)})
    assert (folder / "model.keras").stat().st_size < 1 << 20
    _refused(folder, f"{member} unpacks to 4194305 bytes; at most 4194304")


@pytest.mark.parametrize("size", [0, 100, 5000, -1])
def test_a_cut_file_is_called_damaged(folder, size):
    path = folder / "model.keras"
    path.write_bytes(path.read_bytes()[:size])
    _refused(folder, r"model\.keras: cannot be loaded; it is damaged or incomplete")


def test_a_file_that_no_model_has_is_refused(folder):
    with zipfile.ZipFile(folder / "model.keras", "a") as archive:
        archive.writestr("../../evil", b"")
    _refused(folder, "must hold metadata.json, config.json, model.weights.h5")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_model(folder):
    (folder / "model.keras").unlink()
    os.mkfifo(folder / "model.keras")
    _refused(folder, "not a regular file|not found")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("filters", 10**9, "filters must be at most"),
        ("filters", 10**6, "weights; at most"),
        ("kernel_size", [10**9], "kernel_size must be at most"),
    ],
)
def test_layers_larger_than_a_network_are_refused(folder, key, value, reason):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "Conv1D":
            layer["config"][key] = value
    _rewrite(folder, config=json.dumps(config))
    _refused(folder, reason)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('{"module": "os", "class_name": "system", "config": {"command": "touch evil"}}', "Keras's own layers"),
        (
            '{"module": "keras.utils", "class_name": "get_file", "config": {"origin": "x"}}',
            "Keras's own layers",
        ),
        ("[" * 100_000 + "]" * 100_000, "damaged|nested"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested at most"),
        ("9" * 5000, "damaged"),
        ("{", "damaged"),
        ("[]", "cannot be loaded|damaged"),
    ],
)
def test_configurations_of_no_network_are_refused(folder, config, reason):
    _rewrite(folder, config=config)
    _refused(folder, reason)


def _weights(write):
    file = io.BytesIO()
    with h5py.File(file, "w") as held:
        write(held)
    return file.getvalue()


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda held: held.create_dataset("a", (10**12,), "f4", chunks=(10**6,)), "more than a network"),
        (lambda held: held.__setitem__("a", h5py.ExternalLink("/etc/passwd", "/")), "is a link"),
        (lambda held: held.__setitem__("a", h5py.SoftLink("/b")), "is a link"),
        (
            lambda held: held.create_dataset("a", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
            "no array of numbers",
        ),
        (lambda held: held.create_dataset("a", data=["text"]), "no array of numbers"),
        (lambda held: held.__setitem__("a", held), "more than a network"),
    ],
)
def test_weights_are_numbers_in_the_file_itself(folder, tmp_path, write, reason, monkeypatch):
    monkeypatch.setattr(archive, "MOST_OBJECTS", 100)
    content = _weights(write)
    (tmp_path / "a.weights.h5").write_bytes(content)
    with pytest.raises(InputError, match=rf"a\.weights\.h5: .*{reason}"):
        check_weights(tmp_path / "a.weights.h5")
    _rewrite(folder, model=content)
    _refused(folder, reason)


def test_usual_weights_pass(tmp_path):
    (tmp_path / "a.weights.h5").write_bytes(_weights(lambda held: held.create_dataset("a/b", data=np.ones(3))))
    check_weights(tmp_path / "a.weights.h5")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content["classes"].__setitem__(0, ["\x1b[2J"]), "control characters"),
        (lambda content: content["classes"].__setitem__(0, ["\ud800"]), "control characters"),
        (lambda content: content["weights"][0].__setitem__(0, 1e308), "at most 1e"),
        (lambda content: content["thresholds"].__setitem__(0, 10**400), "401 digits"),
        (
            lambda content: content["training"].__setitem__("deep", json.loads("[" * 80 + "]" * 80)),
            "nested at most",
        ),
    ],
)
def test_descriptions_have_bounds(folder, change, reason):
    content = json.loads((folder / "model.json").read_text())
    change(content)
    (folder / "model.json").write_text(json.dumps(content))
    _refused(folder, reason)
