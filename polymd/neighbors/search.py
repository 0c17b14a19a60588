"""The search: the runs of atoms around each cell are tested against each atom of the cell.

Each pair is tested from both sides. It passes or fails from both, because (x_j - x_i) + S and
(x_i - x_j) - S are exact negatives of each other in floating point.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.neighbors._jit import njit
from polymd.neighbors.grid import Float, Grid
from polymd.neighbors.picking import LANES, pick_close
from polymd.neighbors.runs import Runs, Shifts, runs_around

ROOM = 64
"""Neighbours an atom for which memory is taken at first."""


class Found(NamedTuple):
    """The neighbours of some atoms: by rank, images of one atom by shift."""

    ranks: NDArray[np.uint32]
    labels: NDArray[np.uint32]  # shift, as numbered in `Shifts`


class Rows(NamedTuple):
    """What the search says of each atom."""

    rank: NDArray[np.int64]  # (N,)
    size: NDArray[np.int64]  # (N,) number of neighbours
    begin: NDArray[np.int64]  # (N,) place of the first of them in `Found`


class Pairs(NamedTuple):
    """Arrays to fill, one entry an edge; `first`, `vectors`, `distances` have length 0 where not wanted."""

    first: NDArray[np.int32]  # (E,)
    neighbors: NDArray[np.int32]  # (E,)
    shifts: NDArray[np.int32]  # (E, 3)
    vectors: NDArray[Float]  # (E, 3)
    distances: NDArray[Float]  # (E,)


@njit
def find_pairs(grid: Grid, shifts: Shifts, cells: tuple[int, int], cutoff2: Float, rows: Rows) -> Found:
    """Neighbours of the atoms of cells[0] <= cell < cells[1]; their entries of `rows` are filled."""
    room = ROOM * (grid.start[cells[1]] - grid.start[cells[0]])
    ranks, labels = np.empty(room, np.uint32), np.empty(room, np.uint32)
    found = 0
    for cell in range(cells[0], cells[1]):
        runs = runs_around(grid, shifts, cell)
        most = LANES
        for k in range(runs.bounds.shape[0]):
            most += runs.bounds[k, 1] - runs.bounds[k, 0]
        for rank in range(grid.start[cell], grid.start[cell + 1]):
            if found + most > ranks.shape[0]:
                ranks, labels = _more(ranks, found, most), _more(labels, found, most)
            end = _pick(grid.x, rank, runs, shifts.vectors, cutoff2, ranks, labels, found)
            if runs.overlap:
                _sort_row(ranks[found:end], labels[found:end], shifts.steps.shape[0])
            atom = grid.order[rank]
            rows.rank[atom], rows.size[atom], rows.begin[atom] = rank, end - found, found
            found = end
    return Found(ranks, labels)


@njit
def _more(array: NDArray[np.uint32], used: int, wanted: int) -> NDArray[np.uint32]:
    """A copy of the first `used` entries with half as much room again, and as many more as wanted."""
    longer = np.empty(array.shape[0] + array.shape[0] // 2 + wanted, np.uint32)
    longer[:used] = array[:used]
    return longer


@njit
def _pick(
    x: NDArray[Float],
    rank: int,
    runs: Runs,
    vectors: NDArray[Float],
    cutoff2: Float,
    ranks: NDArray[np.uint32],
    labels: NDArray[np.uint32],
    found: int,
) -> int:
    """Ranks and shifts of the neighbours of an atom, run by run, from entry `found` on; the end of them."""
    origin = (x[0, rank], x[1, rank], x[2, rank])
    for k in range(runs.bounds.shape[0]):
        label = runs.labels[k]
        shift = (vectors[label, 0], vectors[label, 1], vectors[label, 2])
        begin, end = runs.bounds[k, 0], runs.bounds[k, 1]
        if k == runs.own:  # around the atom itself
            for r in range(begin, rank, LANES):
                found = pick_close(x, r, rank, origin, shift, cutoff2, label, ranks, labels, found)
            begin = rank + 1
        for r in range(begin, end, LANES):
            found = pick_close(x, r, end, origin, shift, cutoff2, label, ranks, labels, found)
    return found


@njit
def _sort_row(ranks: NDArray[np.uint32], labels: NDArray[np.uint32], count: int) -> None:
    """Sort the neighbours of one atom by rank, then by shift, in place."""
    keys = np.empty(ranks.shape[0], np.int64)
    for m in range(ranks.shape[0]):
        keys[m] = np.int64(ranks[m]) * count + labels[m]
    keys.sort()
    for m in range(ranks.shape[0]):
        ranks[m], labels[m] = keys[m] // count, keys[m] % count


@njit
def fill_pairs(
    grid: Grid,
    shifts: Shifts,
    atoms: NDArray[np.int32],
    rows: Rows,
    found: Found,
    indptr: NDArray[np.int64],
    pairs: Pairs,
) -> None:
    """Edges of these atoms into their rows of `pairs`."""
    for atom in atoms:
        row, begin, count = indptr[atom], rows.begin[atom], rows.size[atom]
        if pairs.first.shape[0]:
            pairs.first[row : row + count] = atom
        near = Found(found.ranks[begin : begin + count], found.labels[begin : begin + count])
        _write_shifts(grid, rows.rank[atom], shifts.steps, near, row, pairs)
        if pairs.vectors.shape[0] or pairs.distances.shape[0]:
            _write_vectors(grid.x, rows.rank[atom], shifts.vectors, near, row, pairs)


@njit
def _write_shifts(
    grid: Grid, rank: int, steps: NDArray[np.int32], near: Found, row: int, pairs: Pairs
) -> None:
    """Atoms and shifts, from entry `row` on.

    Entries are unsigned: of a signed number Numba asks each time whether it counts from the end.
    """
    order, wraps, neighbors, shifts = grid.order, grid.wraps, pairs.neighbors, pairs.shifts
    wx, wy, wz = wraps[rank, 0], wraps[rank, 1], wraps[rank, 2]
    for m in range(near.ranks.shape[0]):
        neighbors[np.uint64(row + m)] = order[near.ranks[m]]
    for m in range(near.ranks.shape[0]):
        r, t, e = near.ranks[m], near.labels[m], np.uint64(row + m)
        shifts[e, 0] = (steps[t, 0] + wx) - wraps[r, 0]
        shifts[e, 1] = (steps[t, 1] + wy) - wraps[r, 1]
        shifts[e, 2] = (steps[t, 2] + wz) - wraps[r, 2]


@njit
def _write_vectors(
    x: NDArray[Float], rank: int, steps: NDArray[Float], near: Found, row: int, pairs: Pairs
) -> None:
    """Vectors and distances, where wanted, from entry `row` on."""
    vectors, distances = pairs.vectors, pairs.distances
    xi, yi, zi = x[0, rank], x[1, rank], x[2, rank]
    for m in range(near.ranks.shape[0]):
        r, t, e = near.ranks[m], near.labels[m], np.uint64(row + m)
        dx, dy, dz = (x[0, r] - xi) + steps[t, 0], (x[1, r] - yi) + steps[t, 1], (x[2, r] - zi) + steps[t, 2]
        if vectors.shape[0]:
            vectors[e, 0], vectors[e, 1], vectors[e, 2] = dx, dy, dz
        if distances.shape[0]:
            distances[e] = np.sqrt(dx * dx + dy * dy + dz * dz)


@njit
def reverse_edges(
    order: NDArray[np.int32], indptr: NDArray[np.int64], neighbors: NDArray[np.int32]
) -> NDArray[np.int32]:
    """For each edge i→j the index of j→i with opposite shift, in one pass.

    Rows are sorted by rank of the neighbour, so when atoms i come in order of rank, the edge j→i is the next
    one of row j not yet visited. The images of one j are sorted by shift, which runs backwards seen from j.
    """
    reverse = np.empty(neighbors.shape[0], np.int32)
    visited = indptr[:-1].copy()
    for i in order:
        e = indptr[i]
        while e < indptr[i + 1]:
            j = neighbors[e]
            end = e + 1
            while end < indptr[i + 1] and neighbors[end] == j:
                end += 1
            base = visited[j]
            for k in range(end - e):
                reverse[e + k] = base + (end - e - 1 - k)
            visited[j] = base + (end - e)
            e = end
    return reverse
