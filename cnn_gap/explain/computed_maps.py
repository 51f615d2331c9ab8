"""The computed maps of a record, and the explanation that is made of them, for which Keras is not needed.

The computed maps of a record are small enough to be sent to a process that writes its pages; an explanation,
with a value for each sample, is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnn_gap.diagnoses.classes import Diagnosis
from cnn_gap.explain.explanation import ExplainedClass, Explanation
from cnn_gap.explain.regions import Level, find_regions
from cnn_gap.model.folder import ModelDescription
from cnn_gap.network.map_times import record_maps, step_centres
from cnn_gap.predict.prediction import Prediction
from cnn_gap.record import Record


@dataclass(frozen=True, eq=False)
class LeadParts:
    """The contributions of leads to classes of a record.

    Attributes
    ----------
    columns : sequence of int
        The classes, by the network's outputs.
    shares : ndarray, shape (len(columns), 12), float64
        How much the logits fall without each lead; 0 for absent ones.
    maps : ndarray, shape (windows, steps, len(columns), 12), float32
        The contribution of each lead at the steps of the maps.
    """

    columns: Sequence[int]
    shares: np.ndarray
    maps: np.ndarray


@dataclass(frozen=True, eq=False)
class ComputedMaps:
    """A record with its prediction and its maps at the network's steps.

    Attributes
    ----------
    record : Record
    prediction : Prediction
        Of the record.
    columns : sequence of int
        The classes to explain, by the network's outputs.
    maps : ndarray, shape (windows, steps, len(columns)), float64
        Their activation maps.
    leads : LeadParts or None
        Of some of the classes; None where no contributions of leads were computed.
    """

    record: Record
    prediction: Prediction
    columns: Sequence[int]
    maps: np.ndarray
    leads: LeadParts | None = None

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        leads = 0 if self.leads is None else self.leads.maps.nbytes
        return self.record.signal.nbytes + self.maps.nbytes + leads


@dataclass(frozen=True, eq=False)
class MapReader:
    """Makes explanations of computed maps.

    Attributes
    ----------
    description : ModelDescription
        Of the network.
    stride, receptive_field : int
        Samples of a window between two steps of the maps, and samples that each step sees.
    level : Level
        A region is where the map is above it.
    """

    description: ModelDescription
    stride: int
    receptive_field: int
    level: Level

    def explanation(self, computed: ComputedMaps) -> Explanation:
        """Return the explanation of a record."""
        rate, prediction = self.description.preprocessing.sampling_rate, computed.prediction
        return Explanation(
            computed.record,
            self._classes(computed),
            stride_s=self.stride / rate,
            receptive_field_s=self.receptive_field / rate,
            first_step_s=float(step_centres(1, self.stride)[0]) / rate,
            reported=reported_by(prediction),
            unseen=self.description.unseen,
            highest_hz=self.description.preprocessing.highest_hz,
            notes=prediction.notes,
            answerable=prediction.answerable,
            reading=prediction.reading,
        )

    def _classes(self, computed: ComputedMaps) -> tuple[ExplainedClass, ...]:
        activations = self._on_record(computed.record, computed.maps)
        leads = {} if computed.leads is None else self._leads(computed.record, computed.leads)
        return tuple(
            self._class(computed, index, activation, *leads.get(index, (None, None)))
            for index, activation in zip(computed.columns, activations.T, strict=True)
        )

    def _class(
        self,
        computed: ComputedMaps,
        index: int,
        activation: np.ndarray,
        shares: np.ndarray | None,
        parts: np.ndarray | None,
    ) -> ExplainedClass:
        prediction, height = computed.prediction, self.level.of(activation)
        return ExplainedClass(
            diagnosis=prediction.classes.diagnoses[index],
            codes=prediction.classes.outputs[index],
            probability=float(prediction.probabilities[index]),
            threshold=self.description.thresholds[index],
            label=bool(prediction.labels[index]),
            activation=activation,
            level=height,
            regions=find_regions(activation, computed.record.sampling_rate, height),
            lead_activation=parts,
            lead_shares=shares,
        )

    def _leads(self, record: Record, leads: LeadParts) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Return each class's shares and its leads' parts at the record's samples."""
        return {
            index: (leads.shares[place], self._on_record(record, leads.maps[:, :, place]))
            for place, index in enumerate(leads.columns)
        }

    def _on_record(self, record: Record, maps: np.ndarray) -> np.ndarray:
        preprocessing = self.description.preprocessing
        return record_maps(maps, self.stride, len(record.signal), record.sampling_rate, preprocessing)


def reported_by(prediction: Prediction) -> tuple[Diagnosis, ...]:
    """Return the diagnoses that are answered, each once, the most probable first."""
    answered = sorted(prediction.answered, key=lambda answer: -answer.probability)
    return tuple(answer.diagnosis for answer in answered)
