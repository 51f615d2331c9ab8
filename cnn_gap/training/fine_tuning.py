"""Trained models to start a training from, for the same diagnoses or for others."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.model.folder import ModelDescription, load_model
from cnn_gap.network.architecture import copy_weights
from cnn_gap.network.options import Network
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import from_dict
from cnn_gap.training.config import Config

#: Options of the network that are no blocks: a configuration that names none keeps the trained model's.
_HEAD = frozenset({"momentary", "moment_steps"})


@dataclass(frozen=True, eq=False)
class PretrainedModel:
    """The trained model that a training starts from.

    Attributes
    ----------
    network : keras.Model
    description : ModelDescription
    blocks : Network
        The options that the network was built with.
    """

    network: keras.Model
    description: ModelDescription
    blocks: Network

    @property
    def fingerprint(self) -> str:
        """A digest of the weights."""
        return weights_digest(self.network)

    def configure(self, config: Config) -> Config:
        """Return `config` with the trained model's blocks and preprocessing.

        The configuration also decides on dropout, which has no weights, and on the diagnoses that may last for
        a moment, if it names some.
        """
        asked = config.network
        blocks = replace(self.blocks, dropout=asked.dropout, last_dropout=asked.last_dropout)
        if asked.momentary:
            blocks = replace(blocks, momentary=asked.momentary, moment_steps=asked.moment_steps)
        return replace(config, network=blocks, preprocessing=self.description.preprocessing)

    def left_out(self, config: Config, classes: ClassSet) -> Iterator[str]:
        """Yield a line on settings of `config` that are not used, and one on findings that `classes` lack."""
        if settings := self._unused(config):
            yield (
                "blocks and preprocessing are those of the model that the training starts from; these settings"
                f" of the configuration are not used: {', '.join(settings)}"
            )
        known = set(classes.codes)
        lost = [each for each in self.description.findings if known.isdisjoint(each.codes)]
        if lost:
            shipped = {code for each in read_findings("scp") for code in each.codes}
            table = "scp" if all(shipped.issuperset(each.codes) for each in lost) else "TABLE.csv"
            yield (
                f"the new model will not answer {len(lost)} findings that the model to start from answers;"
                f" to keep them, add --findings {table}"
            )

    def _unused(self, config: Config) -> list[str]:
        """Return the names of settings of blocks and preprocessing that differ from the trained model's."""
        used = self.configure(config)
        tables: tuple[tuple[str, Any, Any], ...] = (
            ("network", config.network, used.network),
            ("preprocessing", config.preprocessing, used.preprocessing),
        )
        return [
            f"{table}.{each.name}"
            for table, asked, kept in tables
            for each in fields(asked)
            if each.name not in _HEAD and getattr(asked, each.name) != getattr(kept, each.name)
        ]

    def matches(self, classes: ClassSet) -> dict[int, int]:
        """Return, for each of `classes` that shares a code with a trained class, the index of that class."""
        of_code = {
            code: index for index, codes in enumerate(self.description.class_set.outputs) for code in codes
        }
        found = {
            index: next((of_code[code] for code in codes if code in of_code), None)
            for index, codes in enumerate(classes.outputs)
        }
        return {index: other for index, other in found.items() if other is not None}

    def copy_weights(self, network: keras.Model, classes: ClassSet) -> None:
        """Copy the trained weights to a network of the same blocks; new classes keep their initial weights."""
        copy_weights(self.network, network, but=("probabilities",))
        dense = network.get_layer("probabilities")
        kernel, bias = dense.get_weights()
        trained_kernel, trained_bias = self.network.get_layer("probabilities").get_weights()
        for index, other in self.matches(classes).items():
            kernel[:, index], bias[index] = trained_kernel[:, other], trained_bias[other]
        dense.set_weights([kernel, bias])

    def seen(self, classes: ClassSet) -> np.ndarray:
        """Return which of `classes` the trained model has seen in training, shape (classes,), bool."""
        return self._take(np.array(self.description.seen), classes, False)

    def thresholds(self, classes: ClassSet) -> np.ndarray:
        """Return the trained model's thresholds of `classes`, shape (classes,); inf where it has none."""
        return self._take(self.description.lowest_probabilities, classes, np.inf)

    def _take(self, trained: np.ndarray, classes: ClassSet, default: float) -> np.ndarray:
        """Return the trained classes' values for `classes`, `default` for a new class."""
        values = np.full(len(classes), default, trained.dtype)
        for index, other in self.matches(classes).items():
            values[index] = trained[other]
        return values


def weights_digest(network: keras.Model) -> str:
    """Return a digest of a network's weights."""
    digest = hashlib.sha256()
    for weights in network.get_weights():
        digest.update(weights.tobytes())
    return digest.hexdigest()[:16]


def read_pretrained_model(folder: Path) -> PretrainedModel:
    """Read a model folder to start from.

    Raises
    ------
    InputError
        If it cannot be loaded, or model.json does not hold the network's options.
    """
    network, description = load_model(folder)
    try:
        blocks = from_dict(Network, description.training.get("config", {}).get("network"), "network.")
    except (InputError, AttributeError) as error:
        raise InputError(f"{Path(folder) / 'model.json'}: cannot be trained on: {error}") from error
    return PretrainedModel(network, description, blocks)
