"""The network: its layers, losses and optimiser, and the maps that explain it."""

from typing import Any

#: A backend's tensor or a `keras.KerasTensor`: Keras has no common type for them.
Tensor = Any

#: A tensor's shape: each length is an int, a tensor, or None where it is unknown.
Shape = tuple[Any, ...]
