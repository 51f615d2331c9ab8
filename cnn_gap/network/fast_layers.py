"""Layers of Keras that TensorFlow computes slowly in training, computed faster; a model's file has Keras's own.

On a processor, Keras's normalisation of three-dimensional tensors is a dozen passes over them, its dropout
draws a float32 for each feature, and the gradient of a strided slice, which cropping is, is several times as
slow as that of a plain one. Together they take a third of a step that convolves in bfloat16
(`python -m benchmarks.speed.training_speed`).
"""

from typing import Any

import keras
from keras import layers, ops

from cnn_gap.network.tensors import Tensor

#: Different values of the random numbers that `FastDropout` draws.
_VALUES = 1 << 8


def with_fast_layers(network: keras.Model) -> keras.Model:
    """Return a network for training that computes the same faster, but for other random numbers of dropout.

    Its layers keep their names, and its weights are copied. On backends other than TensorFlow, which need none
    of this, it is the network itself.
    """
    if keras.backend.backend() != "tensorflow":
        return network
    settings = network.get_config()
    for layer in settings["layers"]:
        if (fast := _FAST.get(layer["class_name"])) is not None and layer["module"] == "keras.layers":
            layer |= {
                "module": fast.__module__,
                "class_name": fast.__name__,
                "registered_name": f"cnn_gap>{fast.__name__}",
            }
    faster = keras.Model.from_config(settings)
    faster.set_weights(network.get_weights())
    return faster


@keras.saving.register_keras_serializable("cnn_gap")
class FastNormalization(layers.BatchNormalization):
    """`BatchNormalization` of (windows, steps, features) by TensorFlow's fused operation while it learns."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Return the features normalised over windows and steps, and note their mean and variance."""
        if not training or not self.trainable:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        unused = tf.zeros([0])
        normalized, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.expand_dims(inputs, 1),
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=unused,
            variance=unused,
            epsilon=self.epsilon,
        )
        values = tf.cast(tf.reduce_prod(tf.shape(inputs)[:2]), tf.float32)
        variance *= (values - 1) / values  # TensorFlow's is the sample's, Keras's is the population's
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return tf.squeeze(normalized, 1)  # the gradient of a slice is slow


@keras.saving.register_keras_serializable("cnn_gap")
class FastDropout(layers.Dropout):
    """`Dropout` that draws a byte a feature: its rate is rounded to a 256th."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the features, in training some of them 0 and the others larger."""
        if not training or not self.rate:
            return inputs
        import tensorflow as tf

        dropped, shape = min(round(self.rate * _VALUES), _VALUES - 1), tf.shape(inputs)
        count = tf.size(inputs)
        seed = self.seed_generator.next()
        drawn = tf.random.stateless_uniform([(count + 3) // 4], seed, minval=None, maxval=None, dtype=tf.int32)
        numbers = tf.reshape(tf.reshape(tf.bitcast(drawn, tf.uint8), [-1])[:count], shape)
        kept = tf.cast(numbers >= tf.cast(dropped, tf.uint8), inputs.dtype)
        return inputs * kept * tf.cast(_VALUES / (_VALUES - dropped), inputs.dtype)


@keras.saving.register_keras_serializable("cnn_gap")
class FastCropping(layers.Cropping1D):
    """`Cropping1D` by a slice whose gradient is a padding."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the features without their first and last steps."""
        return sliced(inputs, *self.cropping)


def sliced(features: Tensor, first: int, last: int) -> Tensor:
    """Return features (windows, steps, features) without their first and last steps."""
    windows, steps, size = ops.shape(features)
    return ops.slice(features, (0, first, 0), (windows, steps - first - last, size))


_FAST: dict[str, Any] = {
    "BatchNormalization": FastNormalization,
    "Dropout": FastDropout,
    "Cropping1D": FastCropping,
}
