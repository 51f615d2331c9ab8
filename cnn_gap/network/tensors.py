"""Types for what flows through a network, whatever Keras's backend."""

from typing import Any

#: A backend's tensor or a `keras.KerasTensor`: Keras has no type that holds for all of them.
Tensor = Any

#: A tensor's shape; a length may be a tensor itself, or None where it is not known.
Shape = tuple[Any, ...]
