"""Training examples: their labels, split into training and validation, oversampling and batches of windows."""

from dataclasses import dataclass

import keras
import numpy as np

from cnn_gap.network.no_heart import windows_without_heart
from cnn_gap.network.other_recorders import add_electrode_noise, high_pass
from cnn_gap.network.premature import premature_beats
from cnn_gap.training.window_store import WindowStore


@dataclass(frozen=True)
class Examples:
    """Labelled records with their prepared windows.

    Attributes
    ----------
    store : WindowStore
        The windows of n records.
    labels : ndarray, shape (n, outputs), bool
        The classes and findings of each record, and the classes that its findings teach.
    targets : ndarray, shape (n, outputs), float32, optional
        The probabilities that the network learns for each record; the labels if not given.
    """

    store: WindowStore
    labels: np.ndarray
    targets: np.ndarray | None = None

    @property
    def usable(self) -> np.ndarray:
        """A mask of the records that have windows, shape (n,), bool."""
        usable = np.ones(len(self.labels), bool)
        usable[list(self.store.failures)] = False
        return usable


def split_records(labels: np.ndarray, groups: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Choose the validation records so that about the same fraction of each class is validated on.

    As in iterative stratification (Sechidis et al. 2011), the classes are taken from the rarest to the most
    frequent one. Of the groups with the class that no rarer class has placed yet, as many go to validation as
    the class needs to have its fraction there.

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
    groups : ndarray, shape (records,)
        The group of each record, which is not divided: its patient, or the record itself.
    fraction : float
        Share of the records to validate on.
    seed : int
        Of the order in which the groups are taken.

    Returns
    -------
    ndarray, shape (records,), bool
        True for the records to validate on.
    """
    _, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((members.max() + 1, labels.shape[1] + 1))
    np.add.at(counts, members, np.column_stack([labels, np.ones(len(labels))]))
    order = np.random.default_rng(seed).permutation(len(counts))
    open_groups = np.ones(len(counts), bool)
    validation = np.zeros(len(counts), bool)
    # The last column counts the records of each group: it places the groups without a label.
    for column in [*np.argsort(counts[:, :-1].sum(axis=0), kind="stable"), labels.shape[1]]:
        candidates = order[open_groups[order] & (counts[order, column] > 0)]
        wanted = fraction * counts[:, column].sum() - counts[validation, column].sum()
        before = counts[candidates, column].cumsum() - counts[candidates, column]
        # A group goes to validation as long as at least half of its records are still wanted there.
        validation[candidates[before + counts[candidates, column] / 2 <= wanted]] = True
        open_groups[candidates] = False
    return validation[members]


def repeat_factors(labels: np.ndarray, share: float, cap: float) -> np.ndarray:
    """Return how many times each record comes in an epoch, so that rare classes are seen more often.

    A class that less than `share` of the records have gets the factor sqrt(share / its share), at most `cap`. A
    record has the factor of its rarest class (repeat-factor sampling, Gupta et al. 2019).

    Parameters
    ----------
    labels : ndarray, shape (records, classes), bool
    share : float
        Classes that a smaller share of the records have are repeated; 0: none.
    cap : float
        The largest factor, at least 1.

    Returns
    -------
    ndarray, shape (records,), float64
        Factors from 1 to `cap`.
    """
    frequency = np.maximum(labels.mean(axis=0), 1 / len(labels))
    wanted = np.clip(np.sqrt(share / frequency), 1, cap)
    return np.asarray(np.where(labels, wanted, 1.0).max(axis=1, initial=1.0))


@dataclass(frozen=True)
class BatchPlan:
    """The size of a batch and how its windows are changed.

    Attributes
    ----------
    size : int
        Number of windows in a batch.
    crop : int
        Length in samples of the random part of each window that is taken; 0: the whole window.
    step : int
        The length in samples of batches of shorter records is a multiple of this.
    mixup : float
        Parameter of the symmetric Beta distribution that draws with which share another window and its labels
        are added to each window and its labels (Zhang et al. 2018); 0: nothing is added.
    no_heart : float
        Share of the windows that are replaced by `cnn_gap.network.no_heart` and lose their labels.
    sampling_rate : float
        Of the windows, Hz.
    premature : float
        Share of the windows in which a beat comes early: see `cnn_gap.network.premature`.
    premature_outputs : tuple of int
        The outputs that mean premature atrial beats; a window that is labelled with one is not changed.
    electrode_noise, high_pass : float
        Shares of the windows that other recorders give: see `cnn_gap.network.other_recorders`.
    """

    size: int
    crop: int = 0
    step: int = 1
    mixup: float = 0.0
    no_heart: float = 0.0
    sampling_rate: float = 100.0
    premature: float = 0.0
    premature_outputs: tuple[int, ...] = ()
    electrode_noise: float = 0.0
    high_pass: float = 0.0


class WindowBatches(keras.utils.PyDataset):
    """The shuffled, oversampled batches of (windows, labels) of one epoch.

    Where records are shorter than a window, a batch holds records of similar length and is as long as the
    shortest of them: the zeros around a short record are no signal, but a mean over time would count them.

    The same seed and epoch always give the same batches, so that a resumed training equals one that was not
    interrupted.

    Parameters
    ----------
    examples : Examples
        The records with their windows.
    records : ndarray of int
        Indices of the records to train on.
    repeats : ndarray, shape (len(records),)
        How many times each comes in an epoch; the fraction is the probability of one time more.
    plan : BatchPlan
        The size of the batches and how their windows are changed.
    seed, epoch : int
        All random numbers follow from these.
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
        # All batches are full: each window of a smaller last batch would weigh more than the others.
        batches = expected // self._batch_size
        order = np.resize(rng.permutation(len(windows)), batches * self._batch_size)
        held = np.array(examples.store.held)[owners]
        if self._batch_samples(held[order].min()) < self._batch_samples(held[order].max()):
            order = order[self._order_by_length(held[order], rng)]
        self._windows, self._owners, self._held = windows[order], owners[order], held[order]

    def __len__(self) -> int:
        return len(self._windows) // self._batch_size

    def _batch_samples(self, held: int) -> int:
        """Return the length of a batch, samples; `held` is the number of samples of its shortest record."""
        wanted, step = self._plan.crop or self._examples.store.samples, self._plan.step
        return wanted if held >= wanted else int(held - held % step)

    def _order_by_length(self, held: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an order of windows in which a batch has similar lengths; `held` are their numbers of samples.

        The batches are shuffled, but the one with the shortest and the one with the longest windows come first:
        Keras expects that only the dimensions that differ between the first two batches differ later.
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
        # Each batch has its own generator, so that it does not depend on the batches that were made before.
        rng = np.random.default_rng([self._seed, self._epoch, batch])
        held = self._held[part]
        windows = cut(windows, held, self._batch_samples(held.min()), rng)
        if plan.premature:
            _make_premature(windows, labels, plan, rng)
        if plan.high_pass:
            high_pass(windows, plan.high_pass, plan.sampling_rate, rng)
        if plan.electrode_noise:
            add_electrode_noise(windows, plan.electrode_noise, plan.sampling_rate, rng)
        if plan.no_heart:
            replaced = rng.random(len(windows)) < plan.no_heart
            windows[replaced] = windows_without_heart(windows[replaced], plan.sampling_rate, rng)
            labels[replaced] = 0
        return _mix(windows, labels, plan.mixup, rng) if plan.mixup else (windows, labels)


def _make_premature(windows: np.ndarray, labels: np.ndarray, plan: BatchPlan, rng: np.random.Generator) -> None:
    """Let a beat of some windows come early, and label them with premature atrial beats."""
    outputs = list(plan.premature_outputs)
    chosen = np.flatnonzero(
        (rng.random(len(windows)) < plan.premature) & (labels[:, outputs] < 0.5).all(axis=1)
    )
    if not len(chosen):
        return
    windows[chosen], changed = premature_beats(windows[chosen], plan.sampling_rate, rng)
    labels[np.ix_(chosen[changed], outputs)] = 1


def cut(
    windows: np.ndarray, held: np.ndarray, samples: int, rng: np.random.Generator | None = None
) -> np.ndarray:
    """Return a part of each window's signal, (windows, samples, leads).

    Parameters
    ----------
    windows : ndarray, shape (windows, any, leads)
        The signal is in the middle, with zeros on both sides where it is shorter than the window.
    held : ndarray of int, shape (windows,)
        Number of samples of each window that are signal: see `WindowStore.held`.
    samples : int
        Length of a part. A signal that is shorter keeps zeros on both sides.
    rng : Generator, optional
        Draws where in the signal each part lies; if not given, it is the middle.
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
    """Return windows and labels, each blended with a smaller share of a random other window and its labels."""
    share = rng.beta(parameter, parameter, len(windows)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    partner = rng.permutation(len(windows))
    mixed = windows * share[:, None, None] + windows[partner] * (1 - share[:, None, None])
    return mixed, labels * share[:, None] + labels[partner] * (1 - share[:, None])
