"""Examples for training: labels, the split, oversampling and shuffled batches of windows."""

from dataclasses import dataclass

import keras
import numpy as np

from cnn_gap.training.no_heart import windows_without_heart
from cnn_gap.training.window_store import WindowStore


@dataclass(frozen=True)
class Examples:
    """Labelled records with their prepared windows.

    Attributes
    ----------
    store : WindowStore
        The windows of n records.
    labels : ndarray, shape (n, outputs), bool
        What each record is taken for: its classes and findings, and the classes that findings teach.
    targets : ndarray, shape (n, outputs), float32, optional
        What the network learns to say of each record; the labels if not given.
    """

    store: WindowStore
    labels: np.ndarray
    targets: np.ndarray | None = None

    @property
    def usable(self) -> np.ndarray:
        """Which records have windows, bool of shape (n,)."""
        usable = np.ones(len(self.labels), bool)
        usable[list(self.store.failures)] = False
        return usable


def split_records(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Choose the records to validate on, so that each class is split by the same fraction.

    The paper splits each class of single-label records. For several labels this takes the classes from the
    rarest on, and gives the fraction of each class's groups that no rarer class has placed to validation, as
    iterative stratification does (Sechidis et al. 2011).

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
    groups : ndarray, shape (records,)
        What must not be divided: the patient of each record, or the record itself.
    fraction : float
        Share of validation.
    seed : int
        Of the choice.

    Returns
    -------
    ndarray, shape (records,), bool
        True for validation.
    """
    _, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((members.max() + 1, labels.shape[1] + 1))
    np.add.at(counts, members, np.column_stack([labels, np.ones(len(labels))]))
    order = np.random.default_rng(seed).permutation(len(counts))
    open_groups = np.ones(len(counts), bool)
    validation = np.zeros(len(counts), bool)
    # The last column counts records: it places the groups without a label.
    for column in [*np.argsort(counts[:, :-1].sum(axis=0), kind="stable"), labels.shape[1]]:
        candidates = order[open_groups[order] & (counts[order, column] > 0)]
        wanted = fraction * counts[:, column].sum() - counts[validation, column].sum()
        before = counts[candidates, column].cumsum() - counts[candidates, column]
        # A group is taken while at least half of it is still wanted.
        validation[candidates[before + counts[candidates, column] / 2 <= wanted]] = True
        open_groups[candidates] = False
    return validation[members]


def repeat_factors(labels: np.ndarray, share: float, cap: float) -> np.ndarray:
    """Return how often each record should come in an epoch, so that rare classes are seen more often.

    A class held by less than `share` of the records asks for sqrt(share / its share), and a record follows its
    rarest class (repeat-factor sampling, Gupta et al. 2019), up to `cap`.

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
    share : float
        Classes rarer than this are repeated; 0 for none.
    cap : float
        The largest factor, at least 1.

    Returns
    -------
    ndarray, shape (records,), float64
        Factors from 1 to `cap`.
    """
    frequency = np.maximum(labels.mean(axis=0), 1 / len(labels))
    wanted = np.clip(np.sqrt(share / frequency), 1, cap)
    return np.where(labels, wanted, 1.0).max(axis=1, initial=1.0)


@dataclass(frozen=True)
class BatchPlan:
    """What a batch holds, and what is done to its windows.

    Attributes
    ----------
    size : int
        Windows in a batch.
    crop : int
        Samples of the random part of each window that is taken; 0 for all.
    step : int
        Batches of shorter records have a multiple of so many samples.
    mixup : float
        Parameter of the symmetric Beta distribution that draws how much of another window and its labels each
        one gets (Zhang et al. 2018); 0 for nothing.
    no_heart : float
        Share of the windows that `cnn_gap.training.no_heart` replaces, with no label.
    sampling_rate : float
        Of the windows, Hz.
    """

    size: int
    crop: int = 0
    step: int = 1
    mixup: float = 0.0
    no_heart: float = 0.0
    sampling_rate: float = 100.0


class WindowBatches(keras.utils.PyDataset):
    """The shuffled, oversampled batches of (windows, labels) of one epoch.

    Records shorter than a window come together by their length, and a batch is as long as its shortest record:
    the zeros around one are no signal, and a mean over time would count them.

    Epoch e of a seed is always the same, so that a training that was interrupted goes on as it would have.

    Parameters
    ----------
    examples : Examples
        The records with their windows.
    records : ndarray of int
        Which of them to train on.
    repeats : ndarray, shape (len(records),)
        How often each comes in an epoch; a fraction is a chance.
    plan : BatchPlan
        What each batch holds.
    seed, epoch : int
        Of the order and of everything else that is random.
    """

    def __init__(
        self,
        examples: Examples,
        records: np.ndarray,
        repeats: np.ndarray,
        plan: BatchPlan,
        seed: int,
        epoch: int,
    ) -> None:
        super().__init__()
        self._examples, self._plan, self._seed, self._epoch = examples, plan, seed, epoch
        counts = np.diff(examples.store.first)[records]
        expected = max(1, round(float(counts @ repeats)))
        self._batch_size = min(plan.size, expected)
        rng = np.random.default_rng([seed, epoch])
        times = np.floor(repeats + rng.random(len(repeats))).astype(int)
        windows, owners = examples.store.windows_of(np.repeat(records, times))
        # Every epoch has as many full batches: a smaller last one would weigh too much.
        batches = expected // self._batch_size
        order = np.resize(rng.permutation(len(windows)), batches * self._batch_size)
        every = np.array(examples.store.held)
        held = every[owners[order]]
        if self._samples_of(held.min()) < self._samples_of(held.max()):
            order = order[self._by_length(held, rng)]
        self._windows, self._owners, self._held = windows[order], owners[order], every[owners[order]]

    def __len__(self) -> int:
        return len(self._windows) // self._batch_size

    def _samples_of(self, held: int) -> int:
        """Return how many samples a batch has whose shortest record holds so many."""
        wanted, step = self._plan.crop or self._examples.store.samples, self._plan.step
        return wanted if held >= wanted else int(held - held % step)

    def _by_length(self, held: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an order of windows that hold so many samples: those of a batch are of like length.

        The batches are shuffled, but the shortest and the longest come first: Keras takes what differs between
        the first two for what may differ later.
        """
        wanted = self._plan.crop or self._examples.store.samples
        batches = np.argsort(np.minimum(held, wanted), kind="stable").reshape(-1, self._batch_size)
        ends, between = batches[[0, -1]] if len(batches) > 1 else batches, batches[1:-1]
        return np.concatenate([ends, between[rng.permutation(len(between))]]).ravel()

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        plan = self._plan
        part = slice(batch * self._batch_size, (batch + 1) * self._batch_size)
        examples = self._examples
        windows = examples.store.read(self._windows[part])
        targets = examples.labels if examples.targets is None else examples.targets
        labels = targets[self._owners[part]].astype(np.float32)
        # A generator for each batch: it is the same whichever batches were asked for before.
        rng = np.random.default_rng([self._seed, self._epoch, batch])
        held = self._held[part]
        windows = cut(windows, held, self._samples_of(held.min()), rng)
        if plan.no_heart:
            silent = rng.random(len(windows)) < plan.no_heart
            windows[silent] = windows_without_heart(windows[silent], plan.sampling_rate, rng)
            labels[silent] = 0
        return _mix(windows, labels, plan.mixup, rng) if plan.mixup else (windows, labels)


def cut(
    windows: np.ndarray, held: np.ndarray, samples: int, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Return a part of each window, (windows, samples, leads), of the samples that it holds in its middle.

    Parameters
    ----------
    windows : ndarray, shape (windows, any, leads)
    held : ndarray of int, shape (windows,)
        How many samples of each window are signal: see `WindowStore.held`.
    samples : int
        Of a part. One that holds fewer keeps zeros on both sides.
    rng : Generator, optional
        Where the part lies, in its middle if not given.
    """
    if samples == windows.shape[1]:
        return windows
    spare = np.maximum(held - samples, 0)
    before = (windows.shape[1] - np.maximum(held, samples)) // 2
    starts = before + (spare // 2 if rng is None else rng.integers(spare + 1))
    return np.stack([window[start : start + samples] for window, start in zip(windows, starts, strict=True)])


def _mix(
    windows: np.ndarray, labels: np.ndarray, parameter: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return windows and labels blended with a smaller share of those of a random partner in the batch."""
    share = rng.beta(parameter, parameter, len(windows)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    partner = rng.permutation(len(windows))
    mixed = windows * share[:, None, None] + windows[partner] * (1 - share[:, None, None])
    return mixed, labels * share[:, None] + labels[partner] * (1 - share[:, None])
