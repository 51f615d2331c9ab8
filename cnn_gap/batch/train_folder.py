"""Train a model, given paths and names, as the command `train` does by its options."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from cnn_gap.diagnoses.classes import read_weights
from cnn_gap.diagnoses.findings import read_findings
from cnn_gap.io.sources import require_source
from cnn_gap.model.catalogue import model_folder
from cnn_gap.model.folder import ModelDescription, read_description
from cnn_gap.system.backend import start_keras
from cnn_gap.system.chunks import Run
from cnn_gap.system.shipped import SHIPPED_WEIGHTS
from cnn_gap.training.config import DEFAULT_CONFIG, FINE_TUNING_CONFIG, Config, read_config
from cnn_gap.training.teacher_table import read_teacher_table


def train(
    data: str | Path,
    model: str | Path,
    config: str | Path | Config | None = None,
    *,
    weights: str | Path = SHIPPED_WEIGHTS,
    findings: str | None = None,
    labels: str | Path | None = None,
    patients: str | Path | None = None,
    start: str | Path | None = None,
    teachers: Iterable[str | Path] = (),
    cache: str | Path | None = None,
    resume: bool = False,
    strict: bool = False,
    seed: int = 0,
    devices: int | str = 1,
    run: Run | None = None,
    log: Callable[[str], None] = print,
) -> ModelDescription:
    """Train a model on records; `load_classifier(model)` loads it then.

    Parameters
    ----------
    data : str or Path
        Folder of records, a list of them, or an address, as `cnn-gap train` takes it.
    model : str or Path
        Folder to write the model to.
    config : str, Path or Config, optional
        TOML file of settings; by default ``configs/default.toml``, with `start` ``configs/fine_tuning.toml``.
    weights : str or Path
        Classes and their rewards; by default the Challenge's.
    findings : str, optional
        CSV of diagnoses to answer beside the scored classes; ``"scp"``: the 71 SCP-ECG statements of PTB-XL.
    labels, patients : str or Path, optional
        CSV of `record,code[,code...]`, instead of the headers' labels, and of `record,patient`: the records of
        a patient are not split between training and validation.
    start : str or Path, optional
        A trained model, by its folder or the name of a shipped one, whose weights and preprocessing are taken.
    teachers : iterable of str or Path
        Trained models, or Parquet tables of `record`, `class` and `probability`, whose mean probabilities are
        learned beside the labels.
    cache : str or Path, optional
        Folder for the prepared windows; by default `model/cache`.
    resume : bool
        Continue an unfinished training in `model`, if there is one.
    strict : bool
        Fail where a folder in `data` cannot be read; by default its records are left out with a line to `log`.
    seed : int
        Of all random numbers.
    devices : int or "all"
        How many devices, such as GPUs, share each batch.
    run : Run, optional
        The executor that prepares the windows; by default this machine.
    log : callable
        Receives a line of progress at a time.

    Returns
    -------
    ModelDescription
        The content of `model.json`; `training` summarises the training.

    Raises
    ------
    InputError
        If a file or folder cannot be read, or no record can be trained on.
    """
    # Wrong arguments are reported before Keras starts, which takes seconds.
    classes = replace(read_weights(Path(weights)), findings=read_findings(findings) if findings else ())
    require_source(str(data))
    settings = _settings(config, fine_tuning=start is not None)
    taught_by = [Path(each) if Path(each).is_file() else model_folder(each) for each in teachers]
    pretrained = None if start is None else model_folder(start)
    for path in (*taught_by, *([] if pretrained is None else [pretrained])):
        (read_teacher_table if path.is_file() else read_description)(path)
    if classes.normal is None:
        log("the weights file has no normal class: the Challenge metric is off")
    start_keras()
    from cnn_gap.training.fine_tuning import read_pretrained_model
    from cnn_gap.training.teacher import read_teacher
    from cnn_gap.training.train import train_model

    return train_model(
        str(data),
        Path(model),
        settings,
        classes,
        seed=seed,
        resume=resume,
        label_table=_path(labels),
        patient_table=_path(patients),
        cache=_path(cache),
        start=None if pretrained is None else read_pretrained_model(pretrained),
        teachers=tuple(map(read_teacher, taught_by)),
        strict=strict,
        devices=devices,
        run=run,
        log=log,
    )


def _settings(config: str | Path | Config | None, fine_tuning: bool) -> Config:
    if isinstance(config, Config):
        return config
    if config is None:
        return read_config(FINE_TUNING_CONFIG if fine_tuning else DEFAULT_CONFIG)
    return read_config(Path(config))


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
