"""Our network beside others from their own packages: same records, labels, split, epochs, optimiser, machine.

Trains each network of `benchmarks.trainings.peers_networks` for each seed on the Challenge's classes and
PTB-XL's statements and scores the records of TEST with it, once, by thresholds of the validation records. What
is learned of a network is kept in OUT/NAME-SEED.npz; one that is there is not trained again. All learn by the
configuration's recipe, without averaged weights, teacher and calibration: AdamW whose rate rises linearly and
falls as a cosine, the same crops, augmentation and precision; the last epoch counts. Speeds are of a batch at a
time, in interleaved rounds, by the processor's time: whatever else the machine does counts little.
"""

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.common import Classified, interleaved, table
from benchmarks.trainings.peers_networks import Peer, Predictor, networks, require_packages, start_backends
from benchmarks.trainings.runs import training_parser
from cnn_gap.diagnoses.classes import ClassSet, read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.evaluate.thresholds import apply_thresholds, stable_thresholds
from cnn_gap.io.records import read_info
from cnn_gap.io.sources import find_records
from cnn_gap.system.errors import InputError
from cnn_gap.system.exit_codes import run
from cnn_gap.system.files import replacing

if TYPE_CHECKING:
    from cnn_gap.training.config import Config, Training
    from cnn_gap.training.experiment import Experiment
    from cnn_gap.training.window_store import WindowStore

#: The columns of the table.
HEADINGS = (
    "network",
    "parameters",
    "AUROC",
    "Challenge metric",
    "AUROC, statements",
    "training, CPU min",
    "training, windows/CPU s",
    "times ours",
    "prediction, windows/CPU s",
    "times ours",
)

#: Makes an untrained network.
Make = Callable[[], Peer]


@dataclass(frozen=True, eq=False)
class Target:
    """The records that are scored, n of them.

    Attributes
    ----------
    store : WindowStore
        Windows of these and, perhaps, of some that cannot be read.
    rows : ndarray of int, shape (n,)
        Their indices in the store.
    names : tuple of str
    labels : ndarray, shape (n, outputs), bool
        What their headers say.
    """

    store: "WindowStore"
    rows: np.ndarray
    names: tuple[str, ...]
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Result:
    """What is learned of a network.

    Attributes
    ----------
    parameters : int
    training_s : float
        Processor time of its training, s.
    thresholds : ndarray, shape (outputs,)
        Of the validation records.
    probabilities : ndarray, shape (n, outputs)
        Of the records of TEST.
    """

    parameters: int
    training_s: float
    thresholds: np.ndarray
    probabilities: np.ndarray


@dataclass(frozen=True)
class Speed:
    """Windows a second of processor time."""

    training: float
    prediction: float


def main(arguments: list[str]) -> None:
    """Train what is not trained, classify, time and print a row a network."""
    options = _parser().parse_args(arguments)
    require_packages()
    start_backends(options.threads)
    from cnn_gap.training.config import DEFAULT_CONFIG, read_config

    config = plain_recipe(read_config(options.config or DEFAULT_CONFIG), options.epochs)
    classes = replace(read_weights(), findings=read_findings("scp"))
    makers = networks(config, len(classes))
    target = _read_target(options, config, classes)
    results: dict[str, list[Result]] = {name: [] for name in makers}
    for seed in options.seeds:
        experiment = _read_experiment(options, config, classes, seed)
        for name, make in makers.items():
            results[name].append(_result(options.out / f"{name}-{seed}.npz", make, experiment, target))
    partition = experiment.partition
    print(
        f"{len(partition.training)} records to train on, {len(partition.validation)} to validate on,"
        f" {len(target.names)} of TEST; epochs: {config.training.epochs}, seeds: {len(options.seeds)}\n"
    )
    speeds = measure_speeds(makers, experiment, options.rounds) if options.rounds else {}
    print(peers_table(classes, target, results, speeds))


def _parser() -> argparse.ArgumentParser:
    parser = training_parser("trainings.peers", __doc__, seeds=(0,))
    parser.add_argument(
        "--config", metavar="FILE.toml", type=Path, help="what to train (default: configs/default.toml)"
    )
    parser.add_argument("--records", metavar="N", type=int, help="of TRAIN, by chance (default: all)")
    parser.add_argument(
        "--epochs", metavar="N", type=int, help="of each training (default: the configuration's)"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, default=1, help="of each backend (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds",
        metavar="N",
        type=int,
        default=5,
        help="batches that are timed (default: %(default)s; 0: no speeds)",
    )
    return parser


