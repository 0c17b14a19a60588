"""Contrast between two views of the same things."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["info_nce"]


def info_nce(one: Tensor, other: Tensor, temperature: float = 0.1) -> Tensor:
    r"""InfoNCE of N pairs of vectors (N, D), the mean of both directions (van den Oord et al., 2018, eq. 4):

        L = -1/N Σ_i log exp(s_ii / τ) / Σ_j exp(s_ij / τ),   s_ij: cosine of one_i and other_j

    Chance is log N.
    """
    cosines = functional.normalize(one, dim=-1) @ functional.normalize(other, dim=-1).T / temperature
    own = torch.arange(len(cosines), device=cosines.device)
    return 0.5 * (functional.cross_entropy(cosines, own) + functional.cross_entropy(cosines.T, own))
