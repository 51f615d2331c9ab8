"""Train a network on random crops, and predict whole records as the mean over crops."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cnn_gap.evaluate.metrics import auroc_auprc, macro_average
from cnn_gap.leads import LEADS
from research.teachers.records import Records

#: Leads that devices record when they do not record all; the limb leads follow from two of them.
LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
LEAD_SETS = (
    ("I",),
    ("II",),
    ("V2",),
    ("V5",),
    LIMB,
    (*LIMB, "V2"),
    ("II", "V1"),
    ("II", "V5"),
)


@dataclass(frozen=True)
class Recipe:
    """How a teacher is trained.

    Attributes
    ----------
    epochs, batch_size : int
        Passes over the training records, and crops in a step.
    crop : int
        Samples of a crop, at 100 Hz.
    learning_rate, weight_decay : float
        Of AdamW; the rate is the highest of one cycle.
    averaging : float
        Share that the average of the weights keeps at each step.
    amplitude : tuple of float
        Bounds of a crop's random factor.
    missing_leads, lead_sets : float
        Shares of the batches in which each lead is missing by one in seven, and in which each crop has one of
        `LEAD_SETS` alone.
    bfloat16 : bool
        Convolve and multiply in bfloat16. On processors with AMX this is quicker than float32, on others it may
        be slower.
    seed : int
        Of everything random.
    """

    epochs: int = 18
    batch_size: int = 64
    crop: int = 250
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    averaging: float = 0.998
    amplitude: tuple[float, float] = (0.8, 1.25)
    missing_leads: float = 0.3
    lead_sets: float = 0.1
    bfloat16: bool = True
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Learner:
    """A network with all that its training changes.

    Attributes
    ----------
    network : Module
    averaged : AveragedModel
        The running average of the weights and of the statistics of normalisation.
    optimizer : AdamW
    schedule : OneCycleLR
    bfloat16 : bool
        As in `Recipe`.
    """

    network: nn.Module
    averaged: AveragedModel
    optimizer: torch.optim.AdamW
    schedule: torch.optim.lr_scheduler.OneCycleLR
    bfloat16: bool

    def step(self, crops: torch.Tensor, targets: torch.Tensor) -> float:
        """Learn from a batch; return its loss."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            logits = self.network(crops)
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.network)
        return loss.item()

    def save(self, path: Path, epoch: int) -> None:
        """Write the state after a number of epochs, whole or not at all."""
        aside = path.with_suffix(".part")
        torch.save({"epoch": epoch, **{key: part.state_dict() for key, part in self._parts().items()}}, aside)
        aside.replace(path)

    def load(self, path: Path) -> int:
        """Read a state that `save` wrote; return after how many epochs it is."""
        state = torch.load(path, weights_only=True)
        for key, part in self._parts().items():
            part.load_state_dict(state[key])
        return int(state["epoch"])

    def _parts(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("network", "averaged", "optimizer", "schedule")}


def train(
    network: nn.Module, records: Records, recipe: Recipe, out: Path, log: Callable[[str], None] = print
) -> nn.Module:
    """Train on the records that are not for validation; return the network of averaged weights.

    Its state after each epoch is saved beside `out`, so that an interrupted training can be resumed. In the
    end, the averaged weights are saved as `out`.
    """
    chosen = np.flatnonzero(~records.validation)
    steps = len(chosen) // recipe.batch_size
    learner, checkpoint = _learner(network, recipe, steps), out.with_suffix(".checkpoint")
    done = learner.load(checkpoint) if checkpoint.exists() else 0
    for epoch in range(done + 1, recipe.epochs + 1):
        rng = np.random.default_rng([recipe.seed, epoch])  # an epoch is the same, whichever came before
        torch.manual_seed(int(rng.integers(2**31)))
        network.train()
        loss = fmean(learner.step(*batch) for batch in batches(records, chosen, recipe, rng))
        learner.save(checkpoint, epoch)
        scores = validate(learner.averaged.module, records, recipe) if epoch % 6 == 0 else ""
        log(f"epoch {epoch}/{recipe.epochs}  loss {loss:.5f}  {scores}")
    trained: nn.Module = learner.averaged.module
    save_file({key: value.contiguous() for key, value in trained.state_dict().items()}, out)
    checkpoint.unlink(missing_ok=True)
    return trained


def _learner(network: nn.Module, recipe: Recipe, steps: int) -> Learner:
    """Return the optimiser, schedule and averaged weights of a training with `steps` steps an epoch."""
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.learning_rate, steps * recipe.epochs)
    average = get_ema_multi_avg_fn(recipe.averaging)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(network, multi_avg_fn=average, use_buffers=True)
    return Learner(network, averaged, optimizer, schedule, recipe.bfloat16)


def batches(
    records: Records, chosen: np.ndarray, recipe: Recipe, rng: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield an epoch's batches: crops, float32 mV of shape (batch, leads, samples), and targets."""
    order = rng.permutation(chosen)
    size, spare = recipe.batch_size, records.windows.shape[2] - recipe.crop
    for first in range(0, len(order) - size + 1, size):
        part = order[first : first + size]
        starts = rng.integers(spare + 1, size=size)
        crops = torch.stack(
            [
                records.windows[record, :, start : start + recipe.crop]
                for record, start in zip(part, starts, strict=True)
            ]
        )
        gains = rng.uniform(*recipe.amplitude, (size, 1, 1)) * present_leads(size, recipe, rng)[:, :, None]
        yield crops.float() * torch.from_numpy(gains.astype(np.float32)), records.targets[part]


def present_leads(size: int, recipe: Recipe, rng: np.random.Generator) -> np.ndarray:
    """Return which leads each crop of a batch keeps, float of shape (size, leads)."""
    drawn = rng.random()
    if drawn < recipe.missing_leads:
        return (rng.random((size, len(LEADS))) > 1 / 7).astype(float)
    if drawn < recipe.missing_leads + recipe.lead_sets:
        sets = np.array([[float(lead in each) for lead in LEADS] for each in LEAD_SETS])
        return sets[rng.integers(len(sets), size=size)]
    return np.ones((size, len(LEADS)))


@torch.no_grad()
def predict(network: nn.Module, windows: torch.Tensor, recipe: Recipe, batch_size: int = 128) -> np.ndarray:
    """Return the probabilities of windows, float32 of shape (windows, outputs).

    A window's logit is the mean over as many crops as cover it.

    Parameters
    ----------
    windows : Tensor, shape (windows, leads, samples)
    recipe : Recipe
        The length of a crop and the format of numbers.
    """
    network.eval()
    crop = recipe.crop
    spare = windows.shape[2] - crop
    starts = np.linspace(0, spare, math.ceil(windows.shape[2] / crop)).round().astype(int)
    found = []
    for part in torch.split(windows, batch_size):
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            logits = [network(part[:, :, start : start + crop].float()).float() for start in starts]
        found.append(torch.stack(logits).mean(0).sigmoid())
    return torch.cat(found).numpy()


def validate(network: nn.Module, records: Records, recipe: Recipe) -> str:
    """Return a line of the validation records' macro AUROC: all outputs, the Challenge's, the findings'."""
    probabilities = predict(network, records.windows[torch.from_numpy(records.validation)], recipe)
    auroc = auroc_auprc(records.labels.numpy()[records.validation] > 0, probabilities)[0]
    scored = len(records.classes.classes)
    return (
        f"val_auroc {macro_average(auroc):.4f}  challenge {macro_average(auroc[:scored]):.4f}"
        f"  findings {macro_average(auroc[scored:]):.4f}"
    )
