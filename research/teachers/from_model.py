"""Write a trained model's probabilities of records as a table, from which `train_model.py --teacher` learns.

    python -m research.teachers.from_model MODEL DATA TABLE.parquet

With it a model can be trained again after its teacher is no longer shipped.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from cnn_gap.classifier import load_classifier
from cnn_gap.io.sources import find_records
from cnn_gap.predict.preparation import prepared_records
from cnn_gap.predict.stream import predict_prepared_stream, waiting_records
from cnn_gap.system.exit_codes import run
from cnn_gap.training.teacher_table import write_teacher_table


def main(arguments: list[str]) -> None:
    """Predict all records of a folder."""
    options = _parser().parse_args(arguments)
    classifier = load_classifier(options.model)
    paths = find_records(options.data)
    unmeasured = replace(classifier.preparation, measures=False)  # no reading is wanted
    prepared = prepared_records(unmeasured.prepare, waiting_records(paths))
    said = np.array([each.probabilities for each in predict_prepared_stream(classifier, prepared)])
    names = [path.stem for path in paths]
    write_teacher_table(options.table, names, classifier.classes.representatives, said)
    print(f"{len(names)} records: {options.table}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m research.teachers.from_model", description="Write a model's table."
    )
    parser.add_argument("model", type=Path, help="folder of a trained model")
    parser.add_argument("data", type=Path, help="folder of records")
    parser.add_argument("table", type=Path, metavar="TABLE.parquet", help="file to write")
    return parser


if __name__ == "__main__":
    run(main)
