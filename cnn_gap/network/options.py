"""The options of a network and of its training windows' augmentation. This module does not import Keras."""

import math
import re
from dataclasses import dataclass

from cnn_gap.leads import LEADS
from cnn_gap.system.errors import InputError
from cnn_gap.system.settings import require, require_ranges

#: Number formats that the blocks can compute in; weights, losses and probabilities are always float32.
PRECISIONS = ("float32", "mixed_bfloat16")

#: Larger options are refused as typing errors, before they fill the memory: filters of a block, samples of a
#: kernel, factor of a pooling; number of blocks; number of weights; samples between two values of a map.
LARGEST_OPTION = 10_000
MOST_BLOCKS = 100
MOST_WEIGHTS = 100_000_000
LONGEST_STRIDE = 100_000


@dataclass(frozen=True)
class FeaturePath:
    """One of several sequences of blocks between the trunk's features and the average.

    Attributes
    ----------
    name : str
        In lower-case letters.
    filters, kernels : tuple of int
        As in `Network`: one entry for each block.
    pool : int
        Factor of a max-pooling before the path's first block. The path's last features are repeated this many
        times, so that all paths have a value at each of the trunk's steps.
    """

    name: str
    filters: tuple[int, ...]
    kernels: tuple[int, ...]
    pool: int = 1

    def __post_init__(self) -> None:
        named = re.fullmatch("[a-z]+", self.name) and self.name != "block"  # the name of the trunk's blocks
        require(bool(named), "network.paths.name", "of lower-case letters, not 'block'", repr(self.name))
        _check_blocks(f"network.paths.{self.name}.", self.filters, kernels=self.kernels)
        require_ranges(f"network.paths.{self.name}", self, {"pool": (1, LARGEST_OPTION)})


@dataclass(frozen=True)
class Network:
    """The blocks and paths of a network; each tuple has one entry for each block.

    Without paths the network is one sequence of blocks. With paths these blocks are the trunk, whose features
    every path takes: one path may see a beat and another one a rhythm. The features of all paths are averaged
    over time.

    Attributes
    ----------
    filters : tuple of int
        Feature maps of each block's convolution.
    kernels : tuple of int
        Number of samples that each convolution spans.
    pooling : tuple of int
        Factor of each block's max-pooling over time; 1 for none.
    dropout : float
        Share of its features that each block drops in training.
    residual : bool
        Add each block's input to its convolution's output (He et al. 2016), from the second block on.
    dilation : tuple of int
        Step between the samples that each convolution sees; empty: 1 in every block.
    squeeze : int
        Weigh each block's features by squeeze-and-excitation (Hu et al. 2018) with this many times fewer hidden
        units than features; 0: do not weigh them.
    sharpen : bool
        Weigh each of the last features more at the steps where it is higher than elsewhere: see
        `cnn_gap.network.architecture.sharpen`.
    sharpen_steps : int
        An odd number: each step is compared with the steps that are less than this number of steps away, so
        that steps farther away do not change its map. 0: compared with all steps of the window.
    gated : bool
        Let the first path, which has the smallest receptive field, decide at which steps the features of the
        other paths count: see `sharpen`. So the map of a finding that a wide path recognises lies on the wave
        of this finding. Needs `sharpen_steps` and two paths or more.
    last_dropout : float
        Share of the last features that training drops, each over all of a window, as if between the average
        and the dense layer.
    momentary : tuple of str
        Codes of diagnoses that may last for a moment, as premature beats do. Their logit is the highest mean of
        their map over `moment_steps` steps; the logit of the others is the mean of the whole map.
    moment_steps : int
        An odd number of steps, if there are such codes.
    paths : tuple of FeaturePath
        The paths after the trunk; empty: the trunk's features are averaged.
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
    last_dropout: float = 0.0
    momentary: tuple[str, ...] = ()
    moment_steps: int = 0
    paths: tuple[FeaturePath, ...] = ()

    def __post_init__(self) -> None:
        dilation = {"dilation": self.dilation} if self.dilation else {}
        _check_blocks("network.", self.filters, kernels=self.kernels, pooling=self.pooling, **dilation)
        names = [path.name for path in self.paths]
        require(len(set(names)) == len(names), "network.paths.name", "different in each path", names)
        for key in ("dropout", "last_dropout"):
            rate = getattr(self, key)
            require(0 <= rate < 1, f"network.{key}", "from 0 to below 1", rate)
        squeezable = 0 <= self.squeeze <= min(self.filters)
        require(squeezable, "network.squeeze", "from 0 to the fewest filters", self.squeeze)
        for key in ("sharpen_steps", "moment_steps"):
            steps = getattr(self, key)
            odd = 0 <= steps <= LARGEST_OPTION and (steps % 2 or not steps)
            require(bool(odd), f"network.{key}", f"0 or an odd number up to {LARGEST_OPTION}", steps)
        if self.momentary and not self.moment_steps:
            raise InputError(
                f"network.momentary needs moment_steps, an odd number; received {list(self.momentary)} and 0"
            )
        if self.gated and not (self.sharpen and self.sharpen_steps and len(self.paths) > 1):
            raise InputError(
                "network.gated needs sharpen, sharpen_steps and two paths or more; received"
                f" sharpen {self.sharpen}, sharpen_steps {self.sharpen_steps} and {len(self.paths)} paths"
            )
        require(len(names) <= MOST_BLOCKS, "network.paths", f"at most {MOST_BLOCKS}", len(names))
        if self.weights > MOST_WEIGHTS:
            raise InputError(
                f"network.filters and network.kernels must make at most {MOST_WEIGHTS} weights;"
                f" received {self.weights}"
            )
        if (stride := max(self.stride, self.multiple)) > LONGEST_STRIDE:
            raise InputError(f"network.pooling must multiply to at most {LONGEST_STRIDE}; received {stride}")

    @property
    def weights(self) -> int:
        """Number of weights of the convolutions, of twelve leads, without shortcuts and gates."""
        trunk = _weights(len(LEADS), self.filters, self.kernels)
        return trunk + sum(_weights(self.filters[-1], path.filters, path.kernels) for path in self.paths)

    @property
    def stride(self) -> int:
        """Number of samples of a window from one value of a map to the next."""
        return math.prod(self.pooling)

    @property
    def multiple(self) -> int:
        """A window's length, in samples, must be a multiple of this: then all paths have the same steps."""
        return self.stride * math.lcm(*(path.pool for path in self.paths)) if self.paths else 1


