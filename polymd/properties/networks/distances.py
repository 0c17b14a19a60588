"""Gaussian kernels of distances, shifted and scaled by the elements of a pair."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from polymd.properties.networks.elements import N_ELEMENTS

__all__ = ["PairBias", "PairKernels", "pair_distances"]

_REACH = 12.0  # Å, centre of the last kernel at the start
_LEAST_WIDTH = 0.01  # Å
_LEAST_EXPONENT = -50.0  # below it float32 becomes subnormal, which is slow


class PairKernels(nn.Module):
    r"""Encodes distances of atom pairs with K Gaussians (Zhou et al., Uni-Mol, ICLR 2023, section 2.1):

        ψ_k(i, j) = exp(-(a_t d_ij + b_t - μ_k)² / 2σ_k²) / √(2π) σ_k

    | symbol       | in the code                                    |
    |--------------|------------------------------------------------|
    | t, a_t, b_t  | unordered pair of elements, `scale`, `shift`   |
    | μ_k, σ_k     | `centres`, `widths`, Å                         |
    | d_ij         | `distances`, Å                                 |
    """

    def __init__(self, kernels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(N_ELEMENTS * N_ELEMENTS))
        self.shift = nn.Parameter(torch.zeros(N_ELEMENTS * N_ELEMENTS))
        self.centres = nn.Parameter(torch.linspace(0.0, _REACH, kernels))
        self.widths = nn.Parameter(torch.full((kernels,), _REACH / kernels))

    def forward(self, distances: Tensor, elements: Tensor, others: Tensor) -> Tensor:
        """Distances (B, N, M) between categories (B, N) and (B, M) to (B, N, M, K)."""
        one, other = elements[:, :, None], others[:, None, :]
        kind = torch.minimum(one, other) * N_ELEMENTS + torch.maximum(one, other)
        moved = self.scale[kind] * distances + self.shift[kind]
        width = self.widths.abs() + _LEAST_WIDTH
        exponents = -0.5 * ((moved[..., None] - self.centres) / width) ** 2
        encoded: Tensor = exponents.clamp_min(_LEAST_EXPONENT).exp()
        return encoded / (math.sqrt(2.0 * math.pi) * width)


class PairBias(nn.Sequential):
    """Encoded distances (..., K) to a bias of attention a head (..., heads), of order 1 from the start."""

    def __init__(self, kernels: int, heads: int) -> None:
        first, last = nn.Linear(kernels, kernels), nn.Linear(kernels, heads)
        nn.init.normal_(first.weight, std=0.5)
        nn.init.normal_(last.weight, std=2.0 / math.sqrt(kernels))
        super().__init__(first, nn.GELU(), last)


def pair_distances(positions: Tensor, others: Tensor) -> Tensor:
    """Distances (B, N, M) between (B, N, 3) and (B, M, 3)."""
    squares = (positions[:, :, None] - others[:, None]).square().sum(dim=-1)
    return (squares + 1e-12).sqrt()
