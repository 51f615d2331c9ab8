"""Trained models that teach another one what labels do not say."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.model.folder import ModelDescription, load_model
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.errors import InputError
from cnn_gap.training.fine_tuning import weights_digest


@dataclass(frozen=True, eq=False)
class Teacher:
    """The model whose probabilities another one learns beside the labels.

    Labels say yes or no, and some are wrong or left out; probabilities say how sure one can be (Hinton et al.
    2015, "Distilling the knowledge in a neural network"). A network learns from one of its own kind, too
    (Furlanello et al. 2018, "Born-again neural networks").

    Attributes
    ----------
    folder : Path
        Of the model.
    network : keras.Model
    description : ModelDescription
    """

    folder: Path
    network: keras.Model
    description: ModelDescription

    @property
    def fingerprint(self) -> str:
        """A digest of the weights."""
        return weights_digest(self.network)

    def require_match(self, classes: ClassSet, preprocessing: Preprocessing) -> None:
        """Raise an `InputError` unless the model answers `classes` from windows that are prepared so."""
        if self.description.class_set.outputs != classes.outputs:
            raise InputError(
                f"{self.folder}: cannot teach: it must answer the same classes and findings; received one with"
                f" {len(self.description.class_set)} for {len(classes)}"
            )
        if self.description.preprocessing != preprocessing:
            raise InputError(
                f"{self.folder}: cannot teach: it must take windows of the same preprocessing; received"
                f" {self.description.preprocessing}"
            )


def blend(
    labels: np.ndarray, teachers: Sequence[Teacher], probabilities: Sequence[np.ndarray], share: float
) -> np.ndarray:
    """Return what to learn from labels and teachers, float32 of shape (records, outputs).

    Parameters
    ----------
    labels : ndarray, shape (records, outputs), bool
    teachers : sequence of Teacher
        At least one.
    probabilities : sequence of ndarray, shape (records, outputs)
        What each teacher says of the same records; their mean is learned. Several networks err less than one.
    share : float
        Of the probabilities. A class that a teacher has never seen is learned from the labels alone.
    """
    seen = np.all([teacher.description.seen for teacher in teachers], axis=0)
    shares = np.where(seen, share, 0.0)
    return ((1 - shares) * labels + shares * np.mean(probabilities, axis=0)).astype(np.float32)


def read_teacher(folder: Path) -> Teacher:
    """Read a model folder to learn from.

    Raises
    ------
    InputError
        If it cannot be loaded.
    """
    return Teacher(Path(folder), *load_model(folder))
