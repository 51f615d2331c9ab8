"""Read records: print the conclusion, alerts and statements of each."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.command import Command, add_runtime_options, name_unseen, warn, whole_number
from cnn_gap.io.long_records import open_record
from cnn_gap.model.folder import ModelDescription, read_description
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError

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
        help="print the N most probable outputs of the network and any others with a Challenge label, too",
    )
    parser.add_argument(
        "--all", action="store_true", help="print every output of the network, too; with --csv, as columns"
    )
    add_runtime_options(parser, precision=False)
    for what, suffixes in (("timeline", ".csv|.parquet"), ("episodes", ".csv|.atr"), ("beats", ".csv|.atr")):
        parser.add_argument(
            f"--{what}",
            metavar=f"FILE{suffixes}",
            type=Path,
            help=f"write the {what} of one record of more than two windows",
        )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--json", action="store_true", help="print reading and outputs as JSON; several records as a list"
    )
    forms.add_argument("--csv", action="store_true", help="print a table with a row for each record")


def _execute(options: argparse.Namespace) -> int:
    """Print the reading of each record, or readings and outputs of the network as JSON or CSV.

    A record that fails is named on standard error, and the exit code is 1; the others are not affected.
    """
    if len(options.records) > 1 and any((options.timeline, options.episodes, options.beats)):
        options.usage_error("--timeline, --episodes and --beats are of one record; give them for each alone")
    # A model or a single record that cannot be read is reported before the network is loaded.
    read_description(options.model)
    records = [open_record(options.records[0])] if len(options.records) == 1 else options.records
    if options.runtime == "keras":
        start_keras(lean=True)
    from cnn_gap.classifier import load_classifier

    classifier = load_classifier(options.model, options.runtime)
    predictions = list(classifier.predict_stream(records))
    if options.all or options.top is not None:
        name_unseen(classifier.unseen)
    good = [each for each in predictions if not each.failure]
    _write_hours(predictions[0], options)
    _print(good, classifier.description, options)
    for each in predictions:
        if each.failure:
            warn(f"{each.name}: {each.failure}")
    return int(len(good) < len(predictions))


def _write_hours(prediction: "Prediction", options: argparse.Namespace) -> None:
    """Write the files of a long record that are asked for.

    Raises
    ------
    InputError
        If the record is too short to have them.
    """
    from cnn_gap.holter.files import write_beats, write_episodes, write_timeline

    for path, write in (
        (options.timeline, write_timeline),
        (options.episodes, write_episodes),
        (options.beats, write_beats),
    ):
        if path is not None and not prediction.failure:
            if prediction.monitoring is None:
                raise InputError(
                    f"{path}: is not written: {prediction.name} lasts two windows or less, or has no heartbeat"
                )
            write(path, prediction.monitoring)


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
    """Return the reading, the summary and episodes of a long record, and `count` probabilities."""
    from cnn_gap.report.monitoring_text import monitoring_text
    from cnn_gap.report.tables import probability_table

    texts = [str(prediction.reading)]
    if prediction.answerable and prediction.monitoring is not None:
        texts.append(monitoring_text(prediction.monitoring))
    if prediction.answerable and count is not None:
        texts.append(probability_table(prediction, count))
    return "\n\n".join(texts)


COMMAND = Command(
    "predict",
    "Read 12-lead ECG records: conclusion, alerts and statements.",
    _add_arguments,
    _execute,
    takes_model=True,
    records="records",
)
