"""Teachers: trained models whose probabilities another network learns together with the labels."""

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
    """A trained model whose probabilities another network learns together with the labels.

    Labels are yes or no, and some are wrong or missing; a model's probabilities also tell how sure it is
    (Hinton et al. 2015, "Distilling the knowledge in a neural network"). The teacher may have the same
    architecture as the network that learns (Furlanello et al. 2018, "Born-again neural networks").

    Attributes
    ----------
    folder : Path
        The model's folder.
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
        """Raise an `InputError` unless the model predicts `classes` from windows of this preprocessing."""
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
    """Return the targets that a network learns, (records, outputs) float32: labels blended with probabilities.

    Parameters
    ----------
    labels : ndarray, shape (records, outputs), bool
    teachers : sequence of Teacher
        At least one.
    probabilities : sequence of ndarray, shape (records, outputs)
        Of each teacher for the same records. Their mean is blended in: it is more accurate than one model.
    share : float
        Weight of the probabilities, from 0 to 1. It is 0 for classes that one of the teachers has not seen.
    """
    seen = np.all([teacher.description.seen for teacher in teachers], axis=0)
    shares = np.where(seen, share, 0.0)
    return np.asarray((1 - shares) * labels + shares * np.mean(probabilities, axis=0), np.float32)


def read_teacher(folder: Path) -> Teacher:
    """Read a model folder as a teacher.

    Raises
    ------
    InputError
        If it cannot be loaded.
    """
    return Teacher(Path(folder), *load_model(folder))
