"""Read a training configuration from TOML and check every key and type of it."""

import tomllib
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from cnn_gap.evaluate.thresholds import DecisionRule
from cnn_gap.network.options import PRECISIONS, Augmentation, Network
from cnn_gap.signal.windows import Preprocessing
from cnn_gap.system.errors import InputError
from cnn_gap.system.files import LARGEST_SETTINGS, read_text
from cnn_gap.system.settings import from_dict, require, require_ranges
from cnn_gap.system.shipped import SHIPPED_CONFIGS

DEFAULT_CONFIG = SHIPPED_CONFIGS / "default.toml"
FINE_TUNING_CONFIG = SHIPPED_CONFIGS / "fine_tuning.toml"

LOSSES = ("binary_crossentropy", "weighted_binary_crossentropy", "macro_obs")
SCHEDULES = ("constant", "cosine")


@dataclass(frozen=True)
class Training:
    """How the network is trained.

    Attributes
    ----------
    loss : str
        One of `LOSSES`.
    macro_obs : float
        Multiple of the Macro-Obs loss that is added to a cross-entropy.
    epochs, batch_size : int
        Passes over the training records, and windows in a step.
    learning_rate, weight_decay : float
        Of the AdamW optimiser; the rate is the highest of the schedule.
    schedule : str
        One of `SCHEDULES`; "cosine" falls to 0 at the last epoch.
    warmup_epochs : float
        Epochs in which the rate rises linearly from 0.
    validation_fraction : float
        Share of the records (or patients) kept out of training to choose thresholds and the best epoch.
    oversampling_share : float
        Classes rarer than this share of the records are oversampled; 0 for none.
    oversampling_cap : float
        A record is repeated at most this often in an epoch.
    averaging : float
        Share that an average of the weights keeps at each step (Polyak and Juditsky 1992), such as 0.998: it is
        validated and saved in their place. 0 for the weights themselves.
    distillation : float
        Share of a teacher's probabilities, beside the labels, in what the network learns: see
        `cnn_gap.training.teacher`.
    focus : float
        Weight of a penalty on maps whose maximum lies beside the waves that show their diagnosis, such as 0.5:
        see `cnn_gap.network.map_penalty`. 0 for none.
    calibrate : bool
        Scale and move each class's logit in the end, so that probabilities are true of the validation records.
    jit_compile : bool
        Compile the training step with XLA (TensorFlow only; JAX always does).
    fast_layers : bool
        Compute by `cnn_gap.network.fast_layers` instead of Keras's own layers (TensorFlow only).
    precision : str
        What the blocks compute in while training, one of `cnn_gap.network.options.PRECISIONS`. Weights,
        losses and the saved network are float32 in any case.
    """

    loss: str = "binary_crossentropy"
    macro_obs: float = 0.0
    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    schedule: str = "cosine"
    warmup_epochs: float = 1.0
    validation_fraction: float = 0.1
    oversampling_share: float = 0.0
    oversampling_cap: float = 1.0
    averaging: float = 0.0
    distillation: float = 0.5
    focus: float = 0.0
    calibrate: bool = False
    jit_compile: bool = False
    fast_layers: bool = True
    precision: str = "float32"

    def __post_init__(self) -> None:
        for key, choices in (
            ("loss", LOSSES),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
        ):
            value = getattr(self, key)
            require(value in choices, f"training.{key}", f"one of {', '.join(choices)}", repr(value))
        require_ranges(
            "training",
            self,
            {
                "macro_obs": (0, 1e3),
                "epochs": (1, 1e6),
                "batch_size": (1, 1e6),
                "learning_rate": (0, 1e3),
                "weight_decay": (0, 1e3),
                "warmup_epochs": (0, self.epochs),
                "validation_fraction": (0, 0.9),
                "oversampling_share": (0, 1),
                "oversampling_cap": (1, 1e3),
                "averaging": (0, 0.99999),
                "distillation": (0, 1),
                "focus": (0, 1e3),
            },
        )


@dataclass(frozen=True)
class Config:
    """Everything that a training depends on beside the records, the classes and the seed."""

    network: Network
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: Training = field(default_factory=Training)
    answers: DecisionRule = field(default_factory=DecisionRule)

    def __post_init__(self) -> None:
        if self.augmentation.crop_s > self.preprocessing.window_s:
            raise InputError(
                f"augmentation.crop_s must be at most preprocessing.window_s ({self.preprocessing.window_s} s);"
                f" received {self.augmentation.crop_s}"
            )
        windows = {"preprocessing.window_s": self.preprocessing.input_samples}
        if self.crop_samples:
            windows["augmentation.crop_s"] = self.crop_samples
        for key, samples in windows.items():
            if samples % self.network.multiple:
                raise InputError(
                    f"{key} and both margins must make a multiple of {self.network.multiple} samples for the"
                    f" network's paths; they make {samples}"
                )

    @property
    def length_step(self) -> int:
        """Samples of which batches of short records have a multiple: half a second or a little more."""
        multiple = self.network.multiple
        return multiple * ceil(self.preprocessing.sampling_rate / 2 / multiple)

    @property
    def crop_samples(self) -> int:
        """Samples of the part of a window that is trained on, margins included; 0 for all of it."""
        if not self.augmentation.crop_s:
            return 0
        samples = round(self.augmentation.crop_s * self.preprocessing.sampling_rate)
        return samples + 2 * self.preprocessing.margin_samples


def read_config(path: Path = DEFAULT_CONFIG) -> Config:
    """Read a configuration.

    What the file leaves out comes from the file that its key `base` names, if it has one: a path relative to
    the configuration's own folder. That file may have a base itself.

    Raises
    ------
    InputError
        If a file is missing, is not TOML, names itself as a base, or has an unknown key, a wrong type or an
        impossible value.

    Examples
    --------
    >>> read_config().preprocessing.sampling_rate
    100.0
    """
    content = _read_content(Path(path), ())
    try:
        return from_dict(Config, content)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read_content(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """Return the tables of a file over those of its bases; `above` are the files that it is a base of."""
    content = _read_toml(path)
    base = content.pop("base", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise InputError(f"{path}: base must name a .toml file; received {base!r}")
    place = (path.parent / base).resolve()
    if place in (*above, path.resolve()):
        raise InputError(f"{path}: its base {place} is based on it; name another file")
    try:
        sections = _read_content(place, (*above, path.resolve()))
    except InputError as error:
        raise InputError(f"{path}: its base is at fault: {error}") from error
    merged = dict(sections)
    for key, value in content.items():
        merged[key] = {**sections.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path, LARGEST_SETTINGS, "give a .toml file"))
    except ValueError as error:  # tomllib's, Unicode's, and Python's of numbers with too many digits
        raise InputError(f"{path}: is not valid TOML ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: is not TOML that can be used (it is nested too deeply)") from error
