"""Heads of the two-channel encoder that are used in pre-training only."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from polymd.properties.mips.graphs import ATOM_SIZES, n_categories

__all__ = ["Decoders"]

_PAIR_CHANNELS = 32


class Decoders(nn.Module):
    """What is told of atoms, of pairs of atoms, and their views in the other channel."""

    def __init__(self, width: int, threshold: int, taught: int) -> None:
        super().__init__()
        self.kinds = nn.ModuleDict({name: nn.Linear(width, n) for name, n in ATOM_SIZES.items()})
        self.distance = PairDecoder(width, 1)
        self.path = PairDecoder(width, n_categories(threshold) + 1)  # the last one: farther
        self.views = nn.ModuleDict(
            {f"{scale}_{side}": nn.Linear(width, width) for scale in ("atom", "all") for side in ("2d", "3d")}
        )
        if taught:
            self.taught = nn.ModuleDict({side: nn.Linear(width, taught) for side in ("2d", "3d")})


class PairDecoder(nn.Module):
    """What two atoms say of their pair, the same both ways."""

    def __init__(self, channels: int, outputs: int) -> None:
        super().__init__()
        self.atom = nn.Linear(channels, _PAIR_CHANNELS)
        self.pair = nn.Linear(_PAIR_CHANNELS, outputs)

    def forward(self, atoms: Tensor) -> Tensor:
        """(B, N, channels) to (B, N, N, outputs)."""
        one = self.atom(atoms)
        told: Tensor = self.pair(functional.gelu(one[:, :, None] + one[:, None]))
        return told
