"""A trained network of MIPS with the scales of what it was trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.mips.finetuning import Examples, outputs
from polymd.properties.mips.graphs import ChainTensors
from polymd.properties.mips.model import Mips, Sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.chain_graph import ChainGraph

    Floats = NDArray[np.float64]

__all__ = ["MipsModel", "started"]


@dataclass(frozen=True)
class MipsModel:
    """A network and the properties that it predicts; without any it is pre-trained only."""

    network: Mips
    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()  #: of every target, in its unit or of its logarithm
    scales: tuple[float, ...] = ()

    def predict(self, graphs: Sequence[ChainGraph]) -> dict[str, Floats]:
        """Targets of N polymers from the graphs of their smallest repeats, without 3D descriptors."""
        threshold = self.network.sizes.threshold
        chains = [ChainTensors.of(graph, threshold) for graph in graphs]
        examples = Examples(chains, np.empty((len(chains), 0)))
        found = outputs(self.network, examples, np.arange(len(chains)), with_shape=False)
        return {
            name: mean + scale * column
            for name, mean, scale, column in zip(self.names, self.means, self.scales, found.T, strict=True)
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The weights."""
        return {name: tensor.numpy() for name, tensor in self.network.state_dict().items()}

    def header(self) -> str:
        """Everything else, as JSON."""
        about = {"names": self.names, "means": self.means, "scales": self.scales}
        return json.dumps(about | {"sizes": self.network.sizes.as_dict()})

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], header: str) -> MipsModel:
        """The model of weights and header."""
        about = json.loads(header)
        network = Mips(Sizes(**about["sizes"]), max(1, len(about["names"]))).eval()
        network.load_state_dict({name: torch.from_numpy(t) for name, t in tensors.items()})
        return cls(network, *(tuple(about[part]) for part in ("names", "means", "scales")))


def started(start: Mips | None, sizes: Sizes, targets: int, seed: int) -> Mips:
    """A network for some targets with the weights of a pre-trained one wherever both have them.

    Raises
    ------
    ValueError
        The pre-trained one differs in sizes other than that of the 3D part.
    """
    torch.manual_seed(seed)
    network = Mips(sizes, targets)
    if start is None:
        return network
    own = {**sizes.as_dict(), "shape": 0, "dropout": 0}
    other = {**start.sizes.as_dict(), "shape": 0, "dropout": 0}
    if own != other:
        raise ValueError(
            f"pre-trained weights of sizes {other} cannot start a network of {own}; use the same"
        )
    known = {k: v for k, v in start.state_dict().items() if not k.startswith(("head.", "shape."))}
    network.load_state_dict(known, strict=False)
    return network
