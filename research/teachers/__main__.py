"""Train a teacher and write its probabilities of the records as a table.

    python -m research.teachers residual TRAIN OUT --patients PATIENTS.csv
    python -m research.teachers residual FOLD9 OUT --trained OUT/residual-0.safetensors
    python -m research.teachers residual TRAIN OUT --patients PATIENTS.csv --parts 4

A training that was interrupted is resumed. The command writes OUT/NAME-SEED.safetensors, and
OUT/NAME-SEED-DATA.parquet, from which `train_model.py --teacher` learns.

With --parts, a network for each part of the patients learns the other parts
(OUT/NAME-SEED-crossed-1of4.safetensors and so on). OUT/NAME-SEED-crossed-DATA.parquet then has, for each
training record, the probabilities by the network that has not learned it. With --part, these networks alone are
trained and no table is written, so that several processes can share the work.

With --teacher, the network learns from the probabilities of other networks, too, and its files are named
NAME-SEED-taught.
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
from research.teachers.attention import AttentionNetwork
from research.teachers.crossed import Crossing
from research.teachers.records import Records, read_records
from research.teachers.residual import ResidualNetwork
from research.teachers.state_space import StateSpaceNetwork
from research.teachers.training import Recipe, predict, train, validate

NETWORKS = {"attention": AttentionNetwork, "residual": ResidualNetwork, "state_space": StateSpaceNetwork}


def main(arguments: list[str]) -> None:
    """Train or load one network or one for each part, then write the probabilities of the records."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.parts is not None and options.trained is not None:
        parser.error("--parts trains networks; with --trained, leave it out")
    if not set(options.part or ()) <= set(range(1, (options.parts or 0) + 1)):
        parser.error(f"--part takes numbers from 1 to --parts; received {options.part} of {options.parts}")
    torch.set_num_threads(options.threads)
    recipe = Recipe(epochs=options.epochs, seed=options.seed, bfloat16=not options.float32)
    fraction = 0.1 if options.trained is None else 0.0
    cache = options.out / "cache"
    records = read_records(options.data, cache, options.patients, options.weights, fraction=fraction)
    records = records.learning_from(options.teachers, options.share)
    name = f"{options.network}-{options.seed}" + ("-taught" if options.teachers else "")
    if options.parts is not None:
        name = f"{name}-crossed"
        crossing = Crossing(records, options.parts, options.seed)
        each = {
            number: _network(options, recipe, crossing.without(number), f"{name}-{number}of{options.parts}")
            for number in options.part or crossing.numbers
        }
        if options.part:
            return
        said = crossing.join([predict(each[number], records.windows, recipe) for number in crossing.numbers])
    else:
        said = predict(_network(options, recipe, records, name), records.windows, recipe)
    table = options.out / f"{name}-{options.data.name}.parquet"
    write_teacher_table(table, records.names, records.classes.representatives, said)


def _network(options: argparse.Namespace, recipe: Recipe, records: Records, name: str) -> nn.Module:
    """Return a network; train it if it has no file yet."""
    torch.manual_seed(options.seed)
    network: nn.Module = NETWORKS[options.network](len(records.classes))
    weights = options.trained or options.out / f"{name}.safetensors"
    print(f"{weights}: {sum(each.numel() for each in network.parameters())} parameters", flush=True)
    if options.trained or weights.exists():
        network.load_state_dict(load_file(weights))
    else:
        network = train(network, records, recipe, weights, lambda line: print(line, flush=True))
        print(validate(network, records, recipe), flush=True)
    return network


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m research.teachers", description="Train a teacher.")
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("data", type=Path, help="folder of records")
    parser.add_argument("out", type=Path, help="folder for weights, table and prepared windows")
    parser.add_argument("--patients", type=Path, help="lines of record,patient")
    parser.add_argument("--weights", type=Path, default=Path("weights.csv"), help="the Challenge's table")
    parser.add_argument("--trained", type=Path, metavar="FILE.safetensors", help="predict alone, with these")
    parser.add_argument(
        "--parts", type=int, help="parts of the patients, with a network that has not learned each"
    )
    parser.add_argument(
        "--part", type=int, nargs="+", help="with --parts: train these networks alone, from 1 on"
    )
    parser.add_argument(
        "--teacher",
        dest="teachers",
        type=Path,
        action="append",
        default=[],
        metavar="TABLE.parquet",
        help="learn from these probabilities, too; may be given several times",
    )
    parser.add_argument(
        "--share", type=float, default=0.7, help="share of the teachers' probabilities in the targets"
    )
    parser.add_argument(
        "--float32", action="store_true", help="compute in float32 instead of bfloat16: quicker without AMX"
    )
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    return parser


if __name__ == "__main__":
    run(main)
