"""Let a trained model answer premature beats and sinus arrhythmia by the highest mean of their maps, untrained.

    python -m research.with_moments MODEL TRAIN OUT --patients PATIENTS.csv

The weights stay, but the probabilities are calibrated anew, and the thresholds chosen anew, on the validation
records. The configuration (`--config`) says which diagnoses, and over how many steps. The AUROC before and
after is printed.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from benchmarks.common import Table, command_parser
from cnn_gap.evaluate.calibration import fit_calibration, scale_logits
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.leads import LEADS
from cnn_gap.model.folder import save_model
from cnn_gap.network.architecture import build_network
from cnn_gap.system.exit_codes import run
from cnn_gap.system.settings import to_dict
from cnn_gap.training.config import DEFAULT_CONFIG, read_config
from cnn_gap.training.experiment import Experiment, Sources, prepare_experiment
from cnn_gap.training.fine_tuning import PretrainedModel, read_pretrained_model
from cnn_gap.training.validation import choose_model_thresholds, predict_validation


def main(arguments: list[str]) -> None:
    """Write the model and print the table."""
    options = _parser().parse_args(arguments)
    start, config = read_pretrained_model(options.model), read_config(options.config)
    sources = Sources(str(options.data), options.cache or options.out / "cache", patient_table=options.patients)
    experiment = prepare_experiment(sources, config, start.description.class_set, seed=0, start=start)
    network = with_moments(start, experiment)
    thresholds = choose_model_thresholds(network, experiment)
    description = replace(
        start.description,
        thresholds=tuple(float(each) if np.isfinite(each) else None for each in thresholds),
        training={**start.description.training, "config": to_dict(experiment.config)},
    )
    save_model(options.out, network, description)
    print(table(experiment, {"mean of the whole map": start.network, "highest mean": network}))


def with_moments(start: PretrainedModel, experiment: Experiment) -> keras.Model:
    """Return the network with the trained weights, pooled as the experiment's configuration says."""
    network = build_network(
        experiment.config.network,
        len(LEADS),
        len(experiment.classes),
        margin=experiment.config.preprocessing.margin_samples,
        momentary=experiment.momentary,
    )
    start.copy_weights(network, experiment.classes)
    scale_logits(network, *fit_calibration(*predict_validation(network, experiment)))
    return network


def table(experiment: Experiment, networks: dict[str, keras.Model]) -> Table:
    """Return the AUROC on the validation records: all outputs, the Challenge's classes, the momentary ones."""
    classes = experiment.classes
    areas = [auroc_auprc(*predict_validation(each, experiment))[0] for each in networks.values()]
    rows: list[tuple[object, ...]] = [
        ("mean of all outputs", *(f"{macro_average(each):.4f}" for each in areas)),
        (
            "mean of the Challenge's classes",
            *(f"{macro_average(each[: len(classes.classes)]):.4f}" for each in areas),
        ),
    ]
    for column in experiment.momentary:
        rows.append((classes.short_names[column], *(f"{each[column]:.4f}" for each in areas)))
    return Table("AUROC", tuple(networks), tuple(rows))


def _parser() -> argparse.ArgumentParser:
    parser = command_parser("research.with_moments", __doc__)
    parser.add_argument("model", metavar="MODEL", type=Path, help="folder of a trained model")
    parser.add_argument("data", metavar="TRAIN", type=Path, help="the records of its training")
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the new model")
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="(default: %(default)s)")
    parser.add_argument("--cache", type=Path, help="prepared windows of a training (default: OUT/cache)")
    return parser


if __name__ == "__main__":
    run(main)
