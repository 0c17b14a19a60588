"""Energy, forces and virial of a structure: one interface, two backends.

`numba` is the torch-free engine in float32, the fast one; `torch` is the reference in float64. Both use a
Verlet list and return the same quantities, with the virial W = dE/d(strain) = sum over pairs of g r^T, g =
dE/dr, r = r_j - r_i.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from polymd.neighbors import VerletList
from polymd.potentials import registry
from polymd.potentials.half_list import SKIN, HalfList, pair_forces

BACKENDS = ("auto", "numba", "torch")
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Properties:
    """Atomic energies (N,) eV, forces (N, 3) eV/Å, virial (3, 3) eV."""

    energies: Float
    forces: Float
    virial: Float

    @property
    def energy(self) -> float:
        return float(self.energies.sum())


class Backend(Protocol):
    """Evaluates one system; atomic numbers are fixed, geometry is not."""

    def evaluate(self, positions: Float, cell: Float, pbc: NDArray[np.bool_]) -> Properties: ...


class NumbaBackend:
    """The engine of `polyget.engine`, float32."""

    def __init__(self, numbers: NDArray[np.int64], model: str) -> None:
        registry.check_elements(numbers, model)
        self.engine = registry.load_engine(model)
        self.numbers = np.ascontiguousarray(numbers, dtype=np.int64)
        self.half_list = HalfList(self.engine.cutoff)

    def evaluate(self, positions: Float, cell: Float, pbc: NDArray[np.bool_]) -> Properties:
        pairs, vectors = self.half_list.update(positions, cell, pbc)
        result = self.engine.compute(self.numbers, pairs, vectors)
        virial = result.gradient.T.astype(np.float64) @ vectors
        return Properties(result.energies, pair_forces(len(self.numbers), pairs, result.gradient), virial)


class TorchBackend:
    """The torch module under autograd, float64."""

    def __init__(self, numbers: NDArray[np.int64], model: str) -> None:
        import torch

        registry.check_elements(numbers, model)
        self.module = registry.load(model).to(torch.float64)
        self.numbers = torch.as_tensor(np.array(numbers), dtype=torch.long)
        self.list = VerletList(self.module.cutoff, SKIN)

    def evaluate(self, positions: Float, cell: Float, pbc: NDArray[np.bool_]) -> Properties:
        import torch

        csr = self.list.update(positions, cell, pbc)
        rows = np.repeat(np.arange(len(self.numbers)), np.diff(csr.indptr))
        vectors = positions[csr.neighbors] - positions[rows] + csr.shifts @ np.asarray(cell, dtype=np.float64)
        near = np.einsum("ea,ea->e", vectors, vectors) < self.module.cutoff**2
        edge_index = torch.from_numpy(np.stack([rows[near], csr.neighbors[near].astype(np.int64)]))
        leaf = torch.from_numpy(vectors[near]).requires_grad_()
        energies = self.module(self.numbers, leaf, edge_index)
        (gradient,) = torch.autograd.grad(energies.sum(), leaf)
        forces = torch.zeros(len(self.numbers), 3, dtype=torch.float64)
        forces.index_add_(0, edge_index[0], gradient).index_add_(0, edge_index[1], -gradient)
        return Properties(energies.detach().numpy(), forces.numpy(), (gradient.T @ leaf.detach()).numpy())


def make_backend(numbers: Any, model: str, backend: str) -> Backend:
    """Backend by name; `auto` is numba. Raises ValueError for an unknown backend, model or element."""
    if backend not in BACKENDS:
        raise ValueError(f'unknown backend "{backend}"; known: {", ".join(BACKENDS)}')
    return (TorchBackend if backend == "torch" else NumbaBackend)(np.asarray(numbers, dtype=np.int64), model)
