"""Score the outputs of a model as the 2020 Challenge does: python evaluate_model.py LABELS OUTPUTS."""

import argparse
import sys
from pathlib import Path

from cnn_gap import commands
from cnn_gap.ecg.diagnoses import read_weights
from cnn_gap.ecg.label_tables import read_label_table
from cnn_gap.files import write_text
from cnn_gap.scoring.metrics import class_scores_csv, score, scores_csv, scores_table
from cnn_gap.scoring.result_files import read_evaluation


def main(arguments: list[str]) -> None:
    """Score a folder of outputs; write the figures, or print them where no file is given for them."""
    options = _parser().parse_args(arguments)
    classes = read_weights(options.weights)
    table = None if options.label_table is None else read_label_table(options.label_table, classes.codes)
    evaluation = read_evaluation(options.labels, options.outputs, classes, table)
    if evaluation.malformed:
        print(
            f"{len(evaluation.malformed)} result files are malformed and count as nothing found, "
            f"the first is {evaluation.malformed[0]}",
            file=sys.stderr,
        )
    if not evaluation.labels.any():
        print("no record has a diagnosis that the weights file lists", file=sys.stderr)
    if classes.normal is None:
        print(f"{options.weights}: has no normal class, so there is no Challenge metric", file=sys.stderr)
    scores = score(classes, evaluation.labels, evaluation.outputs, evaluation.probabilities)
    if options.scores is None:
        print(scores_csv(scores))
    else:
        write_text(options.scores, scores_csv(scores))
    if options.class_scores is not None:
        write_text(options.class_scores, class_scores_csv(classes, scores))
    if sys.stdout.isatty():
        print(scores_table(classes, evaluation.labels, scores))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Score the outputs of a model as the 2020 Challenge does.")
    parser.add_argument("labels", metavar="LABELS", type=Path, help="folder of headers (.hea) with the labels")
    parser.add_argument(
        "outputs", metavar="OUTPUTS", type=Path, help="folder of result files, NAME.csv for each header"
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
    commands.add_label_options(parser)
    return parser


if __name__ == "__main__":
    commands.run(main)
