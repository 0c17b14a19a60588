"""Trained networks of MIPS with the scales of what they were trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from polymd.properties.mips.finetuning import Examples
from polymd.properties.mips.graphs import ChainTensors
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.networks.finetuning import outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.mips.graphs import Batch
    from polymd.properties.read_chain import ReadChain

    Floats = NDArray[np.float64]

__all__ = ["MipsModel"]

_PRETRAINING_PARTS = ("masked.", "described.", "estimated.")  # of the names of weights


@dataclass(frozen=True)
class MipsModel:
    """Networks whose mean is taken and the properties that they predict; without any, pre-trained only."""

    networks: tuple[Mips, ...]  #: of the same sizes and vocabulary
    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()  #: of every target, in its unit or of its logarithm
    scales: tuple[float, ...] = ()

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, Floats]:
        """Targets of N polymers from their smallest repeats, without 3D descriptors."""
        sizes, vocabulary = self.networks[0].sizes, self.networks[0].vocabulary
        units = [ChainTensors.of(chain.graph, sizes.threshold) for chain in chains]
        fingerprints = [chain.fingerprint for chain in chains]
        extras: dict[str, NDArray[Any]] = {}
        if sizes.physics:
            extras["physics"] = np.array([f.physics for f in fingerprints], np.float32)
        if vocabulary is not None:
            extras["descriptors"] = vocabulary.values(fingerprints)
        examples = Examples(units, np.empty((len(units), 0)), sizes.threshold, extras)
        found = outputs(_Mean(self.networks), examples, np.arange(len(units)))
        return {
            name: mean + scale * column
            for name, mean, scale, column in zip(self.names, self.means, self.scales, found.T, strict=True)
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What predictions need, weights in half precision: not what is for pre-training only."""
        found: dict[str, NDArray[Any]] = {}
        for number, network in enumerate(self.networks):
            weights = {name: t.detach().half() for name, t in network.named_parameters()}
            for name, t in (weights | dict(network.named_buffers())).items():
                if not name.startswith(_PRETRAINING_PARTS):
                    found[f"{number}.{name}"] = t.numpy()
        return found

    def header(self) -> str:
        """Everything else, as JSON."""
        about = {"names": self.names, "means": self.means, "scales": self.scales}
        sizes = self.networks[0].sizes.as_dict()
        return json.dumps(about | {"sizes": sizes, "networks": len(self.networks)})

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], header: str) -> MipsModel:
        """The model of weights and header."""
        about = json.loads(header)
        networks = []
        for number in range(about["networks"]):
            network = Mips(Sizes(**about["sizes"]), max(1, len(about["names"]))).eval()
            own = {n: torch.from_numpy(t) for n, t in tensors.items() if n.startswith(f"{number}.")}
            weights = {n.partition(".")[2]: t.float() if t.is_floating_point() else t for n, t in own.items()}
            network.load_state_dict(weights, strict=False)
            networks.append(network)
        return cls(tuple(networks), *(tuple(about[part]) for part in ("names", "means", "scales")))


class _Mean(nn.Module):
    """The mean of networks for the same batch."""

    def __init__(self, networks: Sequence[Mips]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, batch: Batch) -> Tensor:
        """Targets (B, T)."""
        return torch.stack([network(batch) for network in self.networks]).mean(dim=0)
