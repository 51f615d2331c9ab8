"""The catalogue of shipped models: names, folders, and the files that a further model needs."""

import pytest

from cnn_gap.classifier import load_classifier
from cnn_gap.model import catalogue
from cnn_gap.model.catalogue import DEFAULT_MODEL, is_model, list_models, model_folder
from cnn_gap.system.errors import InputError
from cnn_gap.system.shipped import SHIPPED_MODEL


def test_the_first_model_is_the_default_and_a_name_stands_for_its_folder():
    assert list_models()[0] == DEFAULT_MODEL
    assert model_folder(DEFAULT_MODEL) == SHIPPED_MODEL
    assert all(is_model(name) for name in list_models())


def test_a_folder_of_the_same_name_takes_precedence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DEFAULT_MODEL).mkdir()
    assert model_folder(DEFAULT_MODEL).resolve() == tmp_path / DEFAULT_MODEL
    assert not is_model(DEFAULT_MODEL)


def test_a_further_model_is_one_entry(model, monkeypatch):
    shipped = list_models()
    monkeypatch.setattr(catalogue, "SHIPPED_MODELS", {**catalogue.SHIPPED_MODELS, "new": model})
    assert list_models() == [*shipped, "new"]
    assert len(load_classifier("new").classes) == 24


def test_what_is_no_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"unknown.model\.json: not found"):
        load_classifier(tmp_path / "unknown")
