"""Phase 1's transformer: masked autoregression over the units of a chain in random order.

PolyConf, section 3.2, after T. Li et al., Autoregressive image generation without vector quantization,
NeurIPS 2024: the encoder sees the units known so far and some buffer tokens, the decoder adds mask tokens
for the others, and its outputs z are what the torsions of unknown units are drawn from (`torsion_diffusion`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from polymd.conformations.polyconf.attention import Block, PlaceBias, blocked

__all__ = ["MaskedAutoregression", "Tokens", "masked_shares", "reveal_order"]

UNITS_A_BUFFER = 4
MOST_STEPS = 64


@dataclass(frozen=True)
class Tokens:
    """Units of B chains of up to U units.

    shapes and conditions (B, U, width) are `UnitEncoder`'s, present (B, U) says which units there are,
    known (B, U) of which the shape is known.
    """

    shapes: Tensor
    conditions: Tensor
    present: Tensor
    known: Tensor


class MaskedAutoregression(nn.Module):
    """MAR encoder and decoder; z (B, U, width) of all units, and what the encoder made of known ones."""

    def __init__(self, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.buffer = nn.Parameter(0.02 * torch.randn(width))
        self.mask = nn.Parameter(0.02 * torch.randn(width))
        self.encoder_bias, self.decoder_bias = PlaceBias(heads), PlaceBias(heads)
        self.encoder = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.decoder = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)

    def encode(self, tokens: Tokens) -> tuple[Tensor, Tensor, Tensor]:
        """Encoder outputs (B, U + buffers, width), places (U + buffers,), and which are sound.

        A quarter as many buffers as units, spread along the chain; they carry the mean condition.
        """
        n_units = tokens.present.shape[1]
        device = tokens.shapes.device
        n_buffers = -(-n_units // UNITS_A_BUFFER)
        between = UNITS_A_BUFFER * torch.arange(n_buffers, device=device) + 0.5 * (UNITS_A_BUFFER - 1)
        places = torch.cat([torch.arange(n_units, device=device), between])
        weight = tokens.present[..., None].to(tokens.shapes.dtype)
        mean = (tokens.conditions * weight).sum(1, keepdim=True) / weight.sum(1, keepdim=True)
        buffers = (self.buffer + mean).expand(-1, n_buffers, -1)
        there = between[None] <= tokens.present.sum(1, keepdim=True) + 1
        x = torch.cat([tokens.shapes + tokens.conditions, buffers], dim=1)
        sound = torch.cat([tokens.known & tokens.present, there], dim=1)
        bias = blocked(self.encoder_bias(places)[None].expand(len(x), -1, -1, -1), sound)
        for block in self.encoder:
            x = block(x, bias)
        return self.encoder_norm(x), places, sound

    def forward(self, tokens: Tokens) -> Tensor:
        """z (B, U, width), from the known units."""
        x, places, sound = self.encode(tokens)
        n_units = tokens.present.shape[1]
        masked = self.mask + tokens.conditions
        known = (tokens.known & tokens.present)[..., None]
        x = torch.cat([torch.where(known, x[:, :n_units], masked), x[:, n_units:]], dim=1)
        sound = torch.cat([tokens.present, sound[:, n_units:]], dim=1)
        bias = blocked(self.decoder_bias(places)[None].expand(len(x), -1, -1, -1), sound)
        for block in self.decoder:
            x = block(x, bias)
        return self.decoder_norm(x[:, :n_units])  # type: ignore[no-any-return]


def masked_shares(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Shares (count,) of units to mask in training: normal, mean 1 and width 0.35, cut to 0.1 to 1.

    The paper's width is 0.25 and its least share 0.7; with few units in a chain that shows hardly any
    neighbour, and neighbours are what an unknown unit depends on.
    """
    found = np.empty(0)
    while len(found) < count:
        drawn = rng.normal(1.0, 0.35, size=4 * count)
        found = np.concatenate([found, drawn[(drawn >= 0.1) & (drawn <= 1.0)]])
    return found[:count]


def reveal_order(
    n_units: int, rng: np.random.Generator, *, order: str = "random", steps: int | None = None
) -> list[NDArray[np.int64]]:
    """The units that each step of sampling settles.

    After step k of K = min(64, n_units), floor(n_units cos(pi k / 2 K)) units are still unknown (H. Chang
    et al., MaskGIT, CVPR 2022), and each step settles one at least. `order` is "random" or "sequential",
    from head to tail.
    """
    if order not in ("random", "sequential"):
        raise ValueError(f"unknown order {order!r}; allowed: random, sequential; fix: use 'random'")
    steps = min(steps or MOST_STEPS, n_units)
    units = rng.permutation(n_units) if order == "random" else np.arange(n_units)
    left = [math.floor(n_units * math.cos(0.5 * math.pi * k / steps)) for k in range(steps + 1)]
    for k in range(1, steps + 1):
        left[k] = min(left[k], left[k - 1] - 1)
        left[k] = max(left[k], steps - k) if k < steps else 0
    done = [n_units - count for count in left]
    return [units[done[k] : done[k + 1]].astype(np.int64) for k in range(steps)]