def _weights(channels: int, filters: tuple[int, ...], kernels: tuple[int, ...]) -> int:
    blocks = zip((channels, *filters[:-1]), filters, kernels, strict=True)
    return sum(before * after * kernel for before, after, kernel in blocks)


def _check_blocks(where: str, filters: tuple[int, ...], **others: tuple[int, ...]) -> None:
    for key, values in {"filters": filters, **others}.items():
        inside = bool(values) and min(values) >= 1 and max(values) <= LARGEST_OPTION
        require(inside, f"{where}{key}", f"a list of numbers from 1 to {LARGEST_OPTION}", list(values))
        require(len(values) <= MOST_BLOCKS, f"{where}{key}", f"of at most {MOST_BLOCKS} blocks", len(values))
        same = len(values) == len(filters)
        require(same, f"{where}{key}", "as long as filters", list(values))


@dataclass(frozen=True)
class Augmentation:
    """How the windows are changed in training; 0 leaves a change out.

    Attributes
    ----------
    amplitude : tuple of float
        Bounds of the factor of each window (Lin et al. 2020, section 2.2: 0.5 to 2.5); (1, 1): no change.
    wander_mv, noise_mv, spike_mv : float
        Largest amplitude of slow baseline wander, largest standard deviation of white noise and largest height
        of a spike, mV.
    lead_dropout : float
        Share of the windows that lose leads.
    few_leads : float
        Share of other windows, which keep a lead or two: see `cnn_gap.network.augmentation.FEW_LEADS`.
    path_dropout : float
        For each path but the first: share of the windows in which this path and those after it give zeros. See
        `cnn_gap.network.augmentation.RandomPaths`.
    crop_s : float
        Length of the random part of each window that is trained on, s; 0: the whole window.
    mixup : float
        Parameter of the Beta distribution that draws how pairs of windows and their labels are blended
        (Zhang et al. 2018).
    no_heart : float
        Share of the windows that are replaced by windows without a heartbeat: see `cnn_gap.network.no_heart`.
    premature : float
        Share of the windows without premature atrial beats in which a beat comes early, if their rhythm is
        regular: see `cnn_gap.network.premature`. They are labelled with premature atrial beats.
    electrode_noise, high_pass : float
        Shares of the windows with noise of muscles or moved electrodes, and with a high-pass filter that runs
        forwards, as monitors have it: see `cnn_gap.network.other_recorders`.
    """

    amplitude: tuple[float, ...] = (0.5, 2.5)
    wander_mv: float = 0.0
    noise_mv: float = 0.0
    spike_mv: float = 0.0
    lead_dropout: float = 0.0
    few_leads: float = 0.0
    path_dropout: float = 0.0
    crop_s: float = 0.0
    mixup: float = 0.0
    no_heart: float = 0.0
    premature: float = 0.0
    electrode_noise: float = 0.0
    high_pass: float = 0.0

    def __post_init__(self) -> None:
        rising = len(self.amplitude) == 2 and 0 < self.amplitude[0] <= self.amplitude[1] < 1e6
        require(rising, "augmentation.amplitude", "two rising factors", list(self.amplitude))
        require_ranges(
            "augmentation",
            self,
            {
                "wander_mv": (0, 1e3),
                "noise_mv": (0, 1e3),
                "spike_mv": (0, 1e3),
                "lead_dropout": (0, 1),
                "few_leads": (0, 1 - self.lead_dropout),
                "path_dropout": (0, 1),
                "crop_s": (0, 1e6),
                "mixup": (0, 1e3),
                "no_heart": (0, 0.5),
                "premature": (0, 1),
                "electrode_noise": (0, 1),
                "high_pass": (0, 1),
            },
        )