def plain_recipe(config: "Config", epochs: int | None) -> "Config":
    """Return the configuration with what every network can be trained by, and so many epochs."""
    training = config.training
    epochs = training.epochs if epochs is None else epochs
    plain = replace(
        training,
        loss="binary_crossentropy",
        macro_obs=0.0,
        epochs=epochs,
        schedule="cosine",
        warmup_epochs=min(training.warmup_epochs, epochs),
        averaging=0.0,
        calibrate=False,
    )
    return replace(config, training=plain)


def _read_target(options: argparse.Namespace, config: "Config", classes: ClassSet) -> Target:
    """Read the records of TEST; the windows of those that cannot be read are left out with a line."""
    from cnn_gap.training.window_store import prepare_windows

    infos = [read_info(path) for path in find_records(options.test)]
    if not infos:
        raise InputError(f"{options.test}: holds no record; give a folder of labelled ones")
    store = prepare_windows(infos, config.preprocessing, _cache(options), log=_log)
    for reason in store.failures.values():
        _log(f"left out: {reason}")
    rows = np.setdiff1d(np.arange(len(infos)), list(store.failures))
    labels = np.array([classes.encode(infos[row].codes) for row in rows])
    return Target(store, rows, tuple(infos[row].name for row in rows), labels)


def _read_experiment(
    options: argparse.Namespace, config: "Config", classes: ClassSet, seed: int
) -> "Experiment":
    from cnn_gap.training.experiment import Partition, Sources, prepare_experiment

    sources = Sources(options.train, _cache(options), patient_table=options.patients)
    experiment = prepare_experiment(sources, config, classes, seed, log=_log)
    whole = experiment.partition
    if not len(whole.validation):
        raise InputError(f"{options.train}: no record is left to choose thresholds on; give more records")
    wanted = options.records or len(whole.training) + len(whole.validation)
    share = wanted / (len(whole.training) + len(whole.validation))
    partition = Partition(some(whole.training, share, seed), some(whole.validation, share, seed), whole.labels)
    return replace(experiment, partition=partition)


