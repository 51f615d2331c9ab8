"""The optimiser of a training, its learning rates, and the moving average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras


class AveragingAdamW(keras.optimizers.AdamW):
    """AdamW that keeps its moving average of the weights beside the weights when `fit` ends.

    Keras's own optimiser replaces the weights by their average then, but a training calls `fit` once for each
    epoch.
    """

    def finalize_variable_values(self, var_list: list[Any]) -> None:
        """Do nothing, where AdamW replaces the weights."""


def build_optimizer(
    rate: float, weight_decay: float, averaging: float, warmup_steps: int, steps: int, cosine: bool
) -> AveragingAdamW:
    """Return an AdamW optimiser.

    Parameters
    ----------
    rate, weight_decay : float
        Highest learning rate, and decay of the weights of convolutions and dense layers.
    averaging : float
        Share that the moving average of the weights keeps at each step; 0: no average.
    warmup_steps, steps : int
        Number of steps in which the rate rises linearly from 0, and number of all steps.
    cosine : bool
        Whether the rate falls to 0 at the last step; otherwise it stays constant.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup_steps else rate,
        max(1, steps - warmup_steps),
        alpha=0.0 if cosine else 1.0,
        warmup_target=rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    optimizer = AveragingAdamW(
        schedule, weight_decay=weight_decay, use_ema=averaging > 0, ema_momentum=averaging
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


@contextmanager
def averaged_weights(network: keras.Model, averaging: float) -> Iterator[None]:
    """Give the network the moving average of its weights inside this context, if it keeps one."""
    if not averaging:
        yield
        return
    swap = keras.callbacks.SwapEMAWeights()
    swap.set_model(network)
    swap.on_test_begin()
    yield
    swap.on_test_end()
