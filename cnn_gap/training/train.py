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
from cnn_gap.leads import LEADS
from cnn_gap.model.folder import (
    ModelDescription,
    load_model,
    require_model_folder,
    save_model,
    software_versions,
)
from cnn_gap.network.architecture import build_network, copy_weights
from cnn_gap.network.devices import divide_evenly, on_devices
from cnn_gap.network.fast_layers import with_fast_layers
from cnn_gap.network.losses import MacroObs, WeightedBinaryCrossentropy, WeightedSum
from cnn_gap.network.map_penalty import Focus
from cnn_gap.network.optimizer import averaged_weights, build_optimizer
from cnn_gap.system.chunks import Run
from cnn_gap.system.errors import InputError
from cnn_gap.system.locks import locked
from cnn_gap.system.settings import to_dict
from cnn_gap.training.batches import BatchPlan, WindowBatches, repeat_factors
from cnn_gap.training.checkpoints import Checkpoints, Progress
from cnn_gap.training.config import Config
from cnn_gap.training.experiment import Experiment, Log, Sources, prepare_experiment
from cnn_gap.training.fine_tuning import PretrainedModel
from cnn_gap.training.history import add_epoch, best_epoch, epoch_line, write_history
from cnn_gap.training.teacher import Teacher, blend
from cnn_gap.training.teacher_table import TableTeacher
from cnn_gap.training.validation import (
    choose_model_thresholds,
    predict_records,
    predict_validation,
    validate,
)

#: Codes of premature atrial beats.
PREMATURE_ATRIAL = frozenset(("284470004", "63593006", "PAC"))


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
    teachers: tuple[Teacher | TableTeacher, ...] = (),
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
        Settings of preprocessing, network and training.
    classes : ClassSet
        The classes and findings to predict.
    seed : int
        The split, the initial weights and all other random numbers follow from it.
    resume : bool
        Continue an unfinished training in `model`, if there is one; a finished one is not changed.
    label_table, patient_table : Path, optional
        CSV tables of `record,code[,code...]`, instead of the headers' diagnoses, and of `record,patient`.
    cache : Path, optional
        Folder for the prepared windows, `model/cache` if not given.
    start : PretrainedModel, optional
        A trained model to start from, with its blocks and preprocessing instead of those of `config`.
    teachers : tuple of Teacher or TableTeacher
        Trained models; the mean of their probabilities is learned together with the labels.
    strict : bool
        Fail if a folder in `data` cannot be read, instead of leaving its records out.
    devices : int or "all"
        Number of devices that share each batch.
    run : callable, optional
        Executes the preparation of the windows: see `cnn_gap.training.window_store.prepare_windows`.
    log : callable
        Called with each line of progress.

    Raises
    ------
    InputError
        If the data or the tables cannot be trained on, or there are fewer devices. If `model` holds an
        unfinished training that is not to be resumed or has other settings. If another process is training
        there, or a file that is no model's would be replaced there.
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
    """Return the checkpoints of the training in a model folder, None if it is finished."""
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
        network, progress = _fit(_ask_teachers(experiment, log), checkpoints, model, log)
    if experiment.config.training.calibrate and len(experiment.partition.validation):
        scale_logits(network, *fit_calibration(*predict_validation(network, experiment)))
    description = _describe(network, experiment, progress)
    save_model(model, network, description)
    checkpoints.clear()
    log(f"saved {model / 'model.keras'}: epoch {progress.best_epoch} of {progress.epoch}")
    return description


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Turn the backends' exceptions for too little memory into an `InputError`."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, MemoryError) and type(error).__name__ != "ResourceExhaustedError":
            raise
        raise InputError(
            "there is not enough memory for this training; lower training.batch_size, network.filters or"
            " preprocessing.window_s"
        ) from error


def _ask_teachers(experiment: Experiment, log: Log) -> Experiment:
    """Return the experiment with targets that its teachers, if there are any, give the training records."""
    teachers, examples, training = experiment.teachers, experiment.examples, experiment.config.training
    if not teachers:
        return experiment
    records, said = experiment.partition.training, []
    for teacher in teachers:
        log(f"asking {teacher.path} about the training records")
        said.append(_probabilities(teacher, experiment, records))
    targets = examples.labels.astype(np.float32)
    known = [teacher.knows(experiment.classes) for teacher in teachers]
    targets[records] = blend(examples.labels[records], known, said, training.distillation)
    return replace(experiment, examples=replace(examples, targets=targets))


