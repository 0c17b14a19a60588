"""Force matching at the price of first derivatives.

The loss L(F) of forces F = -dE/dx has the parameter gradient

    dL/dw = sum_i v_i . dF_i/dw = -d/dw (v . dE/dx),   v = dL/dF,

a derivative of dE/dw along v, taken here as a difference of parameter gradients at x and at x + s h v, where
the sign s is +1 for one half of the molecules and -1 for the other, changing places with every step:

    dL/dw = -[dE/dw (x + s h v) - dE/dw (x)] / s h + O(s h).

The error of first order changes sign with s and so averages out. No graph is ever differentiated twice, and
one evaluation gives both the forces and dE/dw (x). For L = mean_i |F_i - F_i*| every v_i has the same length,
so each atom is moved by exactly `STEP` Å.
"""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polymd.potentials.polyget import fused
from polymd.potentials.polyget.model import PolyGET
from polymd.potentials.repulsion import zbl_pairs

STEP = 0.002


@numba.njit(nogil=True, cache=True)
def molecule_pairs(
    positions: NDArray[np.float32], pointers: NDArray[np.int64], cutoff: float
) -> NDArray[np.int32]:
    """Half list (P, 2) of pairs closer than cutoff within each molecule pointers[m] : pointers[m + 1]."""
    room = 0
    for m in range(len(pointers) - 1):
        n = pointers[m + 1] - pointers[m]
        room += n * (n - 1) // 2
    pairs = np.empty((room, 2), np.int32)
    count = 0
    for m in range(len(pointers) - 1):
        for i in range(pointers[m], pointers[m + 1]):
            for j in range(i + 1, pointers[m + 1]):
                r2 = 0.0
                for axis in range(3):
                    r2 += (positions[j, axis] - positions[i, axis]) ** 2
                if r2 < cutoff * cutoff:
                    pairs[count, 0], pairs[count, 1] = i, j
                    count += 1
    return pairs[:count].copy()


@numba.njit(nogil=True, cache=True)
def repulsion_forces(
    positions: NDArray[np.float32],
    numbers: NDArray[np.int64],
    pairs: NDArray[np.int32],
    radii: NDArray[np.float64],
) -> NDArray[np.float32]:
    """ZBL forces (N, 3), eV/Å."""
    energies = np.zeros(len(positions))
    d, slopes = np.zeros(len(pairs), np.float32), np.zeros(len(pairs), np.float32)
    for p in range(len(pairs)):
        d[p] = np.sqrt(np.sum((positions[pairs[p, 1]] - positions[pairs[p, 0]]) ** 2))
    zbl_pairs(numbers, pairs, d, radii, energies, slopes)
    forces = np.zeros(positions.shape, np.float32)
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        force = slopes[p] / d[p] * (positions[j] - positions[i])
        forces[i] += force
        forces[j] -= force
    return forces


@dataclass(frozen=True)
class Batch:
    """Molecules side by side: numbers (N,) int64, positions and target forces (N, 3) float32, pointers (M
    + 1,).
    """

    numbers: Tensor
    positions: Tensor
    forces: Tensor
    pointers: NDArray[np.int64]


@dataclass(frozen=True)
class Graph:
    """A batch with its full list of directed edges i <- j (2, E), on the device of the network."""

    numbers: Tensor
    positions: Tensor
    forces: Tensor
    edge_index: Tensor

    @classmethod
    def of(cls, batch: Batch, cutoff: float, device: torch.device) -> "Graph":
        """Pairs of a batch closer than `cutoff` Å, and all of it moved to `device`."""
        pairs = torch.from_numpy(molecule_pairs(batch.positions.numpy(), batch.pointers, cutoff)).long()
        edges = torch.cat([pairs, pairs.flip(1)]).T.contiguous()
        moved = [t.to(device) for t in (batch.numbers, batch.positions, batch.forces, edges)]
        return cls(*moved)


def predict_forces(model: PolyGET, batch: Batch, filters: list[Tensor]) -> Tensor:
    """Forces (N, 3) of the network (without repulsion), eV/Å; `filters` detached from the graph."""
    positions = batch.positions.clone().requires_grad_()
    pairs = torch.from_numpy(molecule_pairs(batch.positions.numpy(), batch.pointers, model.cutoff))
    energy = fused.atomic_energies(model, batch.numbers, positions, pairs, filters).sum()
    return -torch.autograd.grad(energy, positions)[0]


def surrogate_loss(model: PolyGET, batch: Batch, step: int = 0) -> tuple[Tensor, Tensor]:
    """A scalar whose gradient by the parameters is dL/dw of L = mean |F - F*|, and L itself in eV/Å."""
    sizes = np.diff(batch.pointers)
    halves = (np.arange(len(sizes)) + step) % 2
    signs = torch.from_numpy(np.repeat(1.0 - 2.0 * halves, sizes)).float()
    weights = [w for w in model.parameters() if w.requires_grad]
    positions = batch.positions.clone().requires_grad_()
    here = _signed_energy(model, batch, positions, signs)
    slope, *slopes = torch.autograd.grad(here, [positions, *weights], allow_unused=True)
    error = -signs.unsqueeze(1) * slope - batch.forces
    length = error.norm(dim=1, keepdim=True)
    moved = batch.positions + signs.unsqueeze(1) * STEP * error / length.clamp(min=1e-6)
    # linear in the weights, with the gradient of `here`
    tangent = sum((w * g).sum() for w, g in zip(weights, slopes, strict=True) if g is not None)
    loss: Tensor = length.mean()
    return (tangent - _signed_energy(model, batch, moved, signs)) / (STEP * len(signs)), loss


def _signed_energy(model: PolyGET, batch: Batch, positions: Tensor, signs: Tensor) -> Tensor:
    """Sum of the molecules' energies, each times its sign."""
    pairs = torch.from_numpy(molecule_pairs(positions.detach().numpy(), batch.pointers, model.cutoff))
    energies = fused.atomic_energies(model, batch.numbers, positions, pairs, fused.tables(model))
    return (signs * energies).sum()


def network_forces(model: PolyGET, graph: Graph, *, create_graph: bool) -> Tensor:
    """Forces (N, 3) of the plain torch network (without repulsion), eV/Å, on any device."""
    positions = graph.positions.clone().requires_grad_()
    i, j = graph.edge_index[0], graph.edge_index[1]
    vectors = positions.index_select(0, j) - positions.index_select(0, i)
    d = torch.sqrt((vectors * vectors).sum(dim=1))
    species = model.species.index_select(0, graph.numbers)
    energy = model.network(species, d, vectors / d.unsqueeze(1), i, j).sum()
    return -torch.autograd.grad(energy, positions, create_graph=create_graph)[0]


def double_backward_loss(model: PolyGET, graph: Graph) -> Tensor:
    """L = mean |F - F*| in eV/Å, to be differentiated through the forces: for GPUs and as reference."""
    loss: Tensor = (network_forces(model, graph, create_graph=True) - graph.forces).norm(dim=1).mean()
    return loss
