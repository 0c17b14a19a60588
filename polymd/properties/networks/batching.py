"""Batches of units of similar size, so that little is filled up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["batches_of_similar_size", "in_order_of_size"]

_WINDOW = 16  # batches that are sorted by size together
_UNTRAINED = 32  # units of a batch that is only predicted; of more, pairs of atoms do not stay in the cache


def batches_of_similar_size(
    sizes: NDArray[np.int64], batch: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Random batches of all indices of `sizes` (N,), each index once."""
    order = rng.permutation(len(sizes))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), _WINDOW * batch):
        window = order[start : start + _WINDOW * batch]
        batches += _split(window[np.argsort(sizes[window], kind="stable")], batch)
    return [batches[i] for i in rng.permutation(len(batches))]


def in_order_of_size(sizes: NDArray[np.int64], batch: int = _UNTRAINED) -> list[NDArray[np.int64]]:
    """Batches of all indices from small to large."""
    return _split(np.argsort(sizes, kind="stable"), batch)


def _split(indices: NDArray[np.int64], batch: int) -> list[NDArray[np.int64]]:
    return [indices[start : start + batch] for start in range(0, len(indices), batch)]
