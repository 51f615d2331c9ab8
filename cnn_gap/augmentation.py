"""Random changes of the training windows, as Keras layers that do nothing in prediction."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("cnn_gap")
class RandomAmplitude(keras.layers.Layer):
    """Multiply each window by one random factor while training (Lin et al. 2020, section 2.2: 0.5 to 2.5).

    Parameters
    ----------
    low, high : float
        Bounds of the uniformly drawn factor.
    seed : int, optional
        Of the factors. The generator's state is saved with the layer, so that resumed training goes on with it.
    """

    def __init__(self, low: float = 0.5, high: float = 2.5, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.low, self.high, self.seed = low, high, seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, windows, training=False):
        """Return windows of shape (windows, samples, leads), scaled if `training`."""
        if not training:
            return windows
        shape = (ops.shape(windows)[0], 1, 1)
        factor = keras.random.uniform(shape, self.low, self.high, seed=self.seed_generator)
        return windows * ops.cast(factor, windows.dtype)

    def compute_output_shape(self, input_shape):
        """Return `input_shape`."""
        return input_shape

    def get_config(self):
        """Return the arguments that rebuild the layer."""
        return {**super().get_config(), "low": self.low, "high": self.high, "seed": self.seed}
