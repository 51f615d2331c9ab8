"""Read records: print the conclusion, alerts and statements of each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.command import Command, add_runtime_options, name_unseen, warn, whole_number
from cnn_gap.io.long_records import open_record
from cnn_gap.model.folder import ModelDescription, read_description
from cnn_gap.system.backend import start_keras

if TYPE_CHECKING:
    from cnn_gap.predict.prediction import Prediction


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "records",
        metavar="RECORD",
        type=Path,
        nargs="+",
        help="record, with or without .hea, or of another format",
    )
    parser.add_argument(
        "--top",
        metavar="N",
        type=whole_number(0),
        help="print the N most probable outputs of the network and any others that are answered, too",
    )
    parser.add_argument(
        "--all", action="store_true", help="print every output of the network, too; --csv: a column of each"
    )
    add_runtime_options(parser, precision=False)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", action="store_true", help="print reading and outputs as JSON; several records as a list"
    )
    forms.add_argument("--csv", action="store_true", help="print a table with a row a record")


def _execute(options: argparse.Namespace) -> int:
    """Print the reading of each record, or readings and outputs of the network as JSON or CSV.

    A record that fails is named on standard error, and the exit code is 1; the others are not affected.
    """
    # A model or a single record that cannot be read is reported before the network is loaded.
    read_description(options.model)
    records = [open_record(options.records[0])] if len(options.records) == 1 else options.records
    if options.runtime == "keras":
        start_keras(lean=True)
    from cnn_gap.classifier import load_classifier

    classifier = load_classifier(options.model, options.runtime)
    predictions = list(classifier.predict_stream(records))
    name_unseen(classifier.unseen)
    good = [each for each in predictions if not each.failure]
    _print(good, classifier.description, options)
    for each in predictions:
        if each.failure:
            warn(f"{each.name}: {each.failure}")
    return int(len(good) < len(predictions))


def _print(predictions: "list[Prediction]", described: ModelDescription, options: argparse.Namespace) -> None:
    from cnn_gap.report.data_frames import predictions_table
    from cnn_gap.report.tables import prediction_json

    if options.csv:
        print(predictions_table(predictions, raw=options.all).to_csv(index=False), end="")
    elif options.json:
        texts = [prediction_json(each, described) for each in predictions]
        print(texts[0] if len(options.records) == 1 and texts else "[" + ",\n".join(texts) + "]")
    else:
        heading = len(options.records) > 1
        count = len(described.class_set) if options.all else options.top
        texts = [f"{each.name}\n" * heading + _text(each, count) for each in predictions]
        print("\n\n".join(texts))


def _text(prediction: "Prediction", count: int | None) -> str:
    """Return the reading, and after it as many probabilities as are wanted."""
    from cnn_gap.report.tables import probability_table

    with_table = count is not None and prediction.answerable
    return f"{prediction.reading}" + (f"\n\n{probability_table(prediction, count or 0)}" if with_table else "")


COMMAND = Command(
    "predict",
    "Read 12-lead ECG records: conclusion, alerts and statements.",
    _add_arguments,
    _execute,
    takes_model=True,
    records="records",
)
