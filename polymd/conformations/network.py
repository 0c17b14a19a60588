"""The network behind growth, in numpy: from a chain's graph to bond lengths, angles and torsion terms.

It runs once for a new P-SMILES. Weights are a safetensors file with their card in the header;
`polymd.training.conformation_network` is the torch form that made them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.graph_features import ChainGraph

__all__ = ["COUPLED", "HARMONICS", "Network", "Sizes", "load_network"]

HARMONICS = 6
"""Order of the Fourier series of one torsion's log density."""
COUPLED = 3
"""Order of the series in each of two coupled torsions."""
SHORTEST, TIGHTEST = 0.005, 0.02
"""Least standard deviations of bond lengths (Å) and angles (rad)."""

FORMAT = "polymd-growth-1"
SHIPPED = Path(__file__).parent / "weights" / "growth.safetensors"

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Sizes:
    """Channels of an atom, message-passing layers, channels inside the heads."""

    width: int = 64
    layers: int = 4
    hidden: int = 64


class Network:
    """The trained network; `card` says what it was trained on."""

    def __init__(self, weights: dict[str, Floats], sizes: Sizes, card: dict[str, Any]) -> None:
        self.weights, self.sizes, self.card = weights, sizes, card

    @classmethod
    def read(cls, path: str | Path) -> Network:
        """From a file of `save`. Raises ValueError for any other file."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                header = file.metadata() or {}
                weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ValueError(f"cannot read the weights {str(path)!r}: {error}") from error
        if header.get("format") != FORMAT:
            raise ValueError(f"{path} has format {header.get('format')!r}; growth needs {FORMAT!r}")
        return cls(weights, Sizes(**json.loads(header["sizes"])), json.loads(header["card"]))

    def save(self, path: str | Path) -> None:
        """Write weights, sizes and card."""
        from dataclasses import asdict

        from safetensors.numpy import save_file

        header = {"format": FORMAT, "sizes": json.dumps(asdict(self.sizes)), "card": json.dumps(self.card)}
        save_file({k: np.ascontiguousarray(v) for k, v in self.weights.items()}, str(path), metadata=header)

    def encode(self, graph: ChainGraph) -> Floats:
        """Features (n, width) of the atoms, for the reference force field."""
        w = self.weights
        source = np.ones((len(graph.atoms), 1), dtype=np.float32)
        h = self._linear("embed", np.concatenate([graph.atoms, source], axis=1))
        order = np.argsort(graph.receivers, kind="stable")
        senders, bonds = graph.senders[order], graph.bonds[order]
        counts = np.bincount(graph.receivers, minlength=len(h))
        heard = np.zeros_like(h)
        starts = (np.cumsum(counts) - counts)[counts > 0]
        for k in range(self.sizes.layers):
            name = f"layers.{k}"
            x = w[f"{name}.gain"] * h / np.sqrt((h * h).mean(axis=1, keepdims=True) + np.float32(1e-6))
            message = _silu(self._linear(f"{name}.sender", x)[senders] + bonds @ w[f"{name}.bond.weight"].T)
            if len(starts):
                heard[counts > 0] = np.add.reduceat(message, starts, axis=0)
            mixed = _silu(self._linear(f"{name}.mix", np.concatenate([x, heard], axis=1)))
            h = h + self._linear(f"{name}.out", mixed)
        return h

    def single(self, h: Floats, atoms: Ints) -> Floats:
        """Coefficients (T, HARMONICS) of the torsions of substituents, `atoms` (T, 4)."""
        return self._head("single", h, atoms)

    def coupled(self, h: Floats, atoms: Ints) -> Floats:
        """Coefficients (Q, 2, COUPLED, COUPLED) of two torsions that share an atom, `atoms` (Q, 5)."""
        return self._head("coupled", h, atoms).reshape(-1, 2, COUPLED, COUPLED)

    def lengths(self, h: Floats, atoms: Ints, start: Floats) -> tuple[Floats, Floats]:
        """Means and standard deviations (B,) in Å of bonds, from the sums `start` of covalent radii."""
        out = self._head("length", h, atoms) + self._head("length", h, atoms[:, ::-1])
        return start + out[:, 0], SHORTEST + np.logaddexp(0.0, out[:, 1] - 3.0)

    def angles(self, h: Floats, atoms: Ints) -> tuple[Floats, Floats]:
        """Means and standard deviations (A,) in rad of angles."""
        out = self._head("angle", h, atoms) + self._head("angle", h, atoms[:, ::-1])
        return 2.0 + out[:, 0], TIGHTEST + np.logaddexp(0.0, out[:, 1] - 2.0)

    def _linear(self, name: str, x: Floats) -> Floats:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _head(self, name: str, h: Floats, atoms: Ints) -> Floats:
        total = np.broadcast_to(self.weights[f"{name}.bias"], (len(atoms), len(self.weights[f"{name}.bias"])))
        for k in range(atoms.shape[1]):
            total = total + (h @ self.weights[f"{name}.places.{k}.weight"].T)[atoms[:, k]]
        return self._linear(f"{name}.out", _silu(total))


def _silu(x: Floats) -> Floats:
    return np.asarray(x / (1.0 + np.exp(-np.clip(x, -60.0, 60.0))), dtype=np.float32)


@lru_cache(maxsize=4)
def load_network(path: Path = SHIPPED) -> Network:
    """The shipped network, or that of a file; read once."""
    return Network.read(path)
