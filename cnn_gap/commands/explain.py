"""Show when in a record each diagnosis is visible, or in all records of a folder."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cnn_gap.commands.checks import CommandInputs, require_no_model
from cnn_gap.commands.command import Command, add_runtime_options, warn, whole_number
from cnn_gap.explain.regions import parse_level
from cnn_gap.io.long_records import open_record, read_whole
from cnn_gap.io.records import is_record
from cnn_gap.io.sources import is_several
from cnn_gap.model.catalogue import is_model, list_models
from cnn_gap.record import Record
from cnn_gap.report.layouts import GAINS, LAYOUTS, SPEEDS, STANDARD, Layout
from cnn_gap.system.backend import start_keras
from cnn_gap.system.errors import InputError
from cnn_gap.system.outputs import ANNOTATIONS, EXPLANATION, PAGE, picture_kind
from cnn_gap.system.processes import MOST_JOBS, USUAL_JOBS

if TYPE_CHECKING:
    from cnn_gap.batch.explain_folder import ExplainOptions
    from cnn_gap.classifier import Classifier
    from cnn_gap.explain.explanation import Explanation
    from cnn_gap.explain.long_explanation import LongExplanation
    from cnn_gap.io.long_records import LongRecord
    from cnn_gap.report.sheet.report import SheetOptions


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "record",
        metavar="RECORD",
        help="record, with or without .hea; or a folder of records, a list of them, or an address, as drive"
        " takes them",
    )
    parser.add_argument(
        "--classes",
        metavar="AF,RBBB",
        help="abbreviations or codes of the diagnoses to explain; top3 for the three most probable, or another"
        " number; or all (default: those that are answered, or the most probable one; in pages all)",
    )
    parser.add_argument(
        "--out",
        metavar="FIG",
        type=Path,
        help="to a .pdf: write the ECG with its reading and a page for each finding; to a .png or .svg: the ECG"
        " with its reading, or with --classes the sheet of a class, one more file for each further one; for a"
        " folder of records: write all results to this folder",
    )
    parser.add_argument(
        "--pdf", action="store_true", help="of a folder of records: write each one's report to NAME.pdf, too"
    )
    parser.add_argument("--lead", metavar="LEAD", help="with --out: draw only this lead over its map")
    _add_sheet_options(parser)
    parser.add_argument(
        "--json", metavar="FILE", type=Path, help="write maps, regions and leads' shares to FILE"
    )
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="write a self-contained page for a browser to FILE"
    )
    parser.add_argument(
        "--annotations",
        metavar="NAME.cam",
        type=Path,
        help="write the regions as WFDB annotations for other viewers",
    )
    parser.add_argument(
        "--level",
        metavar="RULE:VALUE",
        default="peak:0.25",
        help="a region is where the map is above this level: peak:0.25, that share of its highest value; sd:1"
        " standard deviations above its mean; absolute:2.5 in units of the logit; or percentile:90; and"
        " above 0, where it speaks for the diagnosis"
        " (default: %(default)s)",
    )
    parser.add_argument(
        "--no-leads",
        dest="leads",
        action="store_false",
        help="leave out the contribution of each lead, which takes most of the time",
    )
    add_runtime_options(parser, precision=False)
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=whole_number(0, MOST_JOBS),
        help="of a folder of records: processes that write pages beside this one; 0: none (default: one a core,"
        f" at most {USUAL_JOBS}, where there are records enough)",
    )


def _add_sheet_options(parser: argparse.ArgumentParser) -> None:
    sheet = parser.add_argument_group("the sheets of --out and --pdf")
    sheet.add_argument(
        "--rows",
        choices=LAYOUTS,
        default=STANDARD.rows,
        help="rows and columns of leads (default: %(default)s)",
    )
    sheet.add_argument(
        "--speed", choices=SPEEDS, type=float, default=STANDARD.speed, help="mm/s (default: %(default)g)"
    )
    sheet.add_argument(
        "--gain", choices=GAINS, type=float, default=STANDARD.gain, help="mm/mV (default: %(default)g)"
    )
    sheet.add_argument("--cabrera", action="store_true", help="limb leads in Cabrera's order, with -aVR")
    sheet.add_argument(
        "--every-page",
        action="store_true",
        help="show the whole of a record of up to 3 minutes: as pages of a .pdf, or in FIG-p01.png and so on"
        " (default: the part with most of the finding's map)",
    )


def _execute(options: argparse.Namespace) -> int:
    """Explain a record, or all records of a folder, a list or an address; 1 if one of these failed."""
    several = is_several(options.record)
    if several and (options.out is None or options.json or options.html or options.annotations):
        options.usage_error(
            f"{options.record}: a folder of records needs --out DIR, where JSON, annotations and pages go,"
            f" instead of --json, --html and --annotations{_taken_for_model(options)}"
        )
    if options.pdf and not several:
        options.usage_error(
            f"--pdf is for a folder of records, and {options.record} is none; of one record write --out"
            f" NAME.pdf{_taken_for_model(options)}"
        )
    if several:
        require_no_model(options.out, "--out", options.record, f"{options.out} {options.record} --out DIR")
    else:
        _require_model(options)
        if options.out is not None:
            picture_kind(options.out)  # another suffix is refused before all is computed
    level = parse_level(options.level)
    files = ((options.json, EXPLANATION), (options.html, PAGE), (options.annotations, ANNOTATIONS))
    CommandInputs((options.model,), options.record if several else None, outputs=files).check()
    opened = None if several else open_record(Path(options.record))
    from cnn_gap.batch.explain_folder import ExplainOptions
    from cnn_gap.explain.long_explanation import as_long

    wanted = ExplainOptions(options.classes, options.leads, level, _sheets(options) if options.pdf else None)
    if opened is None:
        return _explain_folder(options, wanted)
    long = as_long(opened)
    if long is not None:
        _require_strips(options, long)
        return _write_long(wanted.explain_long(_load(options.model, options.runtime), long), options)
    record = opened if isinstance(opened, Record) else read_whole(Path(options.record))
    return _write_explanations(*wanted.explain(_load(options.model, options.runtime), record), options)


def _require_model(options: argparse.Namespace) -> None:
    """Exit with 2 if the first of two arguments is a record or a folder of records, and no model."""
    taken = _taken_for_model(options)
    if taken and is_record(Path(options.record)):
        options.usage_error(
            f"{options.model} was taken for the model and is none: give a model folder, or one of"
            f" {', '.join(list_models())}; to explain records, give one of them, or a folder with --out DIR"
        )
    if taken:
        options.usage_error(f"{options.record}: there is no such record{taken}")


def _taken_for_model(options: argparse.Namespace) -> str:
    """Return the end of a message if the first of two arguments is a folder or record, and no model."""
    first = options.model
    is_named = getattr(options, "named_model", None) is not None
    if is_named or is_model(first) or not (first.is_dir() or is_record(first)):
        return ""
    model = "" if "named_model" in options else "MODEL "  # a script's first argument is always the model
    if first.is_dir():
        what, out = "its records are", options.record
    else:
        what, out = "it is", "NAME.pdf"
    return f"; {first} was taken for the model: if {what} to be explained, write {model}{first} --out {out}"


def _require_strips(options: argparse.Namespace, record: "LongRecord") -> None:
    """Require that no option is given that cannot be used for a recording that is explained by strips."""
    asked = "--lead" if options.lead else "--every-page" if options.every_page else ""
    if asked:
        from cnn_gap.explain.long_explanation import LONGEST_WHOLE_S

        raise InputError(
            f"{options.record}: {asked} is for records of at most {LONGEST_WHOLE_S / 60:g} minutes, and the"
            f" .pdf of a longer one has a whole lead: leave {asked} out, or cut the record;"
            f" it lasts {record.samples / record.sampling_rate / 60:.1f} minutes"
        )


def _sheets(options: argparse.Namespace) -> "SheetOptions":
    from cnn_gap.model.catalogue import model_name
    from cnn_gap.report.sheet.report import SheetOptions

    layout = Layout(options.rows, options.speed, options.gain, options.cabrera)
    return SheetOptions(layout, options.every_page, model_name(options.model))


def _load(model: Path, runtime: str) -> "Classifier":
    if runtime == "keras":
        start_keras(lean=True)
    from cnn_gap.classifier import load_classifier

    return load_classifier(model, runtime)


def _explain_folder(options: argparse.Namespace, wanted: "ExplainOptions") -> int:
    from cnn_gap.batch.explain_folder import fill_explanations
    from cnn_gap.batch.folder_pages import INDEX

    load = partial(_load, options.model, options.runtime)
    summary = fill_explanations(load, options.model, options.record, options.out, wanted, warn, options.jobs)
    print(f"{summary}: {options.out / INDEX}")
    return 1 if summary.failed else 0


def _write_explanations(every: "Explanation", chosen: "Explanation", options: argparse.Namespace) -> int:
    """Print the chosen classes and write the files asked for; the page shows every class."""
    from cnn_gap.report.explanation_export import write_annotations, write_explanation
    from cnn_gap.report.tables import explanation_table

    def figures(path: Path) -> list[Path]:
        from cnn_gap.report.figures import save_figures

        named, leads = options.classes is not None, [options.lead] if options.lead else None
        shown = chosen if leads else every
        return save_figures(shown, path, _sheets(options), named=named, leads=leads)

    def page() -> str:
        from cnn_gap.report.page import explanation_page

        return explanation_page(every)

    print(explanation_table(chosen))
    data, marks = partial(write_explanation, explanation=chosen), partial(write_annotations, explanation=chosen)
    return _write_files(options, figures, data, marks, page)


def _write_long(explanation: "LongExplanation", options: argparse.Namespace) -> int:
    """Print the reading, figures and events of a recording of minutes to days; write the files asked for."""
    from cnn_gap.report.explanation_export import write_explanation, write_long_annotations
    from cnn_gap.report.tables import long_explanation_table

    def figures(path: Path) -> list[Path]:
        from cnn_gap.report.long_figures import save_long_figures

        return save_long_figures(explanation, path, _sheets(options))

    def page() -> str:
        from cnn_gap.report.long_page import long_page

        return long_page(explanation)

    print(long_explanation_table(explanation))
    data = partial(write_explanation, explanation=explanation)
    marks = partial(write_long_annotations, explanation=explanation)
    return _write_files(options, figures, data, marks, page)


def _write_files(
    options: argparse.Namespace,
    figures: Callable[[Path], list[Path]],
    data: Callable[[Path], None],
    marks: Callable[[Path], None],
    page: Callable[[], str],
) -> int:
    """Write the files that were asked for, and print their names; modules for others are not loaded."""
    from cnn_gap.system.files import write_text

    written = figures(options.out) if options.out else []
    if options.json:
        data(options.json)
        written.append(options.json)
    if options.annotations:
        marks(options.annotations)
        written.append(options.annotations)
    if options.html:
        write_text(options.html, page())
        written.append(options.html)
    for path in written:
        print(f"wrote {path}")
    return 0


COMMAND = Command(
    "explain",
    "Show where in a 12-lead ECG record each diagnosis is visible, by class activation maps.",
    _add_arguments,
    _execute,
    takes_model=True,
)
