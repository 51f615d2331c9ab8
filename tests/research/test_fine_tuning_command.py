"""Fine-tuning on parts of a folder."""

import numpy as np

from benchmarks.common import Classified
from cnn_gap.diagnoses.classes import read_weights
from research import fine_tuning


def test_parts_of_a_cross_validation_are_scored_together():
    classes = read_weights()
    labels = np.eye(2, len(classes), dtype=bool)
    probabilities = labels * 0.9
    parts = [
        Classified(classes, (f"A{index}",), labels[[index]], labels[[index]], probabilities[[index]])
        for index in range(2)
    ]
    assert fine_tuning.result_row("all", parts)[3:] == (1.0, 2, 1.0)
