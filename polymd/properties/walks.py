"""Walks on the graph of an infinite chain from the atoms of one unit: shells of neighbours, paths of four."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = ["four_atom_paths", "shells"]


@numba.njit(cache=True, nogil=True)
def shells(starts: Integers, others: Integers, images: Integers, longest: int) -> Integers:
    """All atoms within `longest` bonds of each atom of the unit.

    Parameters
    ----------
    starts, others, images
        (A + 1,), (E,), (E,): bonds of atom i, at starts[i] : starts[i + 1], lead to `others` in `images`.
    longest
        Bonds, 1 or more.

    Returns
    -------
    array (P, 4)
        Atom of the unit, other atom, its unit, bonds between them; by atom and then by distance.
    """
    size, width = len(starts) - 1, 2 * longest + 1
    rows = np.empty((64 * size, 4), dtype=np.int64)
    count = 0
    seen = np.full(size * width, -1, dtype=np.int64)
    queue = np.empty(size * width, dtype=np.int64)
    for i in range(size):
        place = i * width + longest
        seen[place], queue[0] = i, place
        begin, end = 0, 1
        for distance in range(1, longest + 1):
            last = end
            for position in range(begin, last):
                j, unit = queue[position] // width, queue[position] % width - longest
                for bond in range(starts[j], starts[j + 1]):
                    other, there = others[bond], unit + images[bond]
                    place = other * width + there + longest
                    if seen[place] == i:
                        continue
                    seen[place], queue[end] = i, place
                    end += 1
                    if count == len(rows):
                        rows = np.concatenate((rows, np.empty_like(rows)))
                    rows[count, 0], rows[count, 1] = i, other
                    rows[count, 2], rows[count, 3] = there, distance
                    count += 1
            begin = last
    return rows[:count]


@numba.njit(cache=True, nogil=True)
def four_atom_paths(starts: Integers, others: Integers, images: Integers) -> Integers:
    """Paths of four atoms, (Q, 4), ends apart; each stands twice, once from either end.

    A path belongs to the unit of its second atom. Parameters as those of `shells`.
    """
    count = 0
    for j in range(len(starts) - 1):
        for middle in range(starts[j], starts[j + 1]):
            k = others[middle]
            count += (starts[j + 1] - starts[j]) * (starts[k + 1] - starts[k])
    rows = np.empty((count, 4), dtype=np.int64)
    count = 0
    for j in range(len(starts) - 1):
        for middle in range(starts[j], starts[j + 1]):
            k, image = others[middle], images[middle]
            for first in range(starts[j], starts[j + 1]):
                i, unit = others[first], images[first]
                if i == k and unit == image:
                    continue
                for last in range(starts[k], starts[k + 1]):
                    m, there = others[last], image + images[last]
                    if (m == j and there == 0) or (m == i and there == unit):
                        continue
                    rows[count, 0], rows[count, 1], rows[count, 2], rows[count, 3] = i, j, k, m
                    count += 1
    return rows[:count]
