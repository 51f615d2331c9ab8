"""Train a network on a folder of records and write a model folder."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from cnn_gap.diagnoses.classes import ClassSet
from cnn_gap.diagnoses.target_waves import target_waves
from cnn_gap.evaluate.calibration import fit_calibration, scale_logits
from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.evaluate.thresholds import out_of_fold_metric, stable_thresholds
from cnn_gap.leads import LEADS
from cnn_gap.model.folder import ModelDescription, load_model, save_model, software_versions
from cnn_gap.network.activation_maps import window_multiple
from cnn_gap.network.architecture import build_network, copy_weights
from cnn_gap.network.fast_layers import with_fast_layers
from cnn_gap.network.losses import MacroObs, WeightedBinaryCrossentropy, WeightedSum
from cnn_gap.network.map_penalty import Focus
from cnn_gap.system.chunks import Run
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked
from cnn_gap.system.settings import to_dict
from cnn_gap.training.batches import BatchPlan, WindowBatches, cut, repeat_factors
from cnn_gap.training.checkpoints import Checkpoints, Progress
from cnn_gap.training.config import Config
from cnn_gap.training.devices import even, on_devices, predict_evenly
from cnn_gap.training.experiment import Experiment, Log, Sources, prepare_experiment
from cnn_gap.training.fine_tuning import PretrainedModel
from cnn_gap.training.history import write_history
from cnn_gap.training.model_files import require_model_folder
from cnn_gap.training.teacher import Teacher, blend
from cnn_gap.training.window_store import WindowStore

#: How many epochs, up to each, the choice of the best one looks at.
JUDGED_EPOCHS = 3


def train_model(
    data: str | Path,
    model: Path,
    config: Config,
    classes: ClassSet,
    *,
    seed: int = 0,
    resume: bool = False,
    label_table: Path | None = None,
    patient_table: Path | None = None,
    cache: Path | None = None,
    start: PretrainedModel | None = None,
    teachers: tuple[Teacher, ...] = (),
    strict: bool = False,
    devices: int | str = 1,
    run: Run | None = None,
    log: Log = print,
) -> ModelDescription:
    """Train on the records of `data` and write the model folder `model`.

    Parameters
    ----------
    data : str or Path
        Folder, list or address of records, as `cnn_gap.io.sources` takes it.
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
    start : PretrainedModel, optional
        A trained model whose weights, blocks and preprocessing are taken, instead of those of `config`.
    teachers : tuple of Teacher
        Trained models; the mean of their probabilities is learned beside the labels.
    strict : bool
        Fail where a folder in `data` cannot be read, rather than go on without its records.
    devices : int or "all"
        How many devices share each batch.
    run : callable, optional
        What prepares the windows, as of `cnn_gap.training.window_store.prepare_windows`.
    log : callable
        Receives a line of progress at a time.

    Raises
    ------
    InputError
        If the data, the tables or an unfinished training do not allow this one, or another process is training
        in `model`, a file there would be replaced that is no model's, or there are fewer devices.
    """
    model = Path(model)
    sources = Sources(str(data), cache or model / "cache", label_table, patient_table, strict, run)
    with locked(model), on_devices(devices):
        require_model_folder(model)
        checkpoints = _open_checkpoints(model, resume, log)
        if checkpoints is None:
            return load_model(model)[1]
        experiment = prepare_experiment(sources, config, classes, seed, start, teachers, log)
        return _train(experiment, checkpoints, model, log)


def _open_checkpoints(model: Path, resume: bool, log: Log) -> Checkpoints | None:
    """Return where the training's state is kept, or None where it is finished."""
    checkpoints = Checkpoints(model / "checkpoint")
    if resume and not checkpoints.exists() and (model / "model.json").exists():
        log(f"{model}: holds a finished training; nothing is left to do")
        return None
    if checkpoints.exists() and not resume:
        raise InputError(
            f"{model}: holds an unfinished training; continue with --resume or remove {checkpoints.folder}"
        )
    if resume and not checkpoints.exists():
        log("nothing to resume: training from the beginning")
    return checkpoints


def _train(experiment: Experiment, checkpoints: Checkpoints, model: Path, log: Log) -> ModelDescription:
    with _enough_memory():
        network, progress = _fit(_taught(experiment, log), checkpoints, model, log)
    if experiment.config.training.calibrate and len(experiment.partition.validation):
        scale_logits(network, *fit_calibration(*_predict_validation(network, experiment)))
    description = _describe(network, experiment, progress)
    save_model(model, network, description)
    checkpoints.clear()
    log(f"saved {model / 'model.keras'}: epoch {progress.best_epoch} of {progress.epoch}")
    return description


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Turn what the backends raise where memory ends into an `InputError`."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, MemoryError) and type(error).__name__ != "ResourceExhaustedError":
            raise
        raise InputError(
            "there is not enough memory for this training; lower training.batch_size, network.filters or"
            " preprocessing.window_s"
        ) from error


def _taught(experiment: Experiment, log: Log) -> Experiment:
    """Return the experiment with what its teachers, if there are any, say of the training records."""
    teachers, examples, training = experiment.teachers, experiment.examples, experiment.config.training
    if not teachers:
        return experiment
    records, said = experiment.partition.training, []
    for teacher in teachers:
        log(f"asking {teacher.folder} about the training records")
        said.append(predict_records(teacher.network, examples.store, records, training.batch_size))
    targets = examples.labels.astype(np.float32)
    targets[records] = blend(examples.labels[records], teachers, said, training.distillation)
    return replace(experiment, examples=replace(examples, targets=targets))


