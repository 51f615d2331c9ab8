"""Score the outputs of a model as the 2020 Challenge does."""

import argparse
import sys
from pathlib import Path

from cnn_gap.commands.checks import CommandInputs
from cnn_gap.commands.command import Command, add_label_options
from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.evaluate.evaluation import evaluate
from cnn_gap.evaluate.metrics import class_scores_csv, scores_csv
from cnn_gap.report.tables import scores_table
from cnn_gap.system.files import write_text
from cnn_gap.system.outputs import CLASS_SCORES, SCORES


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labels", metavar="LABELS", type=Path, help="folder of headers (.hea) with the labels")
    parser.add_argument(
        "outputs",
        metavar="OUTPUTS",
        type=Path,
        help="folder of result files, NAME.csv for each header, or a table of the driver (.parquet, .csv)",
    )
    parser.add_argument(
        "scores",
        metavar="SCORES.csv",
        type=Path,
        nargs="?",
        help="file to write the scores to; without it they are printed",
    )
    parser.add_argument(
        "class_scores",
        metavar="CLASS_SCORES.csv",
        type=Path,
        nargs="?",
        help="file to write the scores of each class to",
    )
    add_label_options(parser)


def _execute(options: argparse.Namespace) -> None:
    """Write the figures to the given files, or print them; a terminal gets a table of the classes too."""
    CommandInputs(outputs=((options.scores, SCORES), (options.class_scores, CLASS_SCORES))).check()
    scores = evaluate(options.labels, options.outputs, options.weights, options.label_table)
    for note in scores.notes:
        print(note, file=sys.stderr)
    classes = read_weights(options.weights)
    if options.scores is None:
        print(scores_csv(scores))
    else:
        write_text(options.scores, scores_csv(scores))
    if options.class_scores is not None:
        write_text(options.class_scores, class_scores_csv(classes, scores))
    if sys.stdout.isatty():
        print(scores_table(classes, scores))


COMMAND = Command(
    "evaluate", "Score the outputs of a model as the 2020 Challenge does.", _add_arguments, _execute
)
