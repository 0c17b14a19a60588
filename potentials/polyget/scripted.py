"""The TorchScript module inside a TorchForce: positions in nm to the energy in kJ/mol and forces."""

import torch
from torch import Tensor, nn

import polymd.neighbors.torch_op
import polymd.potentials.polyget.torch_op  # noqa: F401  (both register operators)
from polymd.potentials.polyget.model import PolyGET
from polymd.units import EV_KJ_MOL


class OpenMMModule(nn.Module):
    """forward(positions (N, 3) nm[, boxvectors (3, 3) nm]) -> energy (), kJ/mol, forces (N, 3), kJ/mol/nm.

    On the CPU the fast engine evaluates the model of this `name`; elsewhere `model` is differentiated.
    `numbers` are the atomic numbers of the particles `atoms`, all in order if None.
    """

    atoms: Tensor
    numbers: Tensor
    pbc: Tensor

    def __init__(
        self, model: PolyGET, name: str, numbers: list[int], periodic: bool, atoms: list[int] | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.kj_mol = EV_KJ_MOL
        atoms = list(range(len(numbers))) if atoms is None else atoms
        self.register_buffer("atoms", torch.tensor(atoms, dtype=torch.long))
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.long))
        self.register_buffer("pbc", torch.full((3,), periodic))

    def forward(self, positions: Tensor, boxvectors: Tensor | None = None) -> tuple[Tensor, Tensor]:
        x = positions.index_select(0, self.atoms) * 10.0
        cell = torch.zeros(3, 3, dtype=x.dtype, device=x.device)
        if boxvectors is not None:
            cell = boxvectors.to(x.dtype) * 10.0
        if x.is_cpu:
            energy, forces = torch.ops.polymd.polyget(x, cell, self.numbers, self.pbc, self.name)
        else:
            energy, forces = self.differentiate(x, cell)
        all_forces = torch.zeros_like(positions)
        all_forces.index_copy_(0, self.atoms, (forces * (10.0 * self.kj_mol)).to(positions.dtype))
        return energy * self.kj_mol, all_forces

    def differentiate(self, x: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """Energy () eV and forces (N, 3) eV/Å of the torch module; positions and cell in Å."""
        x = x.detach().requires_grad_(True)
        edge_index, shifts = torch.ops.polymd.neighbor_pairs(x, cell, self.pbc, self.model.cutoff)
        vectors = x.index_select(0, edge_index[1]) - x.index_select(0, edge_index[0]) + shifts @ cell
        energy = self.model(self.numbers, vectors, edge_index).sum()
        gradient = torch.autograd.grad([energy], [x])[0]
        assert gradient is not None
        return energy.detach(), -gradient
