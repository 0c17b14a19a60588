"""A trained network of MIPS with the scales of what it was trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.mips.finetuning import Examples, outputs
from polymd.properties.mips.graphs import ChainTensors
from polymd.properties.mips.model import Mips, Sizes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.mips.folds import Polymers
    from polymd.properties.read_chain import ReadChain

    Floats = NDArray[np.float64]

__all__ = ["MipsModel", "started"]

PRETRAINING_PARTS = ("masked.", "described.")  # of the names of weights


@dataclass(frozen=True)
class MipsModel:
    """A network and the properties that it predicts; without any it is pre-trained only."""

    network: Mips
    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()  #: of every target, in its unit or of its logarithm
    scales: tuple[float, ...] = ()

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, Floats]:
        """Targets of N polymers from their smallest repeats, without 3D descriptors."""
        sizes, vocabulary = self.network.sizes, self.network.vocabulary
        units = [ChainTensors.of(chain.graph, sizes.threshold) for chain in chains]
        fingerprints = [chain.fingerprint for chain in chains]
        extras: dict[str, NDArray[Any]] = {"bands": np.array([f.bands for f in fingerprints], np.float32)}
        if vocabulary is not None:
            extras["descriptors"] = vocabulary.values(fingerprints)
        examples = Examples(units, np.empty((len(units), 0)), sizes.threshold, extras)
        found = outputs(self.network, examples, np.arange(len(units)))
        return {
            name: mean + scale * column
            for name, mean, scale, column in zip(self.names, self.means, self.scales, found.T, strict=True)
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What predictions need, in half precision: not what is for pre-training only."""
        kept = {n: t for n, t in self.network.state_dict().items() if not n.startswith(PRETRAINING_PARTS)}
        return {n: (t.half() if t.is_floating_point() else t).numpy() for n, t in kept.items()}

    def header(self) -> str:
        """Everything else, as JSON."""
        about = {"names": self.names, "means": self.means, "scales": self.scales}
        return json.dumps(about | {"sizes": self.network.sizes.as_dict()})

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], header: str) -> MipsModel:
        """The model of weights and header."""
        about = json.loads(header)
        network = Mips(Sizes(**about["sizes"]), max(1, len(about["names"]))).eval()
        weights = {n: torch.from_numpy(t) for n, t in tensors.items()}
        network.load_state_dict(
            {n: t.float() if t.is_floating_point() else t for n, t in weights.items()}, strict=False
        )
        return cls(network, *(tuple(about[part]) for part in ("names", "means", "scales")))


def started(start: Mips | None, sizes: Sizes, polymers: Polymers, seed: int) -> Mips:
    """A network for the tables of some polymers, with the weights of a pre-trained one wherever it has them.

    Raises
    ------
    ValueError
        The pre-trained one differs in sizes other than those of bands and of the 3D part.
    """
    torch.manual_seed(seed)
    network = Mips(replace(sizes, descriptors=polymers.descriptors.shape[1]), len(polymers.names))
    network.set_vocabulary(polymers.vocabulary)
    if start is None:
        return network
    own = {**network.sizes.as_dict(), "bands": 0, "shape": 0, "dropout": 0}
    other = {**start.sizes.as_dict(), "bands": 0, "shape": 0, "dropout": 0}
    if own != other:
        raise ValueError(
            f"pre-trained weights of sizes {other} cannot start a network of {own}; use the same"
        )
    known = {k: v for k, v in start.state_dict().items() if not k.startswith(("head.", "bands.", "shape."))}
    network.load_state_dict(known, strict=False)
    return network
