"""Energy, forces and virial of a structure: one interface, two backends.

`numba` is the torch-free engine in float32, the fast one; `torch` is the reference in float64. Both use a
Verlet list and return the same quantities, with the virial W = dE/d(strain) = sum over pairs of g r^T, g =
dE/dr, r = r_j - r_i.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.neighbors import VerletList
from polymd.potentials import registry

SKIN = 1.0
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


@numba.njit(nogil=True, cache=True)
def _half_list(positions, shift_vectors, indptr, neighbors, reverse, cutoff):  # type: ignore[no-untyped-def]
    """Pairs (P, 2) and vectors (P, 3) of each pair once, closer than the cutoff.

    They are sorted by atoms, images of one pair by vector, whatever the order in the list: energies and
    forces are then the same to the last bit however old the list is, and a resumed run is the uninterrupted
    one.
    """
    pairs = np.empty((len(neighbors) // 2, 2), np.int32)
    vectors = np.empty((len(neighbors) // 2, 3), np.float32)
    count = 0
    for i in range(len(indptr) - 1):
        for e in range(indptr[i], indptr[i + 1]):
            if e > reverse[e]:
                continue
            j = neighbors[e]
            x = positions[j, 0] - positions[i, 0] + shift_vectors[e, 0]
            y = positions[j, 1] - positions[i, 1] + shift_vectors[e, 1]
            z = positions[j, 2] - positions[i, 2] + shift_vectors[e, 2]
            if x * x + y * y + z * z < cutoff * cutoff:
                k = count
                while k > 0 and pairs[k - 1, 0] == i and pairs[k - 1, 1] >= j:
                    if pairs[k - 1, 1] == j and vectors[k - 1, 0] <= x:
                        break
                    pairs[k] = pairs[k - 1]
                    vectors[k] = vectors[k - 1]
                    k -= 1
                pairs[k, 0], pairs[k, 1] = i, j
                vectors[k, 0], vectors[k, 1], vectors[k, 2] = x, y, z
                count += 1
    return pairs[:count], vectors[:count]


@numba.njit(nogil=True, cache=True)
def pair_forces(n, pairs, gradient):  # type: ignore[no-untyped-def]
    """Forces (n, 3) of the gradient (P, 3) by the vectors of a half list (P, 2)."""
    forces = np.zeros((n, 3))
    for p in range(len(pairs)):
        for axis in range(3):
            forces[pairs[p, 0], axis] += gradient[p, axis]
            forces[pairs[p, 1], axis] -= gradient[p, axis]
    return forces


class HalfList:
    """Pairs of one system closer than a cutoff, each once, from a Verlet list."""

    def __init__(self, cutoff: float) -> None:
        self.cutoff = cutoff
        self.list = VerletList(cutoff, SKIN)

    def update(
        self, positions: Float, cell: Float, pbc: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Pairs (P, 2) and their vectors r_j - r_i (P, 3) in Å."""
        csr = self.list.update(positions, cell, pbc)
        shift_vectors = csr.shifts @ np.asarray(cell, dtype=np.float64)
        pairs, vectors = _half_list(
            np.ascontiguousarray(positions),
            shift_vectors,
            csr.indptr,
            csr.neighbors,
            csr.reverse,
            self.cutoff,
        )
        return pairs, vectors


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
