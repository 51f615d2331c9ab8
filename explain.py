"""Show where in a record its diagnoses show: python explain.py MODEL RECORD, or a folder of records."""

import argparse
import sys
from pathlib import Path

from cnn_gap import commands


def main(arguments: list[str]) -> int:
    """Explain a record, or all records of a folder; 1 if every one of these failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    folder = options.record.is_dir()
    if folder and (options.out is None or options.json or options.html or options.annotations):
        parser.error("a folder of records needs --out DIR, where JSON, annotations and pages go")
    commands.start_keras()  # after the arguments: it takes seconds
    from cnn_gap.classifier import load_classifier
    from cnn_gap.explain_folder import Wish
    from cnn_gap.prediction.regions import parse_level

    wish = Wish(options.classes, options.leads, parse_level(options.level))
    classifier = load_classifier(options.model)
    code = (_explain_folder if folder else _explain_record)(classifier, wish, options)
    commands.name_unseen(classifier.unseen)
    return code


def _explain_folder(classifier, wish, options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from cnn_gap.explain_folder import INDEX, explain_folder

    explained, failed = explain_folder(
        classifier, options.record, options.out, wish, warn=lambda line: tqdm.write(line, file=sys.stderr)
    )
    print(f"{explained} explained, {failed} failed: {options.out / INDEX}")
    return 1 if failed and not explained else 0


def _explain_record(classifier, wish, options: argparse.Namespace) -> int:
    from cnn_gap.ecg.records import read_record
    from cnn_gap.files import write_text
    from cnn_gap.reports.explanation_table import explanation_table
    from cnn_gap.reports.figures import save_figures
    from cnn_gap.reports.machine_files import write_annotations, write_explanation
    from cnn_gap.reports.page import explanation_page

    every, explanation = wish.explain(classifier, read_record(options.record))
    print(explanation_table(explanation))
    written = []
    if options.out:
        written += save_figures(explanation, options.out, [options.lead] if options.lead else None)
    for path, write in (
        (options.json, lambda path: write_explanation(path, explanation)),
        (options.annotations, lambda path: write_annotations(path, explanation)),
        (options.html, lambda path: write_text(path, explanation_page(every))),
    ):
        if path:
            write(path)
            written.append(path)
    for path in written:
        print(f"wrote {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Show where in a 12-lead ECG record its diagnoses show, by class activation maps."
    )
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder that train_model.py has written")
    parser.add_argument(
        "record", metavar="RECORD", type=Path, help="record, with or without .hea, or a folder of records"
    )
    parser.add_argument(
        "--classes",
        metavar="AF,RBBB",
        help="abbreviations or codes of what to explain, top3 for the three most probable, or all"
        " (default: what is answered, or the most probable; in pages all)",
    )
    parser.add_argument(
        "--out",
        metavar="FIG",
        type=Path,
        help=".png, .svg or .pdf for a 12-lead sheet, one more for each further class; for a folder of records:"
        " the folder for all results",
    )
    parser.add_argument("--lead", metavar="LEAD", help="draw only this lead over its map, as in the paper")
    parser.add_argument("--json", metavar="FILE", type=Path, help="maps, regions and leads' shares")
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="a page to look at in a browser, self-contained"
    )
    parser.add_argument(
        "--annotations", metavar="NAME.cam", type=Path, help="the regions as WFDB annotations for other viewers"
    )
    parser.add_argument(
        "--level",
        metavar="RULE:VALUE",
        default="sd:1",
        help="above which a map makes a region: sd:1 standard deviations above its mean, absolute:2.5 in units"
        " of the logit, or percentile:90 (default: %(default)s)",
    )
    parser.add_argument(
        "--no-leads",
        dest="leads",
        action="store_false",
        help="leave out what each lead contributes, which takes most of the time",
    )
    return parser


if __name__ == "__main__":
    commands.run(main)
