"""What a network is made of and how its windows are augmented: options, for which Keras is not needed."""

import math
import re
from dataclasses import dataclass

from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import require_ranges

#: What the blocks may compute in; weights, losses and probabilities are float32 in any case.
PRECISIONS = ("float32", "mixed_bfloat16")

#: More than this is a slip of the pen, and would take more memory than there is: a number of filters, samples
#: of a kernel or a pooling; blocks; weights; samples between two values of a map.
LARGEST_OPTION = 10_000
MOST_BLOCKS = 100
MOST_WEIGHTS = 100_000_000
LONGEST_STRIDE = 100_000

LARGEST_LEADS = 12


@dataclass(frozen=True)
class FeaturePath:
    """Blocks that lead from the trunk's features to the average, beside those of other paths.

    Attributes
    ----------
    name : str
        What the path is called, in lower-case letters.
    filters, kernels : tuple of int
        As of `Network`, one entry a block.
    pool : int
        Factor of a max-pooling before the path's first block. Its last features are repeated as often, so that
        all paths have a value at each of the trunk's steps.
    """

    name: str
    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    pool: int = 1

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z]+", self.name):
            raise InputError(f"network.paths.name must be of lower-case letters; received {self.name!r}")
        if self.name == "block":
            raise InputError("network.paths.name must not be 'block', which the trunk's blocks are called")
        _check_blocks(f"network.paths.{self.name}.", self.filters, kernels=self.kernels)
        if not 1 <= self.pool <= LARGEST_OPTION:
            raise InputError(
                f"network.paths.{self.name}.pool must be from 1 to {LARGEST_OPTION}; received {self.pool}"
            )


@dataclass(frozen=True)
class Network:
    """What the network is made of; one entry a block in each tuple.

    Without paths it is one sequence of blocks. With paths, these blocks are the trunk that the paths share:
    one may see a beat and another a rhythm, and the mean over time is taken of the features of all.

    Attributes
    ----------
    filters : tuple of int
        Feature maps of each block's convolution.
    kernels : tuple of int
        Samples that each convolution spans.
    pooling : tuple of int
        Factor of each block's max-pooling over time; 1 for none.
    dropout : float
        Share of features that each block drops in training.
    residual : bool
        Add each block's input to its convolution's output (He et al. 2016), from the second block on.
    dilation : tuple of int
        Step between the samples that each convolution sees; empty for 1 in every block.
    squeeze : int
        Weigh each block's features by squeeze-and-excitation (Hu et al. 2018) with this many times fewer hidden
        units than features; 0 for none.
    sharpen : bool
        Let each of the last features count where it stands out in time: see `sharpen`.
    sharpen_steps : int
        What it is to stand out from lies fewer than so many steps away; an odd number, 0 for the whole window.
        With few, what is elsewhere does not change a map.
    gated : bool
        Let the first path, which sees the least, say where the features of the others count: see `sharpen`.
        So what a wide path finds out lies on the wave that it is about. Needs `sharpen_steps` and paths.
    paths : tuple of FeaturePath
        What follows the blocks, side by side; none for nothing.
    """

    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    pooling: tuple[int, ...]
    dropout: float = 0.2
    residual: bool = False
    dilation: tuple[int, ...] = ()
    squeeze: int = 0
    sharpen: bool = False
    sharpen_steps: int = 0
    gated: bool = False
    paths: tuple[FeaturePath, ...] = ()

    def __post_init__(self) -> None:
        dilation = {"dilation": self.dilation} if self.dilation else {}
        _check_blocks("network.", self.filters, kernels=self.kernels, pooling=self.pooling, **dilation)
        if len({path.name for path in self.paths}) < len(self.paths):
            raise InputError("network.paths must have different names")
        if not 0 <= self.dropout < 1:
            raise InputError(f"network.dropout must be from 0 to below 1; received {self.dropout}")
        if not 0 <= self.squeeze <= min(self.filters):
            raise InputError(f"network.squeeze must be from 0 to the fewest filters; received {self.squeeze}")
        if not (
            self.sharpen_steps == 0
            or (1 <= self.sharpen_steps <= LARGEST_OPTION and self.sharpen_steps % 2 == 1)
        ):
            raise InputError(
                f"network.sharpen_steps must be 0 or an odd number up to {LARGEST_OPTION};"
                f" received {self.sharpen_steps}"
            )
        if self.gated and not (self.sharpen and self.sharpen_steps and len(self.paths) > 1):
            raise InputError(
                "network.gated needs sharpen, sharpen_steps and two paths or more; received"
                f" sharpen {self.sharpen}, sharpen_steps {self.sharpen_steps} and {len(self.paths)} paths"
            )
        if len(self.paths) > MOST_BLOCKS:
            raise InputError(f"network.paths must be at most {MOST_BLOCKS}; received {len(self.paths)}")
        if self.weights > MOST_WEIGHTS:
            raise InputError(
                f"network.filters and network.kernels must make at most {MOST_WEIGHTS} weights;"
                f" received {self.weights}"
            )
        if max(self.stride, self.multiple) > LONGEST_STRIDE:
            raise InputError(
                f"network.pooling must multiply to at most {LONGEST_STRIDE} samples; received {self.stride}"
            )

    @property
    def weights(self) -> int:
        """About how many weights the convolutions have."""
        trunk = _weights(LARGEST_LEADS, self.filters, self.kernels)
        return trunk + sum(_weights(self.filters[-1], path.filters, path.kernels) for path in self.paths)

    @property
    def stride(self) -> int:
        """Samples of a window between two values of a map."""
        return math.prod(self.pooling)

    @property
    def multiple(self) -> int:
        """A window must have a multiple of so many samples, lest the paths' steps differ; 1 without paths."""
        return self.stride * math.lcm(*(path.pool for path in self.paths)) if self.paths else 1


