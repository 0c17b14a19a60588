"""Units of several chains as tensors, one row a unit, and where each unit stands in its chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from polymd.conformations.polyconf.units import ChainUnits

__all__ = ["UnitBatch", "batch_units"]

_ROWS = ("features", "present", "pairs", "line", "plane", "quads", "moving", "turns", "free")


@dataclass(frozen=True)
class UnitBatch:
    """M units of B chains; A atoms and T turns with padding. See `units.ChainUnits` for the arrays."""

    features: Tensor  # (M, A, FEATURES)
    present: Tensor  # (M, A)
    pairs: Tensor  # (M, A, A)
    line: Tensor  # (M, 6)
    plane: Tensor  # (M,)
    quads: Tensor  # (M, T, 4)
    moving: Tensor  # (M, T, A)
    turns: Tensor  # (M, T)
    free: Tensor  # (M, T)
    chain: Tensor  # (M,)
    place: Tensor  # (M,) number of the unit in its chain

    def __len__(self) -> int:
        return len(self.chain)

    @property
    def shape(self) -> tuple[int, int]:
        """(B, U): chains, and units of the longest."""
        return int(self.chain.max()) + 1, int(self.place.max()) + 1

    def chains(self, rows: Tensor, shape: tuple[int, int]) -> Tensor:
        """Values (M, ...) of units as (B, U, ...), zero where a chain is shorter."""
        out = rows.new_zeros(*shape, *rows.shape[1:])
        out[self.chain, self.place] = rows
        return out

    def rows(self, chains: Tensor) -> Tensor:
        """Values (B, U, ...) as (M, ...)."""
        return chains[self.chain, self.place]

    def select(self, rows: Tensor) -> UnitBatch:
        """Some of the units; chains keep their numbers."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def to(self, device: torch.device) -> UnitBatch:
        """On a device."""
        return replace(self, **{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def batch_units(chains: Sequence[ChainUnits]) -> UnitBatch:
    """Join the units of chains."""
    rows: dict[str, Tensor] = {}
    for name in _ROWS:
        parts = [getattr(units, name) for units in chains]
        shape = tuple(np.max([part.shape[1:] for part in parts], axis=0).astype(int))
        stacked = np.zeros((sum(len(part) for part in parts), *shape), dtype=parts[0].dtype)
        start = 0
        for part in parts:
            stacked[(slice(start, start + len(part)), *(slice(size) for size in part.shape[1:]))] = part
            start += len(part)
        rows[name] = torch.from_numpy(stacked)
    sizes = [len(units.plane) for units in chains]
    return UnitBatch(
        **rows,
        chain=torch.repeat_interleave(torch.arange(len(chains)), torch.tensor(sizes)),
        place=torch.cat([torch.arange(size) for size in sizes]),
    )
