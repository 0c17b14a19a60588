"""A trained network with the scales of what it was trained on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.networks.finetuning import Examples, outputs
from polymd.properties.networks.kernel_head import KernelHead, views_of
from polymd.properties.networks.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from polymd.properties.networks.conformers import Conformers
    from polymd.properties.networks.kind import NetworkKind
    from polymd.properties.read_chain import ReadChain

    Floats = NDArray[np.float64]

__all__ = ["TrainedNetwork", "shipped_start", "shipped_tensors"]

_KERNEL = "kernel."  # before the names of its arrays


@dataclass(frozen=True)
class TrainedNetwork:
    """A network and the properties that it predicts; without any it is pre-trained only."""

    kind: NetworkKind
    network: nn.Module
    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()  #: of every target, in its unit or of its logarithm
    scales: tuple[float, ...] = ()
    kernel: KernelHead | None = None  #: which takes the place of the network's head

    @property
    def key(self) -> str:
        """Name on the command line and in files."""
        return self.kind.key

    @property
    def sees_space(self) -> bool:
        """Whether positions change what it says."""
        return self.kind.sees_space

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, Floats]:
        """Targets of N polymers, the same for all spellings of a chain."""
        return self.predict_samples(self.kind.prepare_chains(chains))

    def predict_placed(self, psmiles: str, conformers: Sequence[Conformers]) -> dict[str, Floats]:
        """Targets (F,) of one polymer in each of F sets of conformers, those of a set taken together."""
        return self.predict_samples([self.kind.placed(psmiles, found) for found in conformers])

    def predict_samples(self, samples: Sequence[Any]) -> dict[str, Floats]:
        """Targets of N samples of `NetworkKind.prepare`."""
        if self.kernel is not None:
            found = self.kernel.predict(views_of(self.kind, self.network, samples))
        else:
            examples = Examples(self.kind, samples, np.empty((len(samples), 0)))
            found = outputs(self.network, examples, np.arange(len(samples)))
        return {
            name: mean + scale * column
            for name, mean, scale, column in zip(self.names, self.means, self.scales, found.T, strict=True)
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """The weights that predict, rounded to half precision, which is what is stored."""
        weights, left_out = self.network.state_dict(), self.kind.pretraining_parts
        kernel: dict[str, NDArray[Any]] = {}
        if self.kernel is not None:
            left_out += self.kind.head_parts
            kernel = {f"{_KERNEL}{name}": array for name, array in self.kernel.tensors().items()}
        return kernel | {
            name: tensor.cpu().numpy().astype(np.float16)
            for name, tensor in weights.items()
            if not name.startswith(left_out)
        }

    def header(self) -> str:
        """Everything else, as JSON."""
        about = {"names": self.names, "means": self.means, "scales": self.scales}
        return json.dumps(about | {"kind": self.kind.key, "sizes": self.kind.as_dict()})

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], header: str) -> TrainedNetwork:
        """The model of weights and header."""
        import torch

        about = json.loads(header)
        kind = kind_of(about["kind"], about["sizes"])
        network = kind.build(max(1, len(about["names"]))).eval()
        fitted = {n.removeprefix(_KERNEL): array for n, array in tensors.items() if n.startswith(_KERNEL)}
        weights = {name: torch.from_numpy(array.astype(np.float32)) for name, array in tensors.items()}
        network.load_state_dict(weights, strict=False)
        names, means, scales = (tuple(about[part]) for part in ("names", "means", "scales"))
        return cls(kind, network, names, means, scales, KernelHead.of_tensors(fitted) if fitted else None)


def shipped_start(key: str) -> nn.Module | None:
    """The shipped network of a kind that was pre-trained and has seen no labels; None where there is none."""
    stored = shipped_tensors(key)
    return None if stored is None else TrainedNetwork.of_tensors(*stored).network


def shipped_tensors(key: str) -> tuple[dict[str, NDArray[Any]], str] | None:
    """Weights and header of the shipped pre-trained network of a key; None where there is none."""
    from safetensors import safe_open

    path = Path(__file__).parents[1] / "weights" / f"{key}-pretrained.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, file.metadata()[key]
