"""Train a network on a folder of records and write a model folder."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from cnn_gap.ecg.diagnoses import ClassSet
from cnn_gap.ecg.headers import LEADS
from cnn_gap.ecg.label_tables import read_label_table, read_record_table
from cnn_gap.ecg.records import RecordInfo, find_records, read_info
from cnn_gap.errors import InputError
from cnn_gap.network.architecture import build_network, copy_weights
from cnn_gap.network.losses import MacroObs, WeightedBinaryCrossentropy, WeightedSum
from cnn_gap.prediction.model_folder import ModelDescription, load_model, save_model, software_versions
from cnn_gap.scoring.metrics import auroc_auprc, macro_average
from cnn_gap.scoring.thresholds import out_of_fold_metric, stable_thresholds
from cnn_gap.settings import to_dict
from cnn_gap.training.batches import Examples, WindowBatches, repeat_factors, split_records
from cnn_gap.training.checkpoints import Checkpoints, Progress
from cnn_gap.training.config import Config
from cnn_gap.training.fine_tuning import Start
from cnn_gap.training.history import write_history
from cnn_gap.windows.store import WindowStore, prepare_windows

Log = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Partition:
    """The records to train on and to validate on, as indices, and what the training ones hold."""

    training: np.ndarray
    validation: np.ndarray
    labels: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """Which classes the training records hold, bool of shape (classes,)."""
        return self.labels[self.training].any(axis=0)

    @property
    def positive_weights(self) -> np.ndarray:
        """Negatives / positives of each class in training, 1 for a class without positives."""
        positives = self.labels[self.training].sum(axis=0)
        return np.where(positives > 0, (len(self.training) - positives) / np.maximum(positives, 1), 1.0)


@dataclass(frozen=True, eq=False)
class Experiment:
    """All that a training depends on."""

    config: Config
    classes: ClassSet
    seed: int
    examples: Examples
    partition: Partition
    start: Start | None = None

    @property
    def seen(self) -> np.ndarray:
        """Which classes the network learns here or has learned before, bool of shape (classes,)."""
        seen = self.partition.seen
        return seen if self.start is None else seen | self.start.seen(self.classes)

    @property
    def setup(self) -> dict:
        """What must be the same for a training to go on, as a checkpoint keeps it."""
        return {
            "config": to_dict(self.config),
            "classes": self.classes.classes,
            "weights": self.classes.weights,
            "findings": [to_dict(finding) for finding in self.classes.findings],
            "seed": self.seed,
            "fingerprint of the records": self.examples.store.folder.name,
            "fingerprint of the labels": _digest(self.examples.labels),
            "fingerprint of the split": _digest(self.partition.validation),
            "fingerprint of the model to start from": None if self.start is None else self.start.fingerprint,
        }


def train_model(
    data: Path,
    model: Path,
    config: Config,
    classes: ClassSet,
    *,
    seed: int = 0,
    resume: bool = False,
    label_table: Path | None = None,
    patient_table: Path | None = None,
    cache: Path | None = None,
    start: Start | None = None,
    log: Log = print,
) -> ModelDescription:
    """Train on the records of `data` and write the model folder `model`.

    Parameters
    ----------
    data : Path
        Folder of records.
    model : Path
        Folder for `model.keras`, `model.json`, `history.csv` and `history.png`.
    config : Config
        Preprocessing, network and training.
    classes : ClassSet
        What to predict.
    seed : int
        Of the split, the initial weights and everything random in training.
    resume : bool
        Go on with an unfinished training in `model`, if there is one; a finished one is left as it is.
    label_table, patient_table : Path, optional
        CSV tables of `record,code[,code...]`, instead of the headers' diagnoses, and of `record,patient`.
    cache : Path, optional
        Folder for the prepared windows, `model/cache` if not given.
    start : Start, optional
        A trained model whose weights, blocks and preprocessing are taken, instead of those of `config`.
    log : callable
        Receives a line of progress at a time.

    Raises
    ------
    InputError
        If the data, the tables or an unfinished training do not allow this one.
    """
    model = Path(model)
    model.mkdir(parents=True, exist_ok=True)
    checkpoints = Checkpoints(model / "checkpoint")
    if resume and not checkpoints.exists() and (model / "model.json").exists():
        log(f"{model}: holds a finished training; nothing is left to do")
        return load_model(model)[1]
    if checkpoints.exists() and not resume:
        raise InputError(
            f"{model}: holds an unfinished training; continue with --resume or remove {checkpoints.folder}"
        )
    if resume and not checkpoints.exists():
        log("nothing to resume: training from the beginning")
    config = config if start is None else start.configure(config)
    records = _read_infos(Path(data), label_table, classes, log)
    labels = np.array([classes.encode_taught(record.codes) for record in records])
    if not labels.any():
        raise InputError(
            f"{data}: no record has a diagnosis that the weights file lists; check the labels and --weights"
        )
    store = prepare_windows(records, config.preprocessing, cache or model / "cache")
    for reason in store.failures.values():
        log(f"left out: {reason}")
    examples = Examples(store, labels)
    partition = _partition(
        examples, _patients(records, patient_table), config.training.validation_fraction, seed
    )
    experiment = Experiment(config, classes, seed, examples, partition, start)
    network, progress = _fit(experiment, checkpoints, model, log)
    description = _describe(network, experiment, progress)
    save_model(model, _plain(network, experiment), description)
    checkpoints.clear()
    log(f"saved {model / 'model.keras'}: epoch {progress.best_epoch} of {progress.epoch}")
    return description


def _digest(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()[:16]


def _read_infos(data: Path, label_table: Path | None, classes: ClassSet, log: Log) -> list[RecordInfo]:
    """Read every header; leave out, with a line, what cannot be read or the table does not label."""
    table = None if label_table is None else read_label_table(label_table, classes.codes)
    records, unlabelled = [], 0
    for path in tqdm(find_records(data), desc="reading headers", unit="record", disable=None):
        try:
            record = read_info(path)
        except InputError as error:
            log(f"left out: {error}")
            continue
        if table is not None and record.name not in table:
            unlabelled += 1
            continue
        records.append(record if table is None else replace(record, codes=table[record.name]))
    if unlabelled:
        log(f"left out: {unlabelled} records that {label_table} does not list")
    if not records:
        raise InputError(f"{data}: no record can be trained on; check the folder and the label table")
    return records


def _patients(records: list[RecordInfo], patient_table: Path | None) -> np.ndarray:
    """Return a group for each record: its patient, or itself where no patient is known."""
    table = {} if patient_table is None else read_record_table(patient_table)
    return np.array(
        [f"patient {table[r.name][0]}" if table.get(r.name) else f"record {r.path}" for r in records]
    )


def _partition(examples: Examples, groups: np.ndarray, fraction: float, seed: int) -> Partition:
    usable = np.flatnonzero(examples.usable)
    validation = split_records(examples.labels[usable], groups[usable], fraction, seed)
    if validation.all():
        raise InputError(f"no record is left to train on; lower training.validation_fraction ({fraction})")
    return Partition(usable[~validation], usable[validation], examples.labels)


def _fit(
    experiment: Experiment, checkpoints: Checkpoints, model: Path, log: Log
) -> tuple[keras.Model, Progress]:
    """Train epoch by epoch from the last checkpoint on; return the network with its best weights."""
    training, partition = experiment.config.training, experiment.partition
    keras.utils.set_random_seed(experiment.seed)
    network = _build(experiment)
    _compile(network, experiment, steps=len(_batches(experiment, epoch=0)))
    progress = Progress(experiment.setup)
    log(f"training on {len(partition.training)} records, validating on {len(partition.validation)}")
    if not len(partition.validation):
        log("no record to validate on: thresholds stay at 0.5, and the last epoch counts as the best")
    if checkpoints.exists():
        progress = checkpoints.read(experiment.setup)
        checkpoints.load_weights(network, progress.epoch)
        log(f"resuming after epoch {progress.epoch} of {training.epochs}")
    for epoch in range(progress.epoch, training.epochs):
        started = time.perf_counter()
        row = {"epoch": epoch + 1, "loss": _train_epoch(network, experiment, epoch)}
        seconds = time.perf_counter() - started
        row |= _validate(network, experiment)
        progress = _advance(progress, row)
        checkpoints.save(network, progress)
        write_history(model, progress.history)
        log(_epoch_line(row, training.epochs, seconds))
    checkpoints.load_weights(network, progress.best_epoch)
    return network, progress


def _build(experiment: Experiment) -> keras.Model:
    config = experiment.config
    network = build_network(
        config.network,
        len(LEADS),
        len(experiment.classes),
        config.augmentation,
        config.preprocessing.sampling_rate,
        config.preprocessing.margin_samples,
        config.training.precision,
    )
    if experiment.start is not None:
        experiment.start.copy_weights(network, experiment.classes)
    return network


def _plain(network: keras.Model, experiment: Experiment) -> keras.Model:
    """Return the network without its augmentation: made of Keras's own layers alone, it loads anywhere."""
    config = experiment.config
    margin = config.preprocessing.margin_samples
    plain = build_network(config.network, len(LEADS), len(experiment.classes), margin=margin)
    copy_weights(network, plain)
    return plain


