"""Measure a model and write its results page: figures as flat JSON, and a Markdown page that holds no others.

Every measurement is a part with its own records. With `--out DIR`, DIR/NAME.json is written after each part,
and then DIR/NAME.md by DIR/template.md. A part that the JSON holds is not measured again without `--again`, so
a command that was stopped goes on; with `--out` and no records the page is written anew. Without `--out` the
tables are printed. Parts whose records are not given are left out. `benchmarks/page.py` tells what the JSON's
keys are.
"""

import argparse
import hashlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.common import Study, Table, command_parser, start_classifier
from benchmarks.maps.faithfulness import faithfulness, sanity
from benchmarks.maps.pointing import premature, simulated
from benchmarks.maps.waves import locality, waves
from benchmarks.page import Figures, flat, write_page
from benchmarks.quality.calibration import calibration, calibration_of_others, groups
from benchmarks.quality.changes import disturbances, leads, lengths, rates
from benchmarks.quality.databases import databases
from benchmarks.quality.no_ecg import no_ecg
from benchmarks.quality.runtimes import runtimes
from benchmarks.quality.scores import scores
from benchmarks.quality.statements import statements
from benchmarks.quality.thresholds import local_thresholds, thresholds
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.system.files import read_json, write_json
from cnn_gap.system.version import __version__

#: The project.
ROOT = Path(__file__).parents[1]

#: Options that name records, and their help.
FOLDERS = {
    "data": "labelled records that the model was not trained on",
    "others": "labelled records of other databases",
    "ludb": "delineated records with waves.json",
    "high_rate": "labelled records of 500 Hz or more",
    "statements": "PTB-XL's table scp_statements.csv; --data must be labelled with its statements",
}


@dataclass(frozen=True)
class Part:
    """A measurement: its name, the options that it needs, and the function that yields its tables."""

    name: str
    needs: tuple[str, ...]
    measure: Callable[[Study], Iterable[Table]]


PARTS = (
    Part("scores", ("data",), scores),
    Part("statements", ("data", "statements"), statements),
    Part("databases", ("others",), databases),
    Part("calibration", ("data",), calibration),
    Part("calibration_of_others", ("others",), calibration_of_others),
    Part("groups", ("data",), groups),
    Part("thresholds", ("data",), thresholds),
    Part("local_thresholds", ("others",), local_thresholds),
    Part("leads", ("data",), leads),
    Part("lengths", ("data",), lengths),
    Part("disturbances", ("data",), disturbances),
    Part("rates", ("high_rate",), rates),
    Part("no_ecg", (), no_ecg),
    Part("runtimes", ("data",), runtimes),
    Part("waves", ("ludb",), waves),
    Part("locality", ("ludb",), locality),
    Part("premature", ("data",), premature),
    Part("simulated", (), simulated),
    Part("faithfulness", ("data",), faithfulness),
    Part("sanity", ("data",), sanity),
)


def main(arguments: list[str]) -> None:
    """Measure the parts that are missing, and print or write them."""
    options = _parser().parse_args(arguments)
    folders = {name: value for name in FOLDERS if (value := getattr(options, name)) is not None}
    parts = [part for part in PARTS if part.name in options.only and set(part.needs) <= set(folders)]
    if options.out is None:
        _print(parts, options, folders)
        return
    template = options.out / "template.md"
    if not template.is_file():
        raise InputError(f"{template}: is missing; give the folder docs/results, or copy its template.md there")
    path = options.out / f"{options.name or options.model.resolve().name}.json"
    figures = read_figures(path, options.model)
    if not options.again:
        parts = [part for part in parts if f"part / {part.name} / measured" not in figures]
    _measure_into(path, figures, parts, options, folders)
    write_page(path, figures, template.read_text(encoding="utf-8"))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("benchmarks.results", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    for name, text in FOLDERS.items():
        parser.add_argument(_option(name), dest=name, metavar="PATH", type=Path, help=text)
    names = [part.name for part in PARTS]
    parser.add_argument(
        "--only", metavar="PART", nargs="+", choices=names, default=names, help=", ".join(names)
    )
    parser.add_argument("--limit", metavar="N", type=int, help="records of each folder (default: all)")
    parser.add_argument("--out", metavar="DIR", type=Path, help="write JSON and page into this folder")
    parser.add_argument("--name", metavar="NAME", help="of these files (default: the model folder's name)")
    parser.add_argument("--again", action="store_true", help="measure parts that the JSON holds, too")
    return parser


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _print(parts: Sequence[Part], options: argparse.Namespace, folders: Mapping[str, Path]) -> None:
    study = Study(start_classifier(options.model), folders, options.limit)
    for part in parts:
        for table in part.measure(study):
            print(f"{table}\n", flush=True)


def _measure_into(
    path: Path,
    figures: Figures,
    parts: Sequence[Part],
    options: argparse.Namespace,
    folders: Mapping[str, Path],
) -> None:
    """Measure the parts; add their figures and write all figures after each part."""
    if not parts:
        return
    study = Study(start_classifier(options.model), folders, options.limit)
    figures |= {"model / parameters": study.classifier.network.count_params()}
    for part in parts:
        print(f"{part.name} ...", file=sys.stderr, flush=True)
        tables = list(part.measure(study))
        for table in tables:
            for key in [key for key in figures if key.startswith(f"{table.name} / ")]:
                del figures[key]  # rows of an earlier measurement
            figures |= flat(table)
        described = _provenance(part, study, options.model)
        figures |= {f"part / {part.name} / {key}": value for key, value in described.items()}
        write_json(path, figures)


def _provenance(part: Part, study: Study, model: Path) -> Figures:
    """Return the command that measures a part of a model again, the number of its records, and when it was."""
    place = model.resolve()
    shown = place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else place.name
    given = {need: study.folders[need].name for need in part.needs}
    places = " ".join(f"{_option(need)} {name}" for need, name in given.items())
    places += f" --limit {study.limit}" if study.limit else ""
    counts = [f"{len(study.paths(need))} records" for need in given if need != "statements"]
    return {
        "command": " ".join(f"python -m benchmarks.results {shown} {places} --only {part.name}".split()),
        "records": ", ".join(counts),
        "measured": f"{date.today().isoformat()}, cnn-gap {__version__}",
    }


def read_figures(path: Path, model: Path) -> Figures:
    """Return the figures that a file holds of a model, or only those that describe the model.

    Raises
    ------
    InputError
        If the file is of another model, or there is no model.
    """
    if not model.is_dir():
        raise InputError(f"{model}: is no folder; give that of a trained model")
    files = sorted(file for file in model.iterdir() if file.name in ("model.json", "model.keras"))
    described: Figures = {
        "model / name": path.stem,
        "model / SHA-256": _hash(files),
        "model / megabytes": sum(file.stat().st_size for file in files) / 1e6,
    }
    if not path.exists():
        return described
    figures = read_json(path)
    if not isinstance(figures, dict) or figures.get("model / SHA-256") != described["model / SHA-256"]:
        raise InputError(f"{path}: holds the figures of another model; delete it, or give another --name")
    return figures


def _hash(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    run(main)
