"""The validation records of a training: their probabilities, the figures of an epoch, and the thresholds."""

import keras
import numpy as np

from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.evaluate.thresholds import DEFAULT_THRESHOLD, out_of_fold_metric, stable_thresholds
from cnn_gap.network.devices import predict_evenly
from cnn_gap.network.structure import structure_of
from cnn_gap.training.batches import cut
from cnn_gap.training.experiment import Experiment
from cnn_gap.training.window_store import WindowStore


def predict_records(
    network: keras.Model, store: WindowStore, records: np.ndarray, batch_size: int
) -> np.ndarray:
    """Return the probabilities of records by index, (len(records), classes): means over a record's windows.

    Records shorter than a window are predicted without the zeros around them.
    """
    windows, owners = store.windows_of(records)
    held, step = np.array(store.held)[owners], structure_of(network).window_multiple
    lengths = np.where(held < store.samples, held - held % step, held)
    predicted = np.empty((len(windows), network.output_shape[-1]), np.float32)
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        for start in range(0, len(alike), batch_size):
            part = alike[start : start + batch_size]
            given = cut(store.read(windows[part]), held[part], int(length))
            predicted[part] = predict_evenly(network, given)
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    return np.asarray(np.add.reduceat(predicted, first) / np.diff(first, append=len(owners))[:, None])


def predict_validation(network: keras.Model, experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and the probabilities of the validation records, both (records, classes)."""
    records, examples = experiment.partition.validation, experiment.examples
    batch_size = experiment.config.training.batch_size
    return examples.labels[records], predict_records(network, examples.store, records, batch_size)


def validate(network: keras.Model, experiment: Experiment) -> dict[str, float]:
    """Return an epoch's figures of the validation records; all are nan where there are none."""
    partition, classes = experiment.partition, experiment.classes
    if not len(partition.validation):
        return dict.fromkeys(("val_loss", "val_auroc", "val_scored_auroc", "val_challenge_metric"), np.nan)
    labels, probabilities = predict_validation(network, experiment)
    auroc = auroc_auprc(labels, probabilities)[0]
    loss = network.loss(labels.astype(np.float32), probabilities)
    return {
        "val_loss": float(keras.ops.convert_to_numpy(loss)),
        "val_auroc": macro_average(auroc),
        "val_scored_auroc": macro_average(auroc[: len(classes.classes)]),
        "val_challenge_metric": out_of_fold_metric(classes, labels, probabilities, experiment.seen),
    }


def choose_model_thresholds(network: keras.Model, experiment: Experiment) -> np.ndarray:
    """Choose the thresholds, (classes,), on the validation records.

    A class that no validation record has keeps the threshold of the model that the training starts from or, if
    it has none, `DEFAULT_THRESHOLD`.
    """
    classes, seen = experiment.classes, experiment.seen
    thresholds, chosen = np.where(seen, DEFAULT_THRESHOLD, np.inf), np.zeros(len(classes), bool)
    if len(experiment.partition.validation):
        labels, probabilities = predict_validation(network, experiment)
        thresholds = stable_thresholds(classes, labels, probabilities, seen)
        chosen = np.asarray(labels.any(axis=0))
    if experiment.start is None:
        return thresholds
    trained = experiment.start.thresholds(classes)
    return np.where(~chosen & seen & np.isfinite(trained), trained, thresholds)
