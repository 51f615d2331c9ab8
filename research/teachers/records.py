"""The records that teachers learn from: the windows, labels and split that the pupil has, too."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.training.config import read_config
from cnn_gap.training.experiment import Sources, prepare_experiment
from cnn_gap.training.teacher_table import read_teacher_table

#: Windows without filter and margins: crops need no margins, and a teacher may see what the pupil does not.
PREPROCESSING = Preprocessing(sampling_rate=100.0, window_s=10.0, clip_mv=5.0, slope_mv_s=(3.0, 30.0))


@dataclass(frozen=True, eq=False)
class Records:
    """Labelled records in memory.

    Attributes
    ----------
    names : tuple of str
        Of each of n records.
    windows : Tensor, shape (n, 12, samples), float16
        The first window of each, mV.
    labels, targets : Tensor, shape (n, outputs), float32
        The labels of each record, 0 or 1. A network learns the targets: the labels, or a mean of labels and
        other networks' probabilities (`learning_from`).
    validation : ndarray, shape (n,), bool
        Which records are not trained on.
    patients : ndarray, shape (n,), str
        Whose each record is.
    classes : ClassSet
        What the outputs are.
    """

    names: tuple[str, ...]
    windows: torch.Tensor
    labels: torch.Tensor
    targets: torch.Tensor
    validation: np.ndarray
    patients: np.ndarray
    classes: ClassSet

    def learning_from(self, tables: Sequence[Path], share: float) -> "Records":
        """Return the records, whose targets are a mean of their labels and of the tables' mean probabilities.

        Parameters
        ----------
        tables : sequence of Path
            Tables of probabilities by `write_teacher_table`; if there are none, the targets stay.
        share : float
            Of the probabilities in the mean.
        """
        if not tables:
            return self
        said = [read_teacher_table(path).probabilities_of(self.names, self.classes) for path in tables]
        taught = torch.from_numpy(np.mean(said, axis=0))
        return replace(self, targets=share * taught + (1 - share) * self.labels)


def read_records(
    data: Path, cache: Path, patients: Path | None, weights: Path, seed: int = 0, fraction: float = 0.1
) -> Records:
    """Read a folder of records as the package's training does.

    Parameters
    ----------
    data, cache : Path
        Folders of the records and for the prepared windows.
    patients : Path or None
        Lines of `record,patient`.
    weights : Path
        The Challenge's table of weights, which says what the classes are.
    seed : int
        Of the split, as of the pupil's training.
    fraction : float
        Share of the records to validate on; 0 for records that are predicted alone.
    """
    config = read_config()
    config = replace(
        config,
        preprocessing=PREPROCESSING,
        training=replace(config.training, validation_fraction=fraction),
    )
    classes = replace(read_weights(weights), findings=read_findings("scp"))
    experiment = prepare_experiment(Sources(str(data), cache, patient_table=patients), config, classes, seed)
    examples, store = experiment.examples, experiment.examples.store
    usable = np.flatnonzero(examples.usable)
    windows = store.read(np.array(store.first)[usable]).astype(np.float16).transpose(0, 2, 1)
    labels = torch.from_numpy(examples.labels[usable].astype(np.float32))
    return Records(
        names=tuple(np.array(experiment.names)[usable]),
        windows=torch.from_numpy(np.ascontiguousarray(windows)),
        labels=labels,
        targets=labels,
        validation=np.isin(usable, experiment.partition.validation),
        patients=experiment.partition.patients[usable],
        classes=classes,
    )
