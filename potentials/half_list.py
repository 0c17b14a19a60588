"""Pairs within a potential's cutoff, each once, in an order that is a function of the positions alone.

Energies and forces are sums in float32. With such an order they are the same to the last bit however old
the Verlet list is, and a resumed run is the uninterrupted one. From `SORTED_ATOMS` on the pairs also follow a
curve through space, so that what one pair has brought into the cache serves the next ones.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.neighbors import VerletList

SKIN = 1.0
SORTED_ATOMS = 2000
CUBE = 5.0
Float = NDArray[np.float64]


@numba.njit(nogil=True, cache=True)
def _half_list(positions, shift_vectors, indptr, neighbors, order, cutoff):  # type: ignore[no-untyped-def]
    """Pairs (P, 2) and vectors (P, 3) of each pair once, closer than the cutoff: first atoms in the order
    given, second atoms ascending, images of one pair by their vector.
    """
    pairs = np.empty((len(neighbors) // 2, 2), np.int32)
    vectors = np.empty((len(neighbors) // 2, 3), np.float32)
    count = 0
    for i in order:
        first = count
        for e in range(indptr[i], indptr[i + 1]):
            j = neighbors[e]
            if j < i:
                continue
            x = positions[j, 0] - positions[i, 0] + shift_vectors[e, 0]
            y = positions[j, 1] - positions[i, 1] + shift_vectors[e, 1]
            z = positions[j, 2] - positions[i, 2] + shift_vectors[e, 2]
            if x * x + y * y + z * z >= cutoff * cutoff:
                continue
            if j == i and not (x > 0 or (x == 0 and (y > 0 or (y == 0 and z > 0)))):
                continue
            k = count
            while k > first and pairs[k - 1, 1] >= j:
                if pairs[k - 1, 1] == j and vectors[k - 1, 0] <= x:
                    break
                pairs[k] = pairs[k - 1]
                vectors[k] = vectors[k - 1]
                k -= 1
            pairs[k, 0], pairs[k, 1] = i, j
            vectors[k, 0], vectors[k, 1], vectors[k, 2] = x, y, z
            count += 1
    return pairs[:count], vectors[:count]


@numba.njit(nogil=True, cache=True)
def pair_forces(n, pairs, gradient):  # type: ignore[no-untyped-def]
    """Forces (n, 3) of the gradient (P, 3) by the vectors of a half list (P, 2)."""
    forces = np.zeros((n, 3))
    for p in range(len(pairs)):
        for axis in range(3):
            forces[pairs[p, 0], axis] += gradient[p, axis]
            forces[pairs[p, 1], axis] -= gradient[p, axis]
    return forces


def spatial_order(positions: Float, cell: Float, pbc: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Atoms along a Z-order curve through cubes of `CUBE` Å, (N,); atoms of one cube in their own order."""
    x = positions
    if np.all(pbc):
        x = x - np.floor(x @ np.linalg.inv(cell)) @ cell
    cubes = np.floor(x / CUBE).astype(np.int64) & 1023
    code = np.zeros(len(x), np.int64)
    for bit in range(10):
        code |= ((cubes >> bit & 1) << np.array([3 * bit + 2, 3 * bit + 1, 3 * bit])).sum(axis=1)
    return np.argsort(code, kind="stable")


class HalfList:
    """Pairs closer than a cutoff, each once, from a Verlet list.

    `batch` (N,) gives the molecule of each atom; atoms of different molecules are never a pair.
    """

    def __init__(self, cutoff: float, batch: ArrayLike | None = None) -> None:
        self.cutoff = cutoff
        self.list = VerletList(cutoff, SKIN, batch)
        self._shifts: tuple[Any, Float] | None = None

    def update(
        self, positions: Float, cell: Float, pbc: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Pairs (P, 2) and their vectors r_j - r_i (P, 3) in Å; one cell (3, 3) for all molecules."""
        positions = np.ascontiguousarray(positions, dtype=np.float64)
        csr = self.list.update(positions, cell, pbc)
        if self._shifts is None or self._shifts[0] is not csr:
            periodic = np.where(np.asarray(pbc)[:, None], np.asarray(cell, dtype=np.float64), 0.0)
            self._shifts = csr, np.asarray(csr.shifts @ periodic, dtype=np.float64)
        order = np.arange(len(positions))
        if len(positions) >= SORTED_ATOMS:
            order = spatial_order(positions, np.asarray(cell, dtype=np.float64), pbc)
        pairs, vectors = _half_list(positions, self._shifts[1], csr.indptr, csr.neighbors, order, self.cutoff)
        return pairs, vectors


@numba.njit(nogil=True, cache=True)
def molecule_pairs(
    positions: NDArray[np.float32], pointers: NDArray[np.int64], cutoff: float
) -> NDArray[np.int32]:
    """Half list (P, 2) of pairs closer than cutoff within each molecule pointers[m] : pointers[m + 1]."""
    room = 0
    for m in range(len(pointers) - 1):
        n = pointers[m + 1] - pointers[m]
        room += n * (n - 1) // 2
    pairs = np.empty((room, 2), np.int32)
    count = 0
    for m in range(len(pointers) - 1):
        for i in range(pointers[m], pointers[m + 1]):
            for j in range(i + 1, pointers[m + 1]):
                r2 = 0.0
                for axis in range(3):
                    r2 += (positions[j, axis] - positions[i, axis]) ** 2
                if r2 < cutoff * cutoff:
                    pairs[count, 0], pairs[count, 1] = i, j
                    count += 1
    return pairs[:count].copy()
