"""Read a training configuration from TOML and check every key and type of it."""

import dataclasses
import tomllib
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from cnn_gap.errors import InputError
from cnn_gap.network.architecture import PRECISIONS, Network
from cnn_gap.network.augmentation import Augmentation
from cnn_gap.windows.preprocessing import Preprocessing

CONFIGS = Path(__file__).parents[2] / "configs"
DEFAULT_CONFIG = CONFIGS / "default.toml"
FINE_TUNING_CONFIG = CONFIGS / "fine_tuning.toml"

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
    jit_compile : bool
        Compile the training step with XLA (TensorFlow only; JAX always does).
    precision : str
        What the blocks compute in while training, one of `cnn_gap.network.architecture.PRECISIONS`. Weights,
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
    jit_compile: bool = False
    precision: str = "float32"

    def __post_init__(self):
        _require_choice("training.loss", self.loss, LOSSES)
        _require_choice("training.schedule", self.schedule, SCHEDULES)
        _require_choice("training.precision", self.precision, PRECISIONS)
        for key, low, high in (
            ("macro_obs", 0, 1e3),
            ("epochs", 1, 1e6),
            ("batch_size", 1, 1e6),
            ("learning_rate", 0, 1e3),
            ("weight_decay", 0, 1e3),
            ("warmup_epochs", 0, self.epochs),
            ("validation_fraction", 0, 0.9),
            ("oversampling_share", 0, 1),
            ("oversampling_cap", 1, 1e3),
        ):
            value = getattr(self, key)
            if not low <= value <= high:
                raise InputError(f"training.{key} must be from {low:g} to {high:g}; received {value}")


@dataclass(frozen=True)
class Answers:
    """How probabilities become labels.

    Attributes
    ----------
    at_least_one : bool
        Answer the class nearest to its threshold where none passes it; otherwise no label is given.
    """

    at_least_one: bool = False


@dataclass(frozen=True)
class Config:
    """Everything that a training depends on beside the records, the classes and the seed."""

    network: Network
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    training: Training = field(default_factory=Training)
    answers: Answers = field(default_factory=Answers)

    def __post_init__(self):
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
    def crop_samples(self) -> int:
        """Samples of the part of a window that is trained on, margins included; 0 for all of it."""
        crop = round(self.augmentation.crop_s * self.preprocessing.sampling_rate)
        return crop and crop + 2 * self.preprocessing.margin_samples


def read_config(path: Path = DEFAULT_CONFIG) -> Config:
    """Read a configuration; what it leaves out comes from the file beside it that its key `base` names, if any.

    Raises
    ------
    InputError
        If the file is missing, is not TOML, or has an unknown key, a wrong type or an impossible value.
    """
    try:
        return from_dict(Config, _read_content(Path(path)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _read_content(path: Path) -> dict[str, Any]:
    content = _read_toml(path)
    base = content.pop("base", None)
    if base is None:
        return content
    if not isinstance(base, str):
        raise InputError(f"base must name a .toml file; received {base!r}")
    try:
        sections = _read_toml(path.parent / base)
    except InputError as error:
        raise InputError(f"base {base}: {error}") from error
    if "base" in sections:
        raise InputError(f"base {base}: has a base of its own; name that one")
    return sections | {
        key: sections.get(key, {}) | value if isinstance(value, dict) else value
        for key, value in content.items()
    }


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); give a .toml file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"is not valid TOML ({error})") from error


def from_dict(kind: type, content: Any, where: str = "") -> Any:
    """Build the dataclass `kind` from a mapping as TOML and JSON give it, checking keys and types.

    Raises
    ------
    InputError
        Naming the key that is unknown, missing or of the wrong type, with what was received.
    """
    if not isinstance(content, dict):
        raise InputError(f"{where.rstrip('.') or 'the content'} must be a table; received {content!r}")
    fields = {each.name: each for each in dataclasses.fields(kind)}
    if unknown := sorted(set(content) - set(fields)):
        raise InputError(f"unknown key {where}{unknown[0]}; known here: {', '.join(fields)}")
    hints = get_type_hints(kind)
    values = {key: _checked(hints[key], value, f"{where}{key}") for key, value in content.items()}
    needed = {
        key for key, each in fields.items() if each.default is each.default_factory is dataclasses.MISSING
    }
    if missing := sorted(needed - set(values)):
        raise InputError(f"missing key {where}{missing[0]}")
    return kind(**values)


def to_dict(config: object) -> dict[str, Any]:
    """Return a dataclass as JSON and TOML hold it, the inverse of `from_dict`."""
    return dataclasses.asdict(config)


def _checked(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, f"{where}.")
    if isinstance(hint, types.UnionType):
        return None if value is None else _checked(get_args(hint)[0], value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise InputError(f"{where} must be a list; received {value!r}")
        return tuple(_checked(get_args(hint)[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # A bool is an int to Python, but not to whoever writes a configuration.
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise InputError(f"{where} must be of type {hint.__name__}; received {value!r}")
    return value


def _require_choice(key: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(f"{key} must be one of {', '.join(choices)}; received {value!r}")
