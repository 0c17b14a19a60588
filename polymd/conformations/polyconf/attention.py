"""Transformer layers with a bias on pairs, which is how geometry and order along the chain come in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Block", "PlaceBias", "blocked", "wave_features"]

_REACH = 16
"""Units farther apart along the chain than this are all as far."""


class Block(nn.Module):
    """x <- x + attention(norm x) + bias; x <- x + V gelu(W norm x). Pre-norm, after Xiong et al. 2020."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(nn.Linear(width, 3 * width), nn.GELU(), nn.Linear(3 * width, width))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x (B, N, width), bias (B, heads, N, N), added to the logits."""
        batch, n, width = x.shape
        qkv = self.qkv(self.norm(x)).reshape(batch, n, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self.out(seen.transpose(1, 2).reshape(batch, n, width))
        return x + self.feed(self.feed_norm(x))  # type: ignore[no-any-return]


def blocked(bias: Tensor, seen: Tensor) -> Tensor:
    """`bias` (B, heads, N, N) with what is not `seen` (B, N) shut out."""
    return bias.masked_fill(~seen[:, None, None, :], -1e9)


class PlaceBias(nn.Module):
    """A learned bias for the signed distance along the chain, the same wherever in the chain: any length.

    T5's relative bias (C. Raffel et al., J. Mach. Learn. Res. 21, 140 (2020)), without buckets, up to
    16 units.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.zeros(heads, 2 * _REACH + 1))

    def forward(self, places: Tensor) -> Tensor:
        """(heads, N, N) of places (N,) along the chain."""
        apart = (places[None, :] - places[:, None]).round().long().clamp(-_REACH, _REACH) + _REACH
        return self.table[:, apart]


def wave_features(x: Tensor, count: int, fastest: float) -> Tensor:
    """Sines and cosines (..., 2 count) of x (...) with frequencies from 0.5 up to `fastest`."""
    steps = torch.linspace(0.0, 1.0, count, device=x.device, dtype=x.dtype)
    phase = x[..., None] * 0.5 * (2.0 * fastest) ** steps
    return torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1)