def _fit(
    experiment: Experiment, checkpoints: Checkpoints, model: Path, log: Log
) -> tuple[keras.Model, Progress]:
    """Train epoch by epoch from the last checkpoint on; return the network with its best weights."""
    training, partition = experiment.config.training, experiment.partition
    keras.utils.set_random_seed(experiment.seed)
    network = _build(experiment)
    _compile(network, experiment, steps=len(epoch_batches(experiment, epoch=0)))
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
        with _averaged(network, training.averaging):
            row |= _validate(network, experiment)
        progress = _advance(progress, row)
        checkpoints.save(network, progress)
        write_history(model, progress.history)
        log(_epoch_line(row, training.epochs, seconds))
    checkpoints.load_weights(network, progress.best_epoch)
    with _averaged(network, training.averaging):
        return _plain(network, experiment), progress


@contextmanager
def _averaged(network: keras.Model, averaging: float) -> Iterator[None]:
    """Give the network the average of its weights meanwhile, if there is one."""
    if not averaging:
        yield
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(network)
    swap.on_test_begin()
    yield
    swap.on_test_end()


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
        _focus(experiment),
    )
    if experiment.start is not None:
        experiment.start.copy_weights(network, experiment.classes)
    return with_fast_layers(network) if config.training.fast_layers else network


def _focus(experiment: Experiment) -> Focus | None:
    weight = experiment.config.training.focus
    return Focus(target_waves(experiment.classes), weight) if weight else None


def _plain(network: keras.Model, experiment: Experiment) -> keras.Model:
    """Return the network without its augmentation: made of Keras's own layers alone, it loads anywhere."""
    config = experiment.config
    margin = config.preprocessing.margin_samples
    plain = build_network(config.network, len(LEADS), len(experiment.classes), margin=margin)
    copy_weights(network, plain)
    return plain


def epoch_batches(experiment: Experiment, epoch: int) -> WindowBatches:
    """Return the training batches of an epoch, from 0."""
    training, records = experiment.config.training, experiment.partition.training
    repeats = repeat_factors(
        experiment.examples.labels[records], training.oversampling_share, training.oversampling_cap
    )
    augmentation, preprocessing = experiment.config.augmentation, experiment.config.preprocessing
    plan = BatchPlan(
        size=training.batch_size,
        crop=experiment.config.crop_samples,
        step=experiment.config.length_step,
        mixup=augmentation.mixup,
        no_heart=augmentation.no_heart,
        sampling_rate=preprocessing.sampling_rate,
    )
    return WindowBatches(experiment.examples, records, repeats, plan, experiment.seed, epoch)


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
    optimizer = AveragingAdamW(
        schedule,
        weight_decay=training.weight_decay,
        use_ema=training.averaging > 0,
        ema_momentum=training.averaging,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    # XLA is the configuration's choice for TensorFlow; JAX has nothing else.
    jit_compile = training.jit_compile if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(optimizer, _loss(experiment), jit_compile=jit_compile)
    optimizer.build(network.trainable_variables)


class AveragingAdamW(keras.optimizers.AdamW):
    """AdamW whose average of the weights, if it keeps one, does not replace them when `fit` ends."""

    def finalize_variable_values(self, var_list: list) -> None:
        """Do nothing: `fit` ends after each epoch, and the training goes on."""


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
    fitted = network.fit(even(epoch_batches(experiment, epoch)), shuffle=False, verbose=0)
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
    """Return the probabilities of records by index, (len(records), classes): means over a record's windows.

    Records shorter than a window are predicted without the zeros around them.
    """
    windows, owners = store.windows_of(records)
    held, step = np.array(store.held)[owners], window_multiple(network)
    lengths = np.where(held < store.samples, held - held % step, held)
    predicted = np.empty((len(windows), network.output_shape[-1]), np.float32)
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        for start in range(0, len(alike), batch_size):
            part = alike[start : start + batch_size]
            given = cut(store.read(windows[part]), held[part], int(length))
            predicted[part] = predict_evenly(network, given)
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
    """Add an epoch; the best has the highest `_quality`."""
    row = {key: None if np.isnan(value) else round(float(value), 6) for key, value in row.items()}
    row["epoch"] = int(row["epoch"])
    history = (*progress.history, row)
    best = max(range(1, len(history) + 1), key=lambda epoch: _quality(history[:epoch]))
    return replace(progress, history=history, best_epoch=best)


def _quality(history: tuple[dict, ...]) -> tuple:
    """Return what the last epoch of a history is judged by: the more, the better.

    It is AUROC + Challenge metric, the mean of the last epochs, since one alone may be high by chance. Without
    an AUROC it is the loss, and without validation records the later epoch is the better.
    """
    last = history[-1]
    if last["val_loss"] is None:
        return (last["epoch"],)
    if last["val_auroc"] is None:
        return (-last["val_loss"], 0)
    sums = [row["val_auroc"] + (row["val_challenge_metric"] or 0.0) for row in history[-JUDGED_EPOCHS:]]
    return sum(sums) / len(sums), last["epoch"]


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
        "teachers": [{"folder": each.folder.name, "weights": each.fingerprint} for each in experiment.teachers],
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
        thresholds = stable_thresholds(classes, labels, probabilities, seen)
        chosen = np.asarray(labels.any(axis=0))
    if experiment.start is None:
        return thresholds
    trained = experiment.start.thresholds(classes)
    return np.where(~chosen & seen & np.isfinite(trained), trained, thresholds)