def _weights(channels: int, filters: tuple[int, ...], kernels: tuple[int, ...]) -> int:
    blocks = zip((channels, *filters[:-1]), filters, kernels, strict=True)
    return sum(before * after * kernel for before, after, kernel in blocks)


def _check_blocks(where: str, filters: tuple[int, ...], **others: tuple[int, ...]) -> None:
    for key, values in {"filters": filters, **others}.items():
        if not values or min(values) < 1 or max(values) > LARGEST_OPTION:
            raise InputError(
                f"{where}{key} must list numbers from 1 to {LARGEST_OPTION}; received {list(values)}"
            )
        if len(values) > MOST_BLOCKS:
            raise InputError(f"{where}{key} must list at most {MOST_BLOCKS} blocks; received {len(values)}")
        if len(values) != len(filters):
            raise InputError(f"{where}{key} must have as many entries as filters; received {list(values)}")


@dataclass(frozen=True)
class Augmentation:
    """What happens to the windows in training; 0 leaves a part out.

    Attributes
    ----------
    amplitude : tuple of float
        Bounds of a factor for each window (Lin et al. 2020, section 2.2: 0.5 to 2.5); (1, 1) for none.
    wander_mv, noise_mv, spike_mv : float
        Largest amplitude of slow baseline wander, standard deviation of white noise and height of a spike.
    lead_dropout : float
        Share of the windows that lose leads.
    path_dropout : float
        Share of the windows, for each of the network's paths but the first, that see only the paths before it:
        see `cnn_gap.network.augmentation.RandomPaths`.
    crop_s : float
        Length of the random part of each window that is trained on, s; 0 for all of it.
    mixup : float
        Parameter of the Beta distribution by which pairs of windows and their labels are blended
        (Zhang et al. 2018).
    no_heart : float
        Share of the windows that `cnn_gap.training.no_heart` replaces by what holds no heartbeat.
    """

    amplitude: tuple[float, ...] = (0.5, 2.5)
    wander_mv: float = 0.0
    noise_mv: float = 0.0
    spike_mv: float = 0.0
    lead_dropout: float = 0.0
    path_dropout: float = 0.0
    crop_s: float = 0.0
    mixup: float = 0.0
    no_heart: float = 0.0

    def __post_init__(self) -> None:
        if len(self.amplitude) != 2 or not 0 < self.amplitude[0] <= self.amplitude[1] < 1e6:
            raise InputError(
                f"augmentation.amplitude must be two rising factors; received {list(self.amplitude)}"
            )
        require_ranges(
            "augmentation",
            self,
            {
                "wander_mv": (0, 1e3),
                "noise_mv": (0, 1e3),
                "spike_mv": (0, 1e3),
                "lead_dropout": (0, 1),
                "path_dropout": (0, 1),
                "crop_s": (0, 1e6),
                "mixup": (0, 1e3),
                "no_heart": (0, 0.5),
            },
        )
