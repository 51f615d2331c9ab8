"""Score the outputs of a model as the 2020 Challenge does."""

import argparse
import sys
from pathlib import Path

from cnn_gap.commands.checks import Start
from cnn_gap.commands.command import Command, add_label_options
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.evaluate.metrics import class_scores_csv, score, scores_csv
from cnn_gap.io.label_tables import read_label_table
from cnn_gap.report.tables import scores_table
from cnn_gap.results.challenge_files import Evaluation, read_evaluation
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
    """Score a folder of outputs; write the figures, or print them where no file is given for them."""
    Start(outputs=((options.scores, SCORES), (options.class_scores, CLASS_SCORES))).check()
    classes = read_weights(options.weights)
    table = None if options.label_table is None else read_label_table(options.label_table, classes.codes)
    evaluation = read_evaluation(options.labels, options.outputs, classes, table)
    _warn(evaluation, classes, options.weights)
    scores = score(classes, evaluation.labels, evaluation.outputs, evaluation.probabilities)
    if options.scores is None:
        print(scores_csv(scores))
    else:
        write_text(options.scores, scores_csv(scores))
    if options.class_scores is not None:
        write_text(options.class_scores, class_scores_csv(classes, scores))
    if sys.stdout.isatty():
        print(scores_table(classes, evaluation.labels, scores))


def _warn(evaluation: Evaluation, classes: ClassSet, weights: Path) -> None:
    """Say on standard error what makes the scores mean less than they seem to."""
    if evaluation.malformed:
        print(
            f"{len(evaluation.malformed)} result files are malformed and count as nothing found, "
            f"the first is {evaluation.malformed[0]}",
            file=sys.stderr,
        )
    labelled = evaluation.labels.any(axis=0)
    if missing := int((labelled & ~evaluation.answered).sum()):
        print(
            f"{missing} of the {int(labelled.sum())} classes that the labels have are in no result file and"
            f" count as not found; does {weights} list the classes of the model that wrote the results?",
            file=sys.stderr,
        )
    if not evaluation.labels.any():
        print("no record has a diagnosis that the weights file lists", file=sys.stderr)
    if classes.normal is None:
        print(f"{weights}: has no normal class, so there is no Challenge metric", file=sys.stderr)


COMMAND = Command(
    "evaluate", "Score the outputs of a model as the 2020 Challenge does.", _add_arguments, _execute
)
