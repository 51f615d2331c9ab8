"""Run a trained network: records to windows, windows to probabilities, probabilities to labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cnn_gap.diagnoses.classes import ClassSet, Diagnosis
from cnn_gap.evaluate.thresholds import apply_thresholds
from cnn_gap.holter.monitoring import Monitoring
from cnn_gap.holter.timeline import Timeline, usable_windows
from cnn_gap.io.long_records import LongRecord
from cnn_gap.model.folder import ModelDescription
from cnn_gap.model.runtimes import Compute, Runtime, start_runtime
from cnn_gap.model.trained_network import TrainedNetwork
from cnn_gap.predict.long_answer import record_probabilities, with_premature_beats
from cnn_gap.predict.long_parts import assess_closely
from cnn_gap.predict.long_reading import read_long
from cnn_gap.predict.prediction import Prediction
from cnn_gap.predict.preparation import RecordWindows, WindowMaker
from cnn_gap.reading.alerts import find_alerts
from cnn_gap.reading.degrees import DegreeLimits
from cnn_gap.reading.evidence import Evidence
from cnn_gap.reading.interpret import interpret
from cnn_gap.reading.reading import Reading, not_interpretable
from cnn_gap.record import Record
from cnn_gap.signal.pieces import long_prediction_windows, pieces
from cnn_gap.signal.quality import Quality, assess_parts, assess_quality
from cnn_gap.signal.windows import NO_SLOPES, prediction_starts

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False, repr=False)
class Predictor:
    """A trained network, with how records become windows and probabilities become labels.

    Attributes
    ----------
    trained : TrainedNetwork
        From windows to probabilities.
    description : ModelDescription
        Its classes, thresholds and preprocessing.
    runtime : Runtime
        Library and arithmetic that compute the probabilities. Explanations are computed in float32.
    limits : DegreeLimits
        The probabilities from which on a reading calls a statement present, probable or possible.
    """

    trained: TrainedNetwork
    description: ModelDescription
    runtime: Runtime = field(default_factory=Runtime)
    limits: DegreeLimits = field(default_factory=DegreeLimits)

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
    def network(self) -> "keras.Model":
        """The network as a model of Keras, which is started for it."""
        return self.trained.keras

    @property
    def classes(self) -> ClassSet:
        """The classes and findings that the network predicts."""
        return self.description.class_set

    @property
    def unseen(self) -> tuple[Diagnosis, ...]:
        """The diagnoses that no training record had: they are never answered."""
        return self.description.unseen

    def windows(self, record: Record) -> np.ndarray:
        """Return the network's windows of a record, (windows, samples, leads) float32 mV."""
        return self.prepare(record).windows

    def prepare(self, record: Record | LongRecord) -> RecordWindows:
        """Return the windows of a record, the assessment of its quality and its measurements."""
        return self.preparation.prepare(record)

    def predict_prepared(self, records: Sequence[RecordWindows]) -> list[Prediction]:
        """Classify the windows of records; `predictions` makes a record's probabilities of theirs."""
        outputs = self._run_each(self._compute, [record.windows for record in records])
        return self.predictions(records, [probabilities for (probabilities,) in outputs])

    def predict_long(self, record: LongRecord, prepared: RecordWindows) -> Prediction:
        """Classify a record that is read in parts; its probabilities are the same as if it were in memory.

        Parameters
        ----------
        record : LongRecord
        prepared : RecordWindows
            Of `prepare`: its measurements.
        """
        preprocessing = self.description.preprocessing
        assessments, slopes = [], NO_SLOPES
        for piece in pieces(record, preprocessing):
            assessments.append(assess_quality(piece.record, piece.prepared, preprocessing.sampling_rate))
            slopes = slopes.with_more(piece.prepared.signal, piece.prepared.valid)
        groups = []
        for windows in long_prediction_windows(record, preprocessing, float(slopes.gain(preprocessing))):
            groups.append(self._run(self._compute, windows)[0])
        quality = assess_closely(record, assess_parts(assessments), preprocessing)
        assessed = replace(prepared, quality=quality)
        (prediction,) = self.predictions([assessed], [np.concatenate(groups)])
        return prediction

    def predict_windows(self, names: Sequence[str], windows: Sequence[np.ndarray]) -> list[Prediction]:
        """Classify the windows of records without an assessment of their quality."""
        return self.predict_prepared(list(map(RecordWindows, names, windows)))

    def predictions(
        self, records: Sequence[RecordWindows], probabilities: Sequence[np.ndarray]
    ) -> list[Prediction]:
        """Return the records' predictions from the probabilities of their windows, (windows, classes) each.

        A record's probability is the mean over its windows; of one that lasts longer than two windows, that of
        `record_probabilities`.
        """
        if not records:
            return []
        monitored = list(map(self._monitor, records, probabilities))
        own = np.array(
            [
                each.mean(axis=0) if monitoring is None else record_probabilities(monitoring)
                for each, monitoring in zip(probabilities, monitored, strict=True)
            ]
        )
        own[[not record.quality.answerable for record in records]] = 0
        return list(map(self._prediction, records, own, self._labels(own), monitored))

    def _prediction(
        self, record: RecordWindows, own: np.ndarray, answers: np.ndarray, monitoring: Monitoring | None
    ) -> Prediction:
        """Return a record's prediction from its own probabilities."""
        quality = record.quality
        # For a long record, the statements say for how long a rhythm was present.
        read = own if monitoring is None else with_premature_beats(monitoring)
        reading = self.make_reading(read, quality, record.evidence)
        if reading is not None and monitoring is not None and record.parts:
            reading = read_long(reading, monitoring, record.parts, self.limits)
        return Prediction(
            record.name,
            self.classes,
            own,
            answers & quality.answerable,
            quality.notes,
            answerable=quality.answerable,
            reading=reading,
            facts=record.facts,
            monitoring=monitoring,
        )

    def _monitor(self, record: RecordWindows, probabilities: np.ndarray) -> Monitoring | None:
        """Return the timeline, beats and episodes of a record whose beats were measured."""
        if record.beats is None or not record.quality.answerable:
            return None
        preprocessing = self.description.preprocessing
        samples = max(1, round(record.duration_s * preprocessing.sampling_rate))
        starts = prediction_starts(samples, preprocessing.window_samples, preprocessing.overlap)
        starts_s = starts / preprocessing.sampling_rate
        usable = usable_windows(starts_s, preprocessing.window_s, record.beats)
        window_s, duration_s = preprocessing.window_s, record.duration_s
        timeline = Timeline(self.classes, starts_s, window_s, duration_s, probabilities, usable)
        return Monitoring(timeline, record.beats)

    def make_reading(
        self, probabilities: np.ndarray, quality: Quality, evidence: Evidence | None
    ) -> Reading | None:
        """Return the reading of a record; None if it can be answered and nothing was measured.

        Parameters
        ----------
        probabilities : ndarray, shape (classes,)
        quality : Quality
        evidence : Evidence or None
            Its measurements.
        """
        if not quality.answerable:
            alerts = () if evidence is None else find_alerts(evidence.without_beats(), ())
            return not_interpretable(quality.notes[0], quality.notes[1:], alerts)
        if evidence is None:
            return None
        return interpret(self.classes, probabilities, evidence, self.limits, quality.notes)

    @cached_property
    def preparation(self) -> WindowMaker:
        """Makes the windows of records."""
        return WindowMaker(self.description.preprocessing, self.window_multiple)

    @cached_property
    def window_multiple(self) -> int:
        """The number of samples of a window is a multiple of this."""
        return self.trained.structure.window_multiple

    @cached_property
    def _compute(self) -> Compute:
        return start_runtime(self.trained, self.runtime)

    def _run_each(self, compute: Compute, windows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, ...]]:
        """Return the outputs for the windows of each record; windows of one length are computed together."""
        results: dict[int, tuple[np.ndarray, ...]] = {}
        for length in dict.fromkeys(each.shape[1] for each in windows):
            alike = [index for index, each in enumerate(windows) if each.shape[1] == length]
            outputs = self._run(compute, np.concatenate([windows[index] for index in alike]))
            ends = np.cumsum([len(windows[index]) for index in alike])[:-1]
            parts = zip(*(np.split(each, ends) for each in outputs), strict=True)
            results |= dict(zip(alike, parts, strict=True))
        return [results[index] for index in range(len(windows))]

    def _run(self, compute: Compute, windows: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(each.astype(np.float64) for each in compute(windows))

    def _labels(self, probabilities: np.ndarray) -> np.ndarray:
        """Return which classes are answered, bool of shape (records, classes)."""
        thresholds = self.description.lowest_probabilities
        labels = apply_thresholds(probabilities, thresholds)
        if self.description.answers.at_least_one:
            nearest = np.argmax(probabilities - thresholds, axis=1)
            empty = ~labels.any(axis=1)
            labels[empty, nearest[empty]] = True
        return labels
