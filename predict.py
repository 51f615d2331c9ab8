"""Classify a record with a trained model and print its diagnoses: python predict.py MODEL RECORD."""

import argparse
from pathlib import Path

from cnn_gap import commands


def main(arguments: list[str]) -> None:
    """Print the most probable diagnoses and all that are answered, or every class as JSON."""
    options = _parser().parse_args(arguments)
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier
    from cnn_gap.reports.tables import prediction_json, prediction_table

    classifier = load_classifier(options.model)
    prediction = classifier.predict(options.record)
    commands.name_unseen(classifier.unseen)
    if options.json:
        print(prediction_json(classifier, prediction))
    else:
        print(prediction_table(prediction, options.top))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Classify a 12-lead ECG record and print its diagnoses.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder that train_model.py has written")
    parser.add_argument("record", metavar="RECORD", type=Path, help="record, with or without .hea")
    parser.add_argument(
        "--top",
        metavar="N",
        type=_count,
        default=5,
        help="how many diagnoses to print beside those that are answered (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print every class as JSON, for machines")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0; received {text!r}")
    return int(text)


if __name__ == "__main__":
    commands.run(main)