def _batches(experiment: Experiment, epoch: int) -> WindowBatches:
    training, records = experiment.config.training, experiment.partition.training
    repeats = repeat_factors(
        experiment.examples.labels[records], training.oversampling_share, training.oversampling_cap
    )
    augmentation, preprocessing = experiment.config.augmentation, experiment.config.preprocessing
    return WindowBatches(
        experiment.examples,
        records,
        repeats,
        training.batch_size,
        experiment.seed,
        epoch,
        crop=experiment.config.crop_samples,
        mixup=augmentation.mixup,
        no_heart=augmentation.no_heart,
        sampling_rate=preprocessing.sampling_rate,
    )


def _compile(network: keras.Model, experiment: Experiment, steps: int) -> None:
    training = experiment.config.training
    warmup = round(training.warmup_epochs * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else training.learning_rate,
        max(1, training.epochs * steps - warmup),
        alpha=0.0 if training.schedule == "cosine" else 1.0,
        warmup_target=training.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=training.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    # XLA is the configuration's choice for TensorFlow; JAX has nothing else.
    jit_compile = training.jit_compile if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(optimizer, _loss(experiment), jit_compile=jit_compile)
    optimizer.build(network.trainable_variables)


def _loss(experiment: Experiment) -> keras.losses.Loss:
    training, classes = experiment.config.training, experiment.classes
    macro_obs = MacroObs(classes.weights)
    if training.loss == "macro_obs":
        return macro_obs
    weighted = training.loss == "weighted_binary_crossentropy"
    cross_entropy = WeightedBinaryCrossentropy(
        experiment.partition.positive_weights if weighted else np.ones(len(classes))
    )
    return WeightedSum(cross_entropy, macro_obs, training.macro_obs) if training.macro_obs else cross_entropy


def _train_epoch(network: keras.Model, experiment: Experiment, epoch: int) -> float:
    """Train on every batch of an epoch, from 0; return the mean loss."""
    _reseed(network, experiment.seed, epoch)
    # The batches are in their epoch's order: Keras would shuffle them by a state that no checkpoint holds.
    fitted = network.fit(_batches(experiment, epoch), shuffle=False, verbose=0)
    return fitted.history["loss"][0]


def _reseed(network: keras.Model, seed: int, epoch: int) -> None:
    """Set the random state of dropout and augmentation, which weight files do not hold, for an epoch."""
    for number, layer in enumerate(network.layers):
        if generator := getattr(layer, "seed_generator", None):
            state = np.random.SeedSequence([seed, epoch, number]).generate_state(2)
            generator.state.assign(state.astype(generator.state.dtype))


def predict_records(
    network: keras.Model, store: WindowStore, records: np.ndarray, batch_size: int
) -> np.ndarray:
    """Return the probabilities of records by index, (len(records), classes): means over a record's windows."""
    windows, owners = store.windows_of(records)
    parts = [windows[start : start + batch_size] for start in range(0, len(windows), batch_size)]
    predicted = np.concatenate([network.predict_on_batch(store.read(part)) for part in parts])
    first = np.flatnonzero(np.diff(owners, prepend=-1))
    return np.add.reduceat(predicted, first) / np.diff(first, append=len(owners))[:, None]


def _validate(network: keras.Model, experiment: Experiment) -> dict[str, float]:
    partition, classes = experiment.partition, experiment.classes
    if not len(partition.validation):
        return dict.fromkeys(("val_loss", "val_auroc", "val_scored_auroc", "val_challenge_metric"), np.nan)
    labels, probabilities = _predict_validation(network, experiment)
    auroc = auroc_auprc(labels, probabilities)[0]
    loss = network.loss(labels.astype(np.float32), probabilities)
    return {
        "val_loss": float(keras.ops.convert_to_numpy(loss)),
        "val_auroc": macro_average(auroc),
        "val_scored_auroc": macro_average(auroc[: len(classes.classes)]),
        "val_challenge_metric": out_of_fold_metric(classes, labels, probabilities, experiment.seen),
    }


def _predict_validation(network: keras.Model, experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels and the probabilities of the validation records, both (records, classes)."""
    records, examples = experiment.partition.validation, experiment.examples
    batch_size = experiment.config.training.batch_size
    return examples.labels[records], predict_records(network, examples.store, records, batch_size)


def _advance(progress: Progress, row: dict) -> Progress:
    """Add an epoch; the best has the highest AUROC + Challenge metric or, without AUROC, the least loss."""
    row = {key: None if np.isnan(value) else round(float(value), 6) for key, value in row.items()}
    row["epoch"] = int(row["epoch"])
    history = (*progress.history, row)

    def quality(each: dict) -> tuple:
        if each["val_auroc"] is not None:
            return each["val_auroc"] + (each["val_challenge_metric"] or 0.0), each["epoch"]
        return (each["epoch"],) if each["val_loss"] is None else (-each["val_loss"],)

    return replace(progress, history=history, best_epoch=max(history, key=quality)["epoch"])


def _epoch_line(row: dict, epochs: int, seconds: float) -> str:
    return (
        f"epoch {row['epoch']}/{epochs}  loss {row['loss']:.4f}  val_loss {row['val_loss']:.4f}"
        f"  val_auroc {row['val_auroc']:.4f}  val_scored_auroc {row['val_scored_auroc']:.4f}"
        f"  val_challenge_metric {row['val_challenge_metric']:.4f}"
        f"  {seconds:.0f} s"
    )


def _describe(network: keras.Model, experiment: Experiment, progress: Progress) -> ModelDescription:
    """Choose the thresholds on the validation records and put together what model.json holds."""
    config, classes, partition = experiment.config, experiment.classes, experiment.partition
    thresholds = _choose_thresholds(network, experiment)
    summary = {
        "seed": experiment.seed,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "validation": progress.history[progress.best_epoch - 1],
        "training_records": len(partition.training),
        "validation_records": len(partition.validation),
        "config": to_dict(config),
    }
    return ModelDescription(
        classes=classes.classes,
        weights=tuple(tuple(map(float, row)) for row in classes.weights),
        thresholds=tuple(float(t) if np.isfinite(t) else None for t in thresholds),
        seen=tuple(map(bool, experiment.seen)),
        leads=LEADS,
        preprocessing=config.preprocessing,
        answers=config.answers,
        versions=software_versions(),
        training=summary,
        findings=classes.findings,
    )


def _choose_thresholds(network: keras.Model, experiment: Experiment) -> np.ndarray:
    """Choose the thresholds, (classes,), on the validation records, as far as they hold the classes."""
    classes, seen = experiment.classes, experiment.seen
    thresholds, chosen = np.where(seen, 0.5, np.inf), np.zeros(len(classes), bool)
    if len(experiment.partition.validation):
        labels, probabilities = _predict_validation(network, experiment)
        thresholds, chosen = stable_thresholds(classes, labels, probabilities, seen), labels.any(axis=0)
    if experiment.start is None:
        return thresholds
    trained = experiment.start.thresholds(classes)
    return np.where(~chosen & seen & np.isfinite(trained), trained, thresholds)
