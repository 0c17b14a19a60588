"""Noise on coordinates, and a head that says where atoms were before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Displacements", "displaced", "position_loss"]


class Displacements(nn.Module):
    r"""Displacements of atoms from pair representations (Zhou et al., Uni-Mol, ICLR 2023, equation 4):

        x̂_i = x_i + Σ_j w(p_ij) (x_i - x_j) / N

    They turn with the molecule and do not change when it is moved.

    | symbol | in the code                                                |
    |--------|------------------------------------------------------------|
    | p_ij   | `pairs`, (B, heads, N, M): last minus first representation |
    | x, x̂   | `positions` (B, N, 3), what is returned, Å                 |
    | x_j    | `others` (B, M, 3); `weights` (B, M) 0 for fillings        |
    | w      | `weight`, one number a pair                                |
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.weight = nn.Sequential(nn.Linear(heads, heads), nn.GELU(), nn.Linear(heads, 1))

    def forward(self, pairs: Tensor, positions: Tensor, others: Tensor, real: Tensor) -> Tensor:
        """Positions (B, N, 3) without their noise; `real` (B, M) is false for fillings."""
        weights = self.weight(pairs.permute(0, 2, 3, 1)).squeeze(-1) * real[:, None, :]
        arrows = positions[:, :, None] - others[:, None]
        moved: Tensor = (weights[..., None] * arrows).sum(dim=2) / real.sum(dim=1).clamp_min(1)[:, None, None]
        return positions + moved


def displaced(positions: Tensor, chosen: Tensor, reach: float, rng: np.random.Generator) -> Tensor:
    """Positions (B, N, 3), those `chosen` (B, N) with uniform noise of ± `reach` Å on each axis."""
    noise: NDArray[np.float32] = rng.uniform(-reach, reach, tuple(positions.shape)).astype(np.float32)
    return positions + torch.from_numpy(noise).to(positions) * chosen[..., None]


def position_loss(found: Tensor, true: Tensor, chosen: Tensor) -> Tensor:
    """Mean smooth L1 distance (1 Å), over the axes of the chosen atoms; 0 where there are none."""
    if not bool(chosen.any()):
        return found.sum() * 0.0
    return functional.smooth_l1_loss(found[chosen], true[chosen])
