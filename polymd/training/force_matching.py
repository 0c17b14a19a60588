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

from polymd.potentials.half_list import molecule_pairs
from polymd.potentials.polyget import fused
from polymd.potentials.polyget.model import PolyGET
from polymd.potentials.repulsion import zbl_pairs

STEP = 0.002


@numba.njit(nogil=True, cache=True)
def repulsion(
    positions: NDArray[np.float32],
    numbers: NDArray[np.int64],
    pairs: NDArray[np.int32],
    radii: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """ZBL energies (N,), eV, and forces (N, 3), eV/Å, of the atoms."""
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
    return energies, forces


@dataclass(frozen=True)
class Batch:
    """M molecules side by side: numbers (N,) int64, positions and target forces (N, 3) float32, target
    energies (M,) float32 up to a constant of each molecule, pointers (M + 1,).
    """

    numbers: Tensor
    positions: Tensor
    forces: Tensor
    energies: Tensor
    pointers: NDArray[np.int64]

    @property
    def molecules(self) -> Tensor:
        """Which molecule each atom belongs to (N,)."""
        sizes = np.diff(self.pointers)
        return torch.from_numpy(np.repeat(np.arange(len(sizes)), sizes))


@dataclass(frozen=True)
class Graph:
    """A batch with its full list of directed edges i <- j (2, E), on the device of the network."""

    numbers: Tensor
    positions: Tensor
    forces: Tensor
    energies: Tensor
    molecules: Tensor
    edge_index: Tensor

    @classmethod
    def of(cls, batch: Batch, cutoff: float, device: torch.device) -> "Graph":
        """Pairs of a batch closer than `cutoff` Å, and all of it moved to `device`."""
        pairs = torch.from_numpy(molecule_pairs(batch.positions.numpy(), batch.pointers, cutoff)).long()
        edges = torch.cat([pairs, pairs.flip(1)]).T.contiguous()
        own = batch.numbers, batch.positions, batch.forces, batch.energies, batch.molecules
        return cls(*(t.to(device) for t in (*own, edges)))


def predict_forces(model: PolyGET, batch: Batch, filters: list[Tensor]) -> Tensor:
    """Forces (N, 3) of the network (without repulsion), eV/Å; `filters` detached from the graph."""
    positions = batch.positions.clone().requires_grad_()
    pairs = torch.from_numpy(molecule_pairs(batch.positions.numpy(), batch.pointers, model.cutoff))
    energy = fused.atomic_energies(model, batch.numbers, positions, pairs, filters).sum()
    return -torch.autograd.grad(energy, positions)[0]


def relative_energy_loss(energies: Tensor, targets: Tensor, sizes: Tensor) -> Tensor:
    """Mean |(E_a - E_b) - (E*_a - E*_b)| / N in eV/atom of the pairs (0, 1), (2, 3), ... of frames (M,), each
    pair being two frames of one molecule of `sizes` atoms.
    """
    error = energies - targets
    return ((error[0::2] - error[1::2]).abs() / sizes[0::2]).mean()


def surrogate_loss(
    model: PolyGET, batch: Batch, step: int = 0, energy_weight: float = 0.0
) -> tuple[Tensor, Tensor]:
    """A scalar whose gradient by the parameters is dL/dw, and the force loss mean |F - F*| in eV/Å.

    L is the force loss plus `energy_weight` (Å) times `relative_energy_loss`. The latter's derivatives by the
    molecules' energies join the signs s of the difference, so that it costs nothing.
    """
    molecules, m = batch.molecules, len(batch.energies)
    weights = [w for w in model.parameters() if w.requires_grad]
    positions = batch.positions.clone().requires_grad_()
    energies = _molecular_energies(model, batch, positions)
    signs = 1.0 - 2.0 * ((torch.arange(m) + step) % 2).float()
    pull = -signs / (STEP * len(molecules))
    factors = pull - energy_weight * _energy_slopes(energies, batch) if energy_weight else pull
    slope, *slopes = torch.autograd.grad(energies, [positions, *weights], -factors, allow_unused=True)
    error = slope / factors[molecules].unsqueeze(1) - batch.forces
    length = error.norm(dim=1, keepdim=True)
    moved = batch.positions + STEP * signs[molecules].unsqueeze(1) * error / length.clamp(min=1e-6)
    # linear in the weights, with the gradient of the energies here
    tangent = sum((w * g).sum() for w, g in zip(weights, slopes, strict=True) if g is not None)
    return tangent + pull @ _molecular_energies(model, batch, moved), length.mean()


def _energy_slopes(energies: Tensor, batch: Batch) -> Tensor:
    """Derivatives (M,) of `relative_energy_loss` by the energies of the molecules."""
    free = energies.detach().requires_grad_()
    sizes = torch.from_numpy(np.diff(batch.pointers))
    return torch.autograd.grad(relative_energy_loss(free, batch.energies, sizes), free)[0]


def _molecular_energies(model: PolyGET, batch: Batch, positions: Tensor) -> Tensor:
    """The network's energies (M,) of the molecules, eV."""
    pairs = torch.from_numpy(molecule_pairs(positions.detach().numpy(), batch.pointers, model.cutoff))
    atomic = fused.atomic_energies(model, batch.numbers, positions, pairs, fused.tables(model))
    return torch.zeros(len(batch.energies)).index_add(0, batch.molecules, atomic)


def network_forces(model: PolyGET, graph: Graph, *, create_graph: bool) -> tuple[Tensor, Tensor]:
    """Energies (M,), eV, and forces (N, 3), eV/Å, of the plain torch network without repulsion, on any
    device.
    """
    positions = graph.positions.clone().requires_grad_()
    i, j = graph.edge_index[0], graph.edge_index[1]
    vectors = positions.index_select(0, j) - positions.index_select(0, i)
    d = torch.sqrt((vectors * vectors).sum(dim=1))
    species = model.species.index_select(0, graph.numbers)
    atomic = model.network(species, d, vectors / d.unsqueeze(1), i, j)
    forces = -torch.autograd.grad(atomic.sum(), positions, create_graph=create_graph)[0]
    empty = torch.zeros_like(graph.energies, dtype=atomic.dtype)
    return empty.index_add(0, graph.molecules, atomic), forces


def double_backward_loss(model: PolyGET, graph: Graph, energy_weight: float = 0.0) -> tuple[Tensor, Tensor]:
    """L, to be differentiated through the forces, and the force loss: for GPUs and as reference."""
    energies, forces = network_forces(model, graph, create_graph=True)
    loss: Tensor = (forces - graph.forces).norm(dim=1).mean()
    if not energy_weight:
        return loss, loss
    sizes = torch.bincount(graph.molecules, minlength=len(energies))
    return loss + energy_weight * relative_energy_loss(energies, graph.energies, sizes), loss
