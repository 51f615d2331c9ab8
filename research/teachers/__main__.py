"""Train a teacher and write its probabilities of the records as a table.

    python -m research.teachers residual TRAIN OUT --patients PATIENTS.csv
    python -m research.teachers residual FOLD9 OUT --trained OUT/residual-0.safetensors

A training that was interrupted is resumed. Writes OUT/NAME-SEED.safetensors, and OUT/NAME-SEED-DATA.parquet,
from which `train_model.py --teacher` learns.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "torch")  # the package's training imports Keras; nothing here uses it

import torch
from safetensors.torch import load_file
from torch import nn

from cnn_gap.system.exit_codes import run
from cnn_gap.training.teacher_table import write_teacher_table
from research.teachers.records import read_records
from research.teachers.residual import ResidualNetwork
from research.teachers.state_space import StateSpaceNetwork
from research.teachers.training import Recipe, predict, train, validate

NETWORKS = {"residual": ResidualNetwork, "state_space": StateSpaceNetwork}


def main(arguments: list[str]) -> None:
    """Train or load, then predict."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    fraction = 0.1 if options.trained is None else 0.0
    cache = options.out / "cache"
    records = read_records(options.data, cache, options.patients, options.weights, fraction=fraction)
    network: nn.Module = NETWORKS[options.network](len(records.classes))
    print(f"{sum(each.numel() for each in network.parameters())} parameters", flush=True)
    recipe = Recipe(epochs=options.epochs, seed=options.seed)
    name = f"{options.network}-{options.seed}"
    if options.trained is None:
        weights = options.out / f"{name}.safetensors"
        network = train(network, records, recipe, weights, lambda line: print(line, flush=True))
        print(validate(network, records, recipe.crop))
    else:
        network.load_state_dict(load_file(options.trained))
    table = options.out / f"{name}-{options.data.name}.parquet"
    said = predict(network, records.windows, recipe.crop)
    write_teacher_table(table, records.names, records.classes.representatives, said)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.teachers", description="Train a teacher.")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("data", type=Path, help="folder of records")
    parser.add_argument("out", type=Path, help="folder for weights, table and prepared windows")
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument("--weights", type=Path, default=Path("weights.csv"), help="the Challenge's table")
    parser.add_argument("--trained", type=Path, metavar="FILE.safetensors", help="predict alone, with these")
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser


if __name__ == "__main__":
    run(main)
