"""Attention with a bias for every pair, as in Uni-Mol; without a bias it is that of any transformer."""

from __future__ import annotations

import math

from torch import Tensor, nn

__all__ = ["PairAttention"]

_HIDDEN = -1e9  # logit of a filling


class PairAttention(nn.Module):
    r"""A layer of self-attention and a feed-forward part, each added to its normalised input.

    With q, k, v linear in the normalised input, d channels a head and p_ij the bias of a pair,

        l_ij = q_i · k_j / √d + p_ij,   x_i ← x_i + W Σ_j softmax_j(l_ij) v_j,   x_i ← x_i + feed(x_i)

    The logits l are returned: taken as the next layer's p, they are the pair representation that Uni-Mol
    updates (Zhou et al., ICLR 2023, equation 3).

    | symbol  | in the code                          |
    |---------|--------------------------------------|
    | x       | `tokens`, (B, N, channels)           |
    | p       | `bias`, (B, heads, N, N) or None     |
    | l       | `logits`, (B, heads, N, N)           |
    """

    def __init__(self, channels: int, heads: int, widening: int, dropout: float) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(
                f"{heads} heads do not divide {channels} channels; allowed: a divisor; fix: 8 heads of 192"
            )
        self.heads = heads
        self.before = nn.LayerNorm(channels)
        self.mixed = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.feed = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, widening * channels),
            nn.GELU(),
            nn.Linear(widening * channels, channels),
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, real: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, channels) and logits; `real` (B, N) is false for fillings, which nobody hears."""
        size, length, width = tokens.shape
        parts = self.mixed(self.before(tokens)).view(size, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        logits = (query / math.sqrt(width // self.heads)) @ key.transpose(-1, -2)
        if bias is not None:
            logits = logits + bias
        weights = logits.masked_fill(~real[:, None, None, :], _HIDDEN).softmax(dim=-1)
        heard = (weights @ value).transpose(1, 2).reshape(size, length, width)
        tokens = tokens + self.drop(self.out(heard))
        return tokens + self.drop(self.feed(tokens)), logits
