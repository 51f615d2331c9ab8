"""Run a trained network: records to windows, windows to probabilities and maps, probabilities to labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import keras
import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, Diagnosis
from cnn_gap.evaluate.thresholds import apply_thresholds
from cnn_gap.io.long_records import LongRecord
from cnn_gap.model.folder import ModelDescription
from cnn_gap.model.runtimes import Compute, Runtime, start_runtime
from cnn_gap.network.activation_maps import map_stride, receptive_field, window_multiple, with_maps
from cnn_gap.network.lead_maps import Gradients, lead_maps, logit_gradients
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import RecordWindows, WindowMaker
from cnn_gap.record import Record
from cnn_gap.signal.pieces import long_prediction_windows, pieces
from cnn_gap.signal.quality import assess_parts, assess_quality
from cnn_gap.signal.windows import NO_SLOPES

#: Windows that the network computes at once: larger batches are no faster on a processor.
LARGEST_BATCH = 64


@dataclass(frozen=True, eq=False, repr=False)
class Predictor:
    """A trained network with all that turns records into windows and probabilities into labels.

    Attributes
    ----------
    network : keras.Model
        From windows to probabilities.
    description : ModelDescription
        Its classes, thresholds and preprocessing.
    runtime : Runtime
        What computes the probabilities of predictions. Explanations are computed by Keras, in float32.
    """

    network: keras.Model
    description: ModelDescription
    runtime: Runtime = field(default_factory=Runtime)

    def __repr__(self) -> str:
        classes, preprocessing = self.classes, self.description.preprocessing
        unseen = ", ".join(each.name for each in self.unseen) or "none"
        return (
            f"<{type(self).__name__}: {len(classes)} outputs ({len(classes.classes)} classes,"
            f" {len(classes.findings)} findings)\n"
            f"  windows of {preprocessing.window_s:g} s at {preprocessing.sampling_rate:g} Hz, computed by"
            f" {self.runtime.resolved} in {self.runtime.precision}\n"
            f"  never learned: {unseen}>"
        )

    @property
    def classes(self) -> ClassSet:
        """The classes and findings that the network tells apart."""
        return self.description.class_set

    @property
    def unseen(self) -> tuple[Diagnosis, ...]:
        """The diagnoses that no training record had: they are never answered."""
        return self.description.unseen

    def windows(self, record: Record) -> np.ndarray:
        """Return the network's windows of a record, (windows, samples, leads) float32 mV."""
        return self.prepare(record).windows

    def prepare(self, record: Record) -> RecordWindows:
        """Return a record's windows and what it is worth."""
        return self.preparation.prepare(record)

    def predict_prepared(self, records: Sequence[RecordWindows]) -> list[Prediction]:
        """Classify records that `prepare` has prepared; a record's probability is the mean over its windows."""
        outputs = self._run_each(self._compute, [record.windows for record in records])
        return self.predictions(records, [probabilities for (probabilities,) in outputs])

    def predict_long(self, record: LongRecord) -> Prediction:
        """Classify a record that is not in memory as if it were."""
        preprocessing = self.description.preprocessing
        looks, slopes = [], NO_SLOPES
        for piece in pieces(record, preprocessing):
            looks.append(assess_quality(piece.record, piece.prepared, preprocessing.sampling_rate))
            slopes = slopes.with_more(piece.prepared.signal, piece.prepared.valid)
        total, count = np.zeros(len(self.classes)), 0
        for windows in long_prediction_windows(record, preprocessing, float(slopes.gain(preprocessing))):
            total += self._run(self._compute, windows)[0].sum(axis=0)
            count += len(windows)
        prepared = RecordWindows(record.name, np.empty(0), assess_parts(looks))
        return self.predictions([prepared], [total[None] / count])[0]

    def predict_windows(self, names: Sequence[str], windows: Sequence[np.ndarray]) -> list[Prediction]:
        """Classify records by their windows alone, whatever these are worth."""
        return self.predict_prepared(list(map(RecordWindows, names, windows)))

    def predictions(
        self, records: Sequence[RecordWindows], probabilities: Sequence[np.ndarray]
    ) -> list[Prediction]:
        """Return the records' predictions from the probabilities of their windows, (windows, classes) each."""
        if not records:
            return []
        means = np.array([each.mean(axis=0) for each in probabilities])
        means[[not record.quality.answerable for record in records]] = 0
        labels = self._answer(means)
        return [
            Prediction(
                record.name,
                self.classes,
                row,
                answers & record.quality.answerable,
                record.quality.notes,
                answerable=record.quality.answerable,
            )
            for record, row, answers in zip(records, means, labels, strict=True)
        ]

    def run_with_maps(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities (windows, classes) and activation maps (windows, steps, classes) of windows.

        Raises
        ------
        InputError
            If the network has no activation maps.
        """
        return self.run_each_with_maps([windows])[0]

    def run_each_with_maps(self, windows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return what `run_with_maps` does for the windows of each record, which may differ in length."""
        outputs = self._run_each(self._network_with_maps.predict_on_batch, windows)
        return [(probabilities, maps) for probabilities, maps in outputs]

    def run_lead_maps(self, windows: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        """Return what each lead adds to classes at the steps of maps, (windows, steps, columns, leads)."""
        preprocessing = self.description.preprocessing
        return lead_maps(
            self.gradients,
            windows,
            columns,
            preprocessing.margin_samples,
            self.map_stride,
            preprocessing.sampling_rate,
        )

    @cached_property
    def gradients(self) -> Gradients:
        """Computes the gradients of logits with respect to the windows' amplitudes."""
        return logit_gradients(self.network)

    @cached_property
    def map_stride(self) -> int:
        """Samples of a window between two steps of the maps."""
        return map_stride(self.network)

    @cached_property
    def preparation(self) -> WindowMaker:
        """How records become windows."""
        return WindowMaker(self.description.preprocessing, self.window_multiple)

    @cached_property
    def window_multiple(self) -> int:
        """Of how many samples a window has a multiple."""
        return window_multiple(self.network)

    @cached_property
    def map_receptive_field(self) -> int:
        """Samples of a window that each step of the maps sees."""
        return receptive_field(self.network)

    @cached_property
    def _compute(self) -> Compute:
        return start_runtime(self.network, self.runtime)

    @cached_property
    def _network_with_maps(self) -> keras.Model:
        return with_maps(self.network)

    def _run_each(self, compute: Compute, windows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, ...]]:
        """Return what is computed of the windows of each record; those of one length are run together."""
        results: dict[int, tuple[np.ndarray, ...]] = {}
        for length in dict.fromkeys(each.shape[1] for each in windows):
            alike = [index for index, each in enumerate(windows) if each.shape[1] == length]
            outputs = self._run(compute, np.concatenate([windows[index] for index in alike]))
            ends = np.cumsum([len(windows[index]) for index in alike])[:-1]
            parts = zip(*(np.split(each, ends) for each in outputs), strict=True)
            results |= dict(zip(alike, parts, strict=True))
        return [results[index] for index in range(len(windows))]

    def _run(self, compute: Compute, windows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return what is computed of windows, in a few fixed batch sizes.

        Keras compiles the network for each new batch size: batches are padded to powers of two.
        """
        results = []
        for start in range(0, len(windows), LARGEST_BATCH):
            batch = windows[start : start + LARGEST_BATCH]
            size = 1 << (len(batch) - 1).bit_length()
            padded = np.pad(batch, ((0, size - len(batch)), (0, 0), (0, 0)))
            outputs = compute(padded)
            several = outputs if isinstance(outputs, list | tuple) else [outputs]
            results.append([each[: len(batch)] for each in several])
        return tuple(np.concatenate(each).astype(np.float64) for each in zip(*results, strict=True))

    def _answer(self, probabilities: np.ndarray) -> np.ndarray:
        thresholds = self.description.lowest_probabilities
        labels = apply_thresholds(probabilities, thresholds)
        if self.description.answers.at_least_one:
            nearest = np.argmax(probabilities - thresholds, axis=1)
            empty = ~labels.any(axis=1)
            labels[empty, nearest[empty]] = True
        return labels
