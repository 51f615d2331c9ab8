"""The functions that the 2021 Challenge's harness calls.

The harness may replace `helper_code.py`, `train_model.py` and `test_model.py` by its own, so this file uses the
package alone.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnn_gap.classifier import Classifier, load_classifier
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.io.headers import parse_header
from cnn_gap.io.stored_values import record_from_digital
from cnn_gap.leads import canonical_lead
from cnn_gap.training.config import read_config
from cnn_gap.training.train import train_model


@dataclass(frozen=True, eq=False)
class LeadModel:
    """A classifier and the leads that it may look at."""

    classifier: Classifier
    leads: tuple[str, ...]


def training_code(data_directory: str, model_directory: str) -> None:
    """Train with the default configuration; an unfinished training in `model_directory` is resumed."""
    model = Path(model_directory)
    unfinished = (model / "checkpoint").exists()
    train_model(Path(data_directory), model, read_config(), read_weights(), resume=unfinished)


def load_model(model_directory: str, leads: tuple[str, ...]) -> LeadModel:
    """Load the model for records of `leads`; one network serves every set of leads."""
    return LeadModel(load_classifier(model_directory), tuple(map(canonical_lead, leads)))


def run_model(model: LeadModel, header: str, recording: np.ndarray) -> tuple[list[str], list[int], list[float]]:
    """Classify a recording.

    Parameters
    ----------
    model : LeadModel
        From `load_model`.
    header : str
        The header's text.
    recording : ndarray, shape (leads, samples), integers
        Digital amplitudes in the order of the header.

    Returns
    -------
    classes : list of str
        Every code.
    labels : list of int
        0 or 1 for each.
    probabilities : list of float

    Raises
    ------
    InputError
        If the recording does not fit the header, or has none of the model's leads.
    """
    record = record_from_digital(parse_header(header, "the header"), np.asarray(recording), model.leads)
    prediction = model.classifier.predict(record)
    classes = prediction.classes
    labels = [int(label) for label in classes.expand(prediction.labels)]
    return list(classes.codes), labels, [float(p) for p in classes.expand(prediction.probabilities)]
