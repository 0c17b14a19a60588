"""The TorchScript module inside a TorchForce: positions in nm to the energy in kJ/mol."""

import torch
from torch import Tensor, nn

import polymd.neighbors.torch_op  # noqa: F401  (registers polymd::neighbor_pairs)
from polymd.potentials.polyget.model import PolyGET
from polymd.units import EV_KJ_MOL


class OpenMMModule(nn.Module):
    """forward(positions (N, 3) nm[, boxvectors (3, 3) nm]) -> energy, kJ/mol.

    `numbers` are the atomic numbers of the particles `atoms`, all in order if None.
    """

    atoms: Tensor
    numbers: Tensor
    pbc: Tensor

    def __init__(
        self, model: PolyGET, numbers: list[int], periodic: bool, atoms: list[int] | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.kj_mol = EV_KJ_MOL
        atoms = list(range(len(numbers))) if atoms is None else atoms
        self.register_buffer("atoms", torch.tensor(atoms, dtype=torch.long))
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.long))
        self.register_buffer("pbc", torch.full((3,), periodic))

    def forward(self, positions: Tensor, boxvectors: Tensor | None = None) -> Tensor:
        x = positions.index_select(0, self.atoms) * 10.0
        cell = torch.zeros(3, 3, dtype=x.dtype, device=x.device)
        if boxvectors is not None:
            cell = boxvectors.to(x.dtype) * 10.0
        edge_index, shifts = torch.ops.polymd.neighbor_pairs(x, cell, self.pbc, self.model.cutoff)
        vectors = x.index_select(0, edge_index[1]) - x.index_select(0, edge_index[0]) + shifts @ cell
        energies: Tensor = self.model(self.numbers, vectors, edge_index)
        return energies.sum() * self.kj_mol
