"""Faster versions of three Keras layers for training with TensorFlow; a model's file holds Keras's own layers.

On a CPU, Keras normalises three-dimensional tensors in a dozen passes over them. Its dropout draws a float32
for each feature. It crops by a strided slice, whose gradient is several times as slow as the gradient of a
plain slice. Together these layers take a third of a training step that convolves in bfloat16
(`python -m research.training_speed`).
"""

from typing import Any

import keras
from keras import layers, ops

from cnn_gap.network import Tensor

#: Number of values of the random bytes that `FastDropout` draws.
_BYTE_VALUES = 1 << 8


def with_fast_layers(network: keras.Model) -> keras.Model:
    """Return a network that trains faster: the same computation but for dropout's random numbers.

    Its layers keep their names, and its weights are copied. With a backend other than TensorFlow, which needs
    no faster layers, this returns the network itself.
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
    """`BatchNormalization` of (windows, steps, features) that uses TensorFlow's fused operation in training."""

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Return the features normalised over windows and steps; update the moving mean and variance."""
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
        variance *= (values - 1) / values  # TensorFlow divides by values - 1, Keras by values
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return tf.squeeze(normalized, 1)  # normalized[:, 0] would have a slow gradient


@keras.saving.register_keras_serializable("cnn_gap")
class FastDropout(layers.Dropout):
    """`Dropout` that draws one byte for each feature: its rate is rounded to a multiple of 1/256."""

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the features; in training some are set to 0 and the others scaled up."""
        if not training or not self.rate:
            return inputs
        import tensorflow as tf

        dropped, shape = min(round(self.rate * _BYTE_VALUES), _BYTE_VALUES - 1), tf.shape(inputs)
        count = tf.size(inputs)
        seed = self.seed_generator.next()
        drawn = tf.random.stateless_uniform([(count + 3) // 4], seed, minval=None, maxval=None, dtype=tf.int32)
        numbers = tf.reshape(tf.reshape(tf.bitcast(drawn, tf.uint8), [-1])[:count], shape)
        kept = tf.cast(numbers >= tf.cast(dropped, tf.uint8), inputs.dtype)
        return inputs * kept * tf.cast(_BYTE_VALUES / (_BYTE_VALUES - dropped), inputs.dtype)


@keras.saving.register_keras_serializable("cnn_gap")
class FastCropping(layers.Cropping1D):
    """`Cropping1D` by a plain slice, whose gradient is only a padding."""

    def call(self, inputs: Tensor) -> Tensor:
        """Return the features without their first and last steps."""
        return crop_steps(inputs, *self.cropping)


def crop_steps(features: Tensor, first: int, last: int) -> Tensor:
    """Return features (windows, steps, features) without the `first` first and the `last` last steps."""
    windows, steps, size = ops.shape(features)
    return ops.slice(features, (0, first, 0), (windows, steps - first - last, size))


#: The faster layers by the name of Keras's own.
_FAST: dict[str, Any] = {
    each.__base__.__name__: each for each in (FastNormalization, FastDropout, FastCropping)
}
