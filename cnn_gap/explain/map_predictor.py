"""A predictor that computes activation maps too: of each class, and of the leads that contribute to it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from cnn_gap.model.runtimes import Compute, start_gradients, start_runtime
from cnn_gap.network.lead_maps import Gradients, lead_maps
from cnn_gap.predict.predictor import Predictor


@dataclass(frozen=True, eq=False, repr=False)
class MapPredictor(Predictor):
    """A trained network whose probabilities are made of maps: see `cnn_gap.network.structure.Head`."""

    def run_with_maps(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the probabilities (windows, classes) and activation maps (windows, steps, classes) of windows.

        Raises
        ------
        InputError
            If the network has no activation maps.
        """
        return self.run_each_with_maps([windows])[0]

    def run_each_with_maps(self, windows: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the results of `run_with_maps` for the windows of each record, which may differ in length."""
        outputs = self._run_each(self._compute_with_maps, windows)
        return [(probabilities, maps) for probabilities, maps in outputs]

    def run_lead_maps(self, windows: np.ndarray, columns: Sequence[int]) -> np.ndarray:
        """Return the contributions of leads to classes at the maps' steps, (windows, steps, columns, leads)."""
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
        return start_gradients(self.trained, self.runtime)

    @cached_property
    def map_stride(self) -> int:
        """Samples of a window between two steps of the maps."""
        return self.trained.structure.map_stride

    @cached_property
    def map_receptive_field(self) -> int:
        """Samples of a window that each step of the maps sees."""
        return self.trained.structure.receptive_field

    @cached_property
    def _compute_with_maps(self) -> Compute:
        return start_runtime(self.trained, replace(self.runtime, precision="float32"), maps=True)
