"""Types of the tensors in a network, for any backend of Keras."""

from typing import Any

#: A backend's tensor or a `keras.KerasTensor`: Keras has no common type for them.
Tensor = Any

#: A tensor's shape: each length is an int, a tensor, or None where it is unknown.
Shape = tuple[Any, ...]