def some(records: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return a share of the records by chance, in their order: one at least, and at most all."""
    count = min(len(records), max(1, round(share * len(records))))
    return np.sort(np.random.default_rng(seed).permutation(records)[:count])


def _cache(options: argparse.Namespace) -> Path:
    return options.cache or options.out / "cache"


def _log(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _result(path: Path, make: Make, experiment: "Experiment", target: Target) -> Result:
    """Return what the file holds or, without one, train into it."""
    setup = _setup(experiment, target)
    if path.exists():
        result = read_result(path, setup)
        _log(f"{path.stem}: is trained already")
        return result
    result = _learn(path.stem, make, experiment, target)
    write_result(path, result, setup)
    return result


def _setup(experiment: "Experiment", target: Target) -> dict:
    """Return what must be the same for a result to be taken as it is."""
    training = hashlib.sha256(experiment.partition.training.tobytes()).hexdigest()[:16]
    setup = {
        **experiment.setup,
        "fingerprint of the training records": training,
        "fingerprint of the records of TEST": target.store.folder.name,
    }
    return json.loads(json.dumps(setup))


def write_result(path: Path, result: Result, setup: dict) -> None:
    """Write a result and what it depends on, whole or not at all."""
    with replacing(path) as aside, aside.open("wb") as file:
        np.savez(file, setup=np.array(json.dumps(setup)), **vars(result))


def read_result(path: Path, setup: dict) -> Result:
    """Read a result.

    Raises
    ------
    InputError
        If the file is damaged or depends on something else than `setup`.
    """
    try:
        with np.load(path, allow_pickle=False) as content:
            held = json.loads(str(content["setup"]))
            figures = int(content["parameters"]), float(content["training_s"])
            result = Result(*figures, content["thresholds"], content["probabilities"])
    except Exception as error:  # NumPy and its ZIP reader raise many kinds for a damaged file
        raise InputError(f"{path}: is no result of this benchmark ({error!r}); remove it") from error
    for key, value in setup.items():
        if held.get(key) != value:
            raise InputError(
                f"{path}: was trained with another {key}; give another OUT, or the same records and settings;"
                f" received {json.dumps(value)[:80]}"
            )
    return result


def _learn(name: str, make: Make, experiment: "Experiment", target: Target) -> Result:
    """Train a network, choose its thresholds on the validation records and classify those of TEST."""
    import keras

    keras.utils.set_random_seed(experiment.seed)
    _seed_torch(experiment.seed)
    peer = make()
    started = time.process_time()
    train(name, peer, experiment)
    training_s = time.process_time() - started
    predict = partial(predict_records, peer.predictor(), experiment.config.training.batch_size)
    records, examples = experiment.partition.validation, experiment.examples
    validated = predict(examples.store, records)
    thresholds = stable_thresholds(
        experiment.classes, examples.labels[records], validated, experiment.partition.seen
    )
    return Result(peer.parameters, training_s, thresholds, predict(target.store, target.rows))


def predict_records(
    network: Predictor, batch_size: int, store: "WindowStore", records: np.ndarray
) -> np.ndarray:
    """Return the probabilities (records, outputs) of records by index, means over their whole windows."""
    windows, owners = store.windows_of(records)
    starts = range(0, len(windows), batch_size)
    parts = [network.predict_on_batch(store.read(windows[first : first + batch_size])) for first in starts]
    predicted = np.concatenate(parts)
    return np.array([predicted[owners == record].mean(axis=0) for record in records])


def _seed_torch(seed: int) -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def train(name: str, peer: Peer, experiment: "Experiment") -> None:
    """Train a network on every batch of every epoch."""
    from cnn_gap.training.train import epoch_batches

    training = experiment.config.training
    steps = len(epoch_batches(experiment, 0))
    for epoch in range(training.epochs):
        started, losses = time.perf_counter(), []
        batches = epoch_batches(experiment, epoch)
        for number in range(steps):
            done = (epoch * steps + number) / steps
            losses.append(peer.train(*batches[number], learning_rate(training, done)))
        seconds = time.perf_counter() - started
        _log(f"{name}: epoch {epoch + 1}/{training.epochs}  loss {fmean(losses):.4f}  {seconds:.0f} s")


def learning_rate(training: "Training", done: float) -> float:
    """Return the rate after `done` epochs: it rises linearly to the highest and falls as a cosine to 0."""
    if done < training.warmup_epochs:
        return training.learning_rate * done / training.warmup_epochs
    fallen = (done - training.warmup_epochs) / max(training.epochs - training.warmup_epochs, 1e-9)
    return training.learning_rate * (1 + math.cos(math.pi * min(fallen, 1.0))) / 2


def measure_speeds(makers: Mapping[str, Make], experiment: "Experiment", rounds: int) -> dict[str, Speed]:
    """Return the speed of each network, untrained: its weights do not change how long it takes."""
    from cnn_gap.training.train import epoch_batches

    windows, labels = epoch_batches(experiment, 0)[0]
    whole = experiment.examples.store.read(np.arange(min(len(windows), experiment.examples.store.first[-1])))
    tasks: dict[str, Callable[[], object]] = {}
    for name, make in makers.items():
        peer = make()
        tasks[f"{name}, training"] = partial(peer.train, windows, labels, 0.0)
        tasks[f"{name}, prediction"] = partial(peer.predictor().predict_on_batch, whole)
    for task in tasks.values():
        task()  # compiles
    times = interleaved(tasks, rounds, time.process_time)
    return {
        name: Speed(len(windows) / times[f"{name}, training"], len(whole) / times[f"{name}, prediction"])
        for name in makers
    }


def peers_table(
    classes: ClassSet, target: Target, results: Mapping[str, Sequence[Result]], speeds: Mapping[str, Speed]
) -> str:
    """Return a row a network, means over the seeds; the first one is what speeds are compared with."""
    nothing = Speed(math.nan, math.nan)
    ours = speeds.get(next(iter(results)), nothing)
    rows = []
    for name, several in results.items():
        figures = [_figures(classes, target, result) for result in several]
        speed = speeds.get(name, nothing)
        rows.append(
            (
                name,
                several[0].parameters,
                *(fmean(column) for column in zip(*figures, strict=True)),
                fmean(result.training_s for result in several) / 60,
                speed.training,
                speed.training / ours.training,
                speed.prediction,
                speed.prediction / ours.prediction,
            )
        )
    return table(HEADINGS, rows)


def _figures(classes: ClassSet, target: Target, result: Result) -> tuple[float, float, float]:
    """Return AUROC and metric of the Challenge's classes, and AUROC of the statements."""
    outputs = apply_thresholds(result.probabilities, result.thresholds)
    scored = Classified(classes, target.names, target.labels, outputs, result.probabilities).scored
    findings = slice(len(classes.classes), None)
    statements, _ = auroc_auprc(target.labels[:, findings], result.probabilities[:, findings])
    return scored.auroc, scored.challenge_metric, macro_average(statements)


if __name__ == "__main__":
    run(main)
