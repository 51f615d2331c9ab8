"""The training configuration: it is read from TOML, and every key, type and range is checked."""

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
        Number of passes over the training records, and number of windows in a step.
    learning_rate, weight_decay : float
        Of the AdamW optimiser; the rate is the highest of the schedule.
    schedule : str
        One of `SCHEDULES`; "cosine" lets the rate fall to 0 at the last epoch.
    warmup_epochs : float
        Number of epochs in which the rate rises linearly from 0.
    validation_fraction : float
        Share of the records (or patients) that are not trained on, to choose thresholds and the best epoch.
    oversampling_share : float
        Classes that a smaller share of the records have are oversampled; 0: none.
    oversampling_cap : float
        A record is repeated at most this many times in an epoch.
    averaging : float
        Share, such as 0.998, that a moving average of the weights keeps at each step (Polyak and Juditsky
        1992). The average is validated and saved instead of the weights. 0: no average.
    distillation : float
        Weight of the teachers' probabilities in the targets; the labels have the weight 1 - `distillation`. See
        `cnn_gap.training.teacher`.
    focus : float
        Weight, such as 0.5, of a penalty on maps whose maximum lies outside the waves that show their
        diagnosis: see `cnn_gap.network.map_penalty`. 0: no penalty.
    calibrate : bool
        Calibrate each class's logit on the validation records after the last epoch: see
        `cnn_gap.evaluate.calibration`.
    jit_compile : bool
        Compile the training step with XLA (TensorFlow only; JAX always does).
    fast_layers : bool
        Train with `cnn_gap.network.fast_layers` instead of Keras's own layers (TensorFlow only).
    precision : str
        Number format that the blocks compute in while training, one of `cnn_gap.network.options.PRECISIONS`.
        Weights, losses and the saved network are always float32.
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
    """A training's settings; records, classes and seed are given with them."""

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
        """The length of batches of short records is a multiple of this, in samples: at least half a second."""
        multiple = self.network.multiple
        return multiple * ceil(self.preprocessing.sampling_rate / 2 / multiple)

    @property
    def crop_samples(self) -> int:
        """Samples of the part of a window that is trained on, with both margins; 0: the whole window."""
        if not self.augmentation.crop_s:
            return 0
        samples = round(self.augmentation.crop_s * self.preprocessing.sampling_rate)
        return samples + 2 * self.preprocessing.margin_samples


def read_config(path: Path = DEFAULT_CONFIG) -> Config:
    """Read a configuration.

    A file may name another one by its key `base`, a path relative to its own folder: the keys that the first
    file lacks are taken from the second one, which may have a base itself.

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
    """Return the tables of a file, completed from its bases; `above` are the files that have it as a base."""
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
    except ValueError as error:  # of tomllib, of decoding, or of numbers with too many digits
        raise InputError(f"{path}: is not valid TOML ({error})") from error
    except RecursionError as error:
        raise InputError(f"{path}: cannot be used as TOML: it is nested too deeply") from error
