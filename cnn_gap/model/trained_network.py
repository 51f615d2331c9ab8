"""A trained network, whether Keras has loaded it or not."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cnn_gap.network.structure import Structure, structure_of

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False, repr=False)
class TrainedNetwork:
    """The layers of a network, and the network itself, which is loaded where Keras is needed.

    Attributes
    ----------
    source : str
        What to call it in errors, such as its path.
    structure : Structure
        The layers with their weights.
    load : callable
        Returns the network; called once at most.
    """

    source: str
    structure: Structure
    load: "Callable[[], keras.Model]"

    @cached_property
    def keras(self) -> "keras.Model":
        """The network as a model of Keras."""
        return self.load()


def in_memory(network: "keras.Model") -> TrainedNetwork:
    """Return a network that Keras has in memory, with its present weights."""
    return TrainedNetwork("the network", structure_of(network), lambda: network)
