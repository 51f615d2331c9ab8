"""The loss and the optimiser of a training, and the moving average of the weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from cnn_gap.network.losses import MacroObs, WeightedBinaryCrossentropy, WeightedSum
from cnn_gap.training.config import Training
from cnn_gap.training.experiment import Experiment


class AveragingAdamW(keras.optimizers.AdamW):
    """AdamW that keeps its moving average of the weights beside the weights when `fit` ends.

    Keras's own optimiser replaces the weights by their average then, but a training calls `fit` once for each
    epoch.
    """

    def finalize_variable_values(self, var_list: list[Any]) -> None:
        """Do nothing, where AdamW replaces the weights."""


def compile_network(network: keras.Model, experiment: Experiment, steps: int) -> None:
    """Compile a network for a training of `steps` batches an epoch."""
    training = experiment.config.training
    optimizer = AveragingAdamW(
        _schedule(training, steps),
        weight_decay=training.weight_decay,
        use_ema=training.averaging > 0,
        ema_momentum=training.averaging,
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    # With TensorFlow, XLA is an option of the configuration; JAX always compiles.
    jit_compile = training.jit_compile if keras.backend.backend() == "tensorflow" else "auto"
    network.compile(optimizer, _loss(experiment), jit_compile=jit_compile)
    optimizer.build(network.trainable_variables)


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


def _schedule(training: Training, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    warmup = round(training.warmup_epochs * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else training.learning_rate,
        max(1, training.epochs * steps - warmup),
        alpha=0.0 if training.schedule == "cosine" else 1.0,
        warmup_target=training.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def _loss(experiment: Experiment) -> keras.losses.Loss:
    training, classes = experiment.config.training, experiment.classes
    macro_obs = MacroObs(classes.weights)
    if training.loss == "macro_obs":
        return macro_obs
    weighted = training.loss == "weighted_binary_crossentropy"
    cross_entropy = WeightedBinaryCrossentropy(
        experiment.partition.positive_weights if weighted else np.ones(len(classes))
    )
    return WeightedSum(cross_entropy, macro_obs, training.macro_obs) if training.macro_obs else cross_entropy
