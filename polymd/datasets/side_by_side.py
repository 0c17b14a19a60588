"""Molecules in vacuum as one system without contacts, for one call of the fast engine."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class SideBySide(NamedTuple):
    """Atomic numbers (A,), half list of pairs (P, 2) within the cutoff, their vectors r_j - r_i (P, 3) Å;
    molecule m has the atoms pointers[m] : pointers[m + 1].
    """

    numbers: NDArray[np.int64]
    pairs: NDArray[np.int32]
    vectors: NDArray[np.float32]
    pointers: NDArray[np.int64]


def side_by_side(molecules: Sequence[tuple[NDArray[Any], NDArray[Any]]], cutoff: float) -> SideBySide:
    """Molecules given as atomic numbers (N,) and positions (N, 3) Å; the cutoff in Å."""
    from polymd.potentials.half_list import molecule_pairs

    pointers = np.cumsum([0, *(len(numbers) for numbers, _ in molecules)]).astype(np.int64)
    numbers = np.concatenate([numbers for numbers, _ in molecules]).astype(np.int64)
    positions = np.concatenate([x - np.mean(x, axis=0) for _, x in molecules]).astype(np.float32)
    pairs = molecule_pairs(positions, pointers, cutoff)
    return SideBySide(numbers, pairs, positions[pairs[:, 1]] - positions[pairs[:, 0]], pointers)
