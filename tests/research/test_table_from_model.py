"""The table of a model's probabilities, from which another network learns."""

import numpy as np

from cnn_gap.classifier import load_classifier
from cnn_gap.io.sources import find_records
from cnn_gap.training.teacher_table import read_teacher_table
from research.teachers.from_model import main


def test_the_table_has_the_models_probabilities_without_measuring_records(
    model, records, tmp_path, monkeypatch
):
    classifier, paths = load_classifier(model), find_records(records)
    expected = classifier.predict_batch(paths[:3])

    def measure(record):
        raise AssertionError(f"{record.name} was measured")

    monkeypatch.setattr("cnn_gap.predict.preparation.measure", measure)
    main([str(model), str(records), str(tmp_path / "table.parquet")])
    table = read_teacher_table(tmp_path / "table.parquet")
    found = table.probabilities_of(tuple(each.name for each in expected), classifier.classes)
    np.testing.assert_allclose(found, [each.probabilities for each in expected], atol=1e-3)
