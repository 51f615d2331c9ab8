"""Classify a record and print its diagnoses."""

import argparse
from pathlib import Path

from cnn_gap.backend import start_keras
from cnn_gap.commands.command import Command, name_unseen, whole_number
from cnn_gap.ecg.long_records import open_record
from cnn_gap.prediction.model_folder import read_description


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", type=Path, help="record, with or without .hea")
    parser.add_argument(
        "--top",
        metavar="N",
        type=whole_number(0),
        default=5,
        help="print the N most probable diagnoses and any others that are answered (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print every class as JSON, for machines")


def _execute(options: argparse.Namespace) -> None:
    """Print the most probable diagnoses and all that are answered, or every class as JSON."""
    read_description(options.model)  # what is wrong shows now: Keras takes seconds to start
    record = open_record(options.record)
    start_keras()
    from cnn_gap.classifier import load_classifier
    from cnn_gap.reports.tables import prediction_json, prediction_table

    classifier = load_classifier(options.model)
    prediction = classifier.predict(record)
    name_unseen(classifier.unseen)
    if options.json:
        print(prediction_json(prediction, classifier.description))
    else:
        print(prediction_table(prediction, options.top))


COMMAND = Command(
    "predict",
    "Classify a 12-lead ECG record and print its diagnoses.",
    _add_arguments,
    _execute,
    takes_model=True,
)
