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
from polymd.properties.mips.shape import placed_descriptors, shape_descriptors
from polymd.properties.networks.finetuning import outputs
from polymd.properties.read_chain import read_chains

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.mips.graphs import Batch
    from polymd.properties.networks.conformers import Conformers
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

    @property
    def key(self) -> str:
        """Name on the command line and in files."""
        return "mips"

    @property
    def sees_space(self) -> bool:
        """Whether it was trained with 3D descriptors, so that positions change what it says."""
        return bool(self.networks[0].sizes.shape)

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, Floats]:
        """Targets of N polymers from their smallest repeats, with 3D descriptors where it has learnt them.

        Those are of one ETKDG conformer of each canonical chain's unit.
        """
        shape = (
            np.array([shape_descriptors(chain.canonical) for chain in chains]) if self.sees_space else None
        )
        return self._predict(chains, np.arange(len(chains)), shape)

    def predict_placed(self, psmiles: str, conformers: Sequence[Conformers]) -> dict[str, Floats]:
        """Targets (F,) of one polymer in each of F sets of conformers: the mean over those of a set.

        Raises
        ------
        ValueError
            It was trained without 3D descriptors.
        """
        if not self.sees_space:
            raise ValueError(
                "this 'mips' takes no positions; allowed: mmpolymer, two-channel, mips with --shape; "
                "fix: polymd train property NAMES --model mips --shape --out mine.safetensors"
            )
        shape = np.concatenate([placed_descriptors(psmiles, found.positions) for found in conformers])
        found = self._predict(read_chains([psmiles]), np.zeros(len(shape), dtype=np.int64), shape)
        return {name: values.reshape(len(conformers), -1).mean(axis=1) for name, values in found.items()}

    def _predict(
        self, chains: Sequence[ReadChain], rows: NDArray[np.int64], shape: Floats | None
    ) -> dict[str, Floats]:
        """Targets (R,) of chains[rows], 3D descriptors of each row (R, S)."""
        sizes, vocabulary = self.networks[0].sizes, self.networks[0].vocabulary
        units = [ChainTensors.of(chain.graph, sizes.threshold) for chain in chains]
        fingerprints = [chain.fingerprint for chain in chains]
        extras: dict[str, NDArray[Any]] = {}
        if sizes.physics:
            extras["physics"] = np.array([f.physics for f in fingerprints], np.float32)[rows]
        if vocabulary is not None:
            extras["descriptors"] = vocabulary.values(fingerprints)[rows]
        if shape is not None:
            extras["shape"] = shape
        repeated = [units[row] for row in rows]
        examples = Examples(repeated, np.empty((len(rows), 0)), sizes.threshold, extras)
        found = outputs(_Mean(self.networks), examples, np.arange(len(rows)))
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