def _probabilities(teacher: Teacher | TableTeacher, experiment: Experiment, records: np.ndarray) -> np.ndarray:
    """Return a teacher's probabilities of records by index, (len(records), outputs)."""
    if isinstance(teacher, TableTeacher):
        return teacher.probabilities_of(tuple(experiment.names[each] for each in records), experiment.classes)
    batch_size = experiment.config.training.batch_size
    return predict_records(teacher.network, experiment.examples.store, records, batch_size)


def _fit(
    experiment: Experiment, checkpoints: Checkpoints, model: Path, log: Log
) -> tuple[keras.Model, Progress]:
    """Train from the last checkpoint to the last epoch; return the network of the best epoch."""
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
        figures = {"epoch": epoch + 1, "loss": _train_epoch(network, experiment, epoch)}
        seconds = time.perf_counter() - started
        with averaged_weights(network, training.averaging):
            figures |= validate(network, experiment)
        history = add_epoch(progress.history, figures)
        progress = replace(progress, history=history, best_epoch=best_epoch(history))
        checkpoints.save(network, progress)
        write_history(model, history)
        log(epoch_line(figures, training.epochs, seconds))
    checkpoints.load_weights(network, progress.best_epoch)
    with averaged_weights(network, training.averaging):
        return _without_augmentation(network, experiment), progress


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
        Focus(target_waves(experiment.classes), config.training.focus) if config.training.focus else None,
        experiment.momentary,
    )
    if experiment.start is not None:
        experiment.start.copy_weights(network, experiment.classes)
    return with_fast_layers(network) if config.training.fast_layers else network


def _without_augmentation(network: keras.Model, experiment: Experiment) -> keras.Model:
    """Return the network made of Keras's own layers alone, so that any program with Keras can load it."""
    config = experiment.config
    margin = config.preprocessing.margin_samples
    classes, momentary = len(experiment.classes), experiment.momentary
    plain = build_network(config.network, len(LEADS), classes, margin=margin, momentary=momentary)
    copy_weights(network, plain)
    return plain


def epoch_batches(experiment: Experiment, epoch: int) -> WindowBatches:
    """Return the training batches of an epoch; epochs count from 0."""
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
        premature=augmentation.premature,
        premature_outputs=_outputs_of(experiment.classes, PREMATURE_ATRIAL) if augmentation.premature else (),
        electrode_noise=augmentation.electrode_noise,
        high_pass=augmentation.high_pass,
    )
    return WindowBatches(experiment.examples, records, repeats, plan, experiment.seed, epoch)


def _outputs_of(classes: ClassSet, codes: frozenset[str]) -> tuple[int, ...]:
    """Return the outputs that have one of the codes."""
    found = tuple(index for index, each in enumerate(classes.outputs) if not codes.isdisjoint(each))
    if not found:
        raise InputError(f"augmentation.premature needs a class of {', '.join(sorted(codes))}; there is none")
    return found


def _compile(network: keras.Model, experiment: Experiment, steps: int) -> None:
    """Compile a network for a training of `steps` batches an epoch."""
    training = experiment.config.training
    optimizer = build_optimizer(
        training.learning_rate,
        training.weight_decay,
        training.averaging,
        warmup_steps=round(training.warmup_epochs * steps),
        steps=training.epochs * steps,
        cosine=training.schedule == "cosine",
    )
    # With TensorFlow, XLA is an option of the configuration; JAX always compiles.
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
    """Train on all batches of an epoch, from 0; return the mean loss."""
    _reseed(network, experiment.seed, epoch)
    # Without Keras's shuffling, whose random state no checkpoint holds: the batches are shuffled already.
    fitted = network.fit(divide_evenly(epoch_batches(experiment, epoch)), shuffle=False, verbose=0)
    return float(fitted.history["loss"][0])


def _reseed(network: keras.Model, seed: int, epoch: int) -> None:
    """Seed dropout and augmentation for an epoch: weight files do not hold their random states."""
    for number, layer in enumerate(network.layers):
        if generator := getattr(layer, "seed_generator", None):
            state = np.random.SeedSequence([seed, epoch, number]).generate_state(2)
            generator.state.assign(state.astype(generator.state.dtype))


def _describe(network: keras.Model, experiment: Experiment, progress: Progress) -> ModelDescription:
    """Choose the thresholds on the validation records and return the content of model.json."""
    config, classes, partition = experiment.config, experiment.classes, experiment.partition
    thresholds = choose_model_thresholds(network, experiment)
    summary = {
        "seed": experiment.seed,
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "validation": progress.history[progress.best_epoch - 1],
        "training_records": len(partition.training),
        "validation_records": len(partition.validation),
        "teachers": [teacher.summary for teacher in experiment.teachers],
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
