"""Around each cell, runs of atoms that lie side by side and share one lattice shift.

Cells are numbered along rows, so the atoms of neighbouring cells of a row make one run.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.neighbors._jit import njit
from polymd.neighbors.grid import Float, Grid, find_cell


class Shifts(NamedTuple):
    """All lattice shifts that may occur; those of molecule b, in ascending order, from first[b] on."""

    first: NDArray[np.int64]  # (B,)
    steps: NDArray[np.int32]  # (T, 3) lattice vectors
    vectors: NDArray[Float]  # (T, 3) in Å


class Runs(NamedTuple):
    """K runs of atoms around one cell, by rank; those that begin at the same rank by shift."""

    bounds: NDArray[np.int64]  # (K, 2) first rank, and that after the last
    labels: NDArray[np.int64]  # (K,) shift, as numbered in `Shifts`
    own: int  # number of the run with the cell itself
    overlap: bool  # whether an atom is in several runs: in a small box


@njit
def all_shifts(grid: Grid) -> Shifts:
    """Shifts by up to `reach` lattice vectors along periodic directions."""
    count = grid.shape.shape[0]
    first = np.empty(count, np.int64)
    size = 0
    for b in range(count):
        first[b] = size
        most = 1
        for d in range(3):
            most *= 2 * grid.reach[b, d] * grid.pbc[d] + 1
        size += most
    steps, vectors = np.empty((size, 3), np.int32), np.empty((size, 3), grid.x.dtype)
    for b in range(count):
        rx, ry, rz = grid.reach[b] * grid.pbc
        lattice, t = grid.lattice[b], first[b]
        for sx in range(-rx, rx + 1):
            for sy in range(-ry, ry + 1):
                for sz in range(-rz, rz + 1):
                    steps[t, 0], steps[t, 1], steps[t, 2] = sx, sy, sz
                    for d in range(3):
                        vectors[t, d] = sx * lattice[0, d] + sy * lattice[1, d] + sz * lattice[2, d]
                    t += 1
    return Shifts(first, steps, vectors)


@njit
def runs_around(grid: Grid, shifts: Shifts, cell: int) -> Runs:
    """Runs of the occupied cells within reach of a cell."""
    b = grid.molecule[cell]
    shape, reach = grid.shape[b], grid.reach[b]
    wide = 2 * reach * grid.pbc + 1
    zero = shifts.first[b] + wide[0] * wide[1] * wide[2] // 2
    most = (2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1)
    bounds, labels = np.empty((most, 2), np.int64), np.empty(most, np.int64)
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for d in range(3):
        low[d] = grid.coordinates[cell, d] - reach[d]
        high[d] = grid.coordinates[cell, d] + reach[d] + 1
        if not grid.pbc[d]:
            low[d], high[d] = max(low[d], 0), min(high[d], shape[d])
    found = 0
    for cx in range(low[0], high[0]):
        sx = cx // shape[0]
        for cy in range(low[1], high[1]):
            sy = cy // shape[1]
            for cz in range(low[2], high[2]):
                sz = cz // shape[2]
                other = find_cell(grid, b, cx - sx * shape[0], cy - sy * shape[1], cz - sz * shape[2])
                if other < 0:
                    continue
                label = zero + (sx * wide[1] + sy) * wide[2] + sz
                begin, end = grid.start[other], grid.start[other + 1]
                if found and labels[found - 1] == label and bounds[found - 1, 1] == begin:
                    bounds[found - 1, 1] = end
                    continue
                bounds[found, 0], bounds[found, 1], labels[found] = begin, end, label
                found += 1
    bounds, labels = bounds[:found], labels[:found]
    overlap = _sort_runs(bounds, labels)
    own = 0
    for k in range(found):
        if labels[k] == zero and bounds[k, 0] <= grid.start[cell] < bounds[k, 1]:
            own = k
    return Runs(bounds, labels, own, overlap)


@njit
def _sort_runs(bounds: NDArray[np.int64], labels: NDArray[np.int64]) -> bool:
    """Sort runs by their first rank, in place, else as they are; whether any overlap."""
    overlap = False
    for k in range(1, bounds.shape[0]):
        begin, end, label = bounds[k, 0], bounds[k, 1], labels[k]
        m = k
        while m > 0 and bounds[m - 1, 0] > begin:
            bounds[m, 0], bounds[m, 1], labels[m] = bounds[m - 1, 0], bounds[m - 1, 1], labels[m - 1]
            m -= 1
        bounds[m, 0], bounds[m, 1], labels[m] = begin, end, label
    for k in range(1, bounds.shape[0]):
        overlap |= bounds[k, 0] < bounds[k - 1, 1]
    return overlap
