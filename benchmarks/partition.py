"""Link the records that a model's training learned from, and those that it was validated on, into two folders.

    python -m benchmarks.partition MODEL TRAIN OUT --patients PATIENTS.csv

makes OUT/training and OUT/validation. Choices are made on validation records. TRAIN and PATIENTS.csv are those
of the training.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.common import command_parser
from cnn_gap.io.records import record_files
from cnn_gap.io.training_records import list_training_records
from cnn_gap.model.folder import load_model
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.system.settings import from_dict
from cnn_gap.training.config import Config
from cnn_gap.training.experiment import Sources, prepare_experiment


def main(arguments: list[str]) -> None:
    """Make the two folders."""
    parser = command_parser("benchmarks.partition", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data", metavar="TRAIN", type=Path, help="the records of its training")
    parser.add_argument("out", metavar="OUT", type=Path, help="where the two folders are made")
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument("--cache", type=Path, help="prepared windows of a training (default: OUT/cache)")
    options = parser.parse_args(arguments)
    sources = Sources(str(options.data), options.cache or options.out / "cache", patient_table=options.patients)
    for name, paths in partition(options.model, sources).items():
        link_records(paths, options.out / name)
        print(f"{options.out / name}: {len(paths)} records")


def link_records(paths: Iterable[Path], folder: Path) -> None:
    """Make a folder of links to the files of records.

    Raises
    ------
    InputError
        If the folder exists.
    """
    if folder.exists():
        raise InputError(f"{folder}: exists; remove it, or give another OUT")
    folder.mkdir(parents=True)
    for file in (file for path in paths for file in record_files(path)):
        (folder / file.name).symlink_to(file)


def partition(model: Path, sources: Sources) -> dict[str, list[Path]]:
    """Return the paths of the training and of the validation records.

    Raises
    ------
    InputError
        If the model's training had another number of them.
    """
    description = load_model(model)[1]
    training = description.training
    config = from_dict(Config, training["config"])
    experiment = prepare_experiment(sources, config, description.class_set, training["seed"])
    found = {"training": experiment.partition.training, "validation": experiment.partition.validation}
    expected = {name: training[f"{name}_records"] for name in found}
    if expected != (counts := {name: len(records) for name, records in found.items()}):
        raise InputError(f"{sources.data}: must be divided into {expected} as in {model}; received {counts}")
    places = {
        each.name: Path(each.source).resolve() for each in list_training_records(sources.data, False, print)
    }
    names = np.array(experiment.names)
    return {name: [places[each] for each in names[records]] for name, records in found.items()}


if __name__ == "__main__":
    run(main)
