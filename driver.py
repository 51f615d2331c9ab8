"""Classify a folder of records with a trained model: python driver.py MODEL DATA OUT."""

import argparse
import sys
from pathlib import Path

from cnn_gap import commands


def main(arguments: list[str]) -> int:
    """Classify and write a result file for each record; 1 if every record failed."""
    options = _parser().parse_args(arguments)
    commands.start_keras()  # after the arguments: it takes seconds
    from tqdm import tqdm

    from cnn_gap.classifier import load_classifier
    from cnn_gap.classify_folder import classify_folder

    classifier = load_classifier(options.model)
    summary = classify_folder(
        classifier,
        options.model,
        options.data,
        options.out,
        warn=lambda line: tqdm.write(line, file=sys.stderr),
    )
    commands.name_unseen(classifier.unseen)
    print(summary)
    return 1 if summary.failed and not summary.classified + summary.kept else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Classify a folder of 12-lead ECG records.")
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder that train_model.py has written")
    parser.add_argument("data", metavar="DATA", type=Path, help="folder of records, flat or nested")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder for the result files, NAME.csv each")
    return parser


if __name__ == "__main__":
    commands.run(main)
