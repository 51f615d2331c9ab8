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
from cnn_gap.training.teacher_table import TableTeacher, read_teacher_table


@dataclass(frozen=True, eq=False)
class Teacher:
    """A trained model whose probabilities another network learns together with the labels.

    Labels are yes or no, and some are wrong or missing; a model's probabilities also say how certain it is
    (Hinton et al. 2015, "Distilling the knowledge in a neural network"). The teacher may have the same
    architecture as the network that learns (Furlanello et al. 2018, "Born-again neural networks").

    Attributes
    ----------
    path : Path
        The model's folder.
    network : keras.Model
    description : ModelDescription
    """

    path: Path
    network: keras.Model
    description: ModelDescription

    @property
    def fingerprint(self) -> str:
        """A digest of the weights."""
        return weights_digest(self.network)

    @property
    def summary(self) -> dict[str, str]:
        """The entry of the teacher in the description of the model that it has taught."""
        return {"folder": self.path.name, "weights": self.fingerprint}

    def knows(self, classes: ClassSet) -> np.ndarray:
        """Return which outputs of `classes`, which are the model's own, were trained, (outputs,) bool."""
        return np.array(self.description.seen)

    def require_match(self, classes: ClassSet, preprocessing: Preprocessing) -> None:
        """Raise an `InputError` unless the model predicts `classes` from windows of this preprocessing."""
        if self.description.class_set.outputs != classes.outputs:
            raise InputError(
                f"{self.path}: cannot teach: it must answer the same classes and findings; received one with"
                f" {len(self.description.class_set)} for {len(classes)}"
            )
        if self.description.preprocessing != preprocessing:
            raise InputError(
                f"{self.path}: cannot teach: it must take windows of the same preprocessing; received"
                f" {self.description.preprocessing}"
            )


def blend(
    labels: np.ndarray, known: Sequence[np.ndarray], probabilities: Sequence[np.ndarray], share: float
) -> np.ndarray:
    """Return the targets that a network learns, (records, outputs) float32: labels blended with probabilities.

    Parameters
    ----------
    labels : ndarray, shape (records, outputs), bool
    known : sequence of ndarray, shape (outputs,), bool
        Which outputs each teacher knows; at least one teacher.
    probabilities : sequence of ndarray, shape (records, outputs)
        Of each teacher for the same records. Their mean is blended in: it is more accurate than one model.
    share : float
        Weight of the probabilities, from 0 to 1. It is 0 for outputs that one of the teachers does not know.
    """
    shares = np.where(np.all(known, axis=0), share, 0.0)
    return np.asarray((1 - shares) * labels + shares * np.mean(probabilities, axis=0), np.float32)


def read_teacher(path: Path) -> Teacher | TableTeacher:
    """Read a model folder, or a table of a model's probabilities, as a teacher.

    Raises
    ------
    InputError
        If it cannot be loaded.
    """
    path = Path(path)
    return read_teacher_table(path) if path.is_file() else Teacher(path, *load_model(path))
