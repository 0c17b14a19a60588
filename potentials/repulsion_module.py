"""The repulsion of `repulsion.py` as a torch module, for autograd and TorchScript."""

import torch
from torch import Tensor, nn

from polymd.potentials.repulsion import (
    COULOMB,
    DECAYS,
    HYDROGEN_REACH,
    HYDROGEN_WALL,
    RADII,
    SCREENING,
    WEIGHTS,
)


class ZBL(nn.Module):
    """Energy of pairs: atomic numbers z_i, z_j (P,) and distances d (P,) Å -> (P,) eV; TorchScript."""

    radii: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.coulomb, self.screening = COULOMB, SCREENING
        self.weights, self.decays = list(WEIGHTS), list(DECAYS)
        self.hydrogen_reach, self.hydrogen_wall = HYDROGEN_REACH, HYDROGEN_WALL
        self.register_buffer("radii", torch.tensor(RADII), persistent=False)

    def forward(self, z_i: Tensor, z_j: Tensor, d: Tensor) -> Tensor:
        reach = (self.radii.index_select(0, z_i) + self.radii.index_select(0, z_j)).to(d.dtype)
        x = torch.clamp(d / reach, max=1.0)
        phi = 1.0 + x * x * x * (-10.0 + x * (15.0 - 6.0 * x))
        zi, zj = z_i.to(d.dtype), z_j.to(d.dtype)
        s = d * (torch.pow(zi, 0.23) + torch.pow(zj, 0.23)) / self.screening
        screen = torch.zeros_like(d)
        for weight, decay in zip(self.weights, self.decays):  # noqa: B905  (TorchScript)
            screen = screen + weight * torch.exp(-decay * s)
        y = torch.clamp(1.0 - d / self.hydrogen_reach, min=0.0)
        wall = self.hydrogen_wall * y * y * y * ((z_i == 1) & (z_j == 1)).to(d.dtype)
        return wall + self.coulomb * zi * zj / d * screen * phi
