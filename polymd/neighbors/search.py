"""The search: for each cell gather the atoms around it once, then test them against each atom of the cell.

The gathered atoms lie in contiguous arrays, so that the distance test is one vector loop; the close ones are
then picked without branches. A pair passes or fails the same way seen from both of its atoms, because
(x_j - x_i) + S and (x_i - x_j) - S are exact negatives of each other in floating point.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.neighbors._jit import njit
from polymd.neighbors.grid import Float, Grid, find_cell


class Pairs(NamedTuple):
    """Arrays to fill, one entry an edge; `first`, `vectors`, `distances` have length 0 where not wanted."""

    first: NDArray[np.int32]  # (E,)
    neighbors: NDArray[np.int32]  # (E,)
    shifts: NDArray[np.int32]  # (E, 3)
    vectors: NDArray[Float]  # (E, 3)
    distances: NDArray[Float]  # (E,)


class Surroundings(NamedTuple):
    """M images of atoms around one cell: by rank, images of one atom by shift.

    The image of atom a (counted from 0) of the cell itself is number `own + a * step`.
    """

    x: NDArray[Float]  # (6, M) wrapped position, then the shift's vector
    own: int
    step: int
    cells: NDArray[np.int32]  # (K,) cells gathered
    shifts: NDArray[np.int32]  # (K, 3) with these shifts


@njit
def _adjacent_cells(grid: Grid, cell: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Occupied cells (K,) within reach and their lattice shifts (K, 3), ordered by cell, then shift."""
    b = grid.molecule[cell]
    shape, reach = grid.shape[b], grid.reach[b]
    most = (2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1)
    cells = np.empty(most, np.int32)
    shifts = np.empty((most, 3), np.int32)
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
                k = found
                while k > 0 and cells[k - 1] > other:
                    cells[k] = cells[k - 1]
                    shifts[k] = shifts[k - 1]
                    k -= 1
                cells[k] = other
                shifts[k, 0], shifts[k, 1], shifts[k, 2] = sx, sy, sz
                found += 1
    return cells[:found], shifts[:found]


@njit
def _shift_vectors(
    shifts: NDArray[np.int32], lattice: NDArray[np.float64], dtype: np.dtype[Float]
) -> NDArray[Float]:
    """Vectors (K, 3) of lattice shifts (K, 3)."""
    vectors = np.empty(shifts.shape, dtype)
    for k in range(shifts.shape[0]):
        sx, sy, sz = shifts[k, 0], shifts[k, 1], shifts[k, 2]
        for d in range(3):
            vectors[k, d] = sx * lattice[0, d] + sy * lattice[1, d] + sz * lattice[2, d]
    return vectors


@njit
def _same(cells: NDArray[np.int32], k: int) -> int:
    """End of the run of entries of `cells` equal to entry k."""
    end = k + 1
    while end < cells.shape[0] and cells[end] == cells[k]:
        end += 1
    return end


@njit
def _gather(grid: Grid, cell: int) -> Surroundings:
    """All images that may be neighbours of a cell's atoms."""
    cells, shifts = _adjacent_cells(grid, cell)
    offsets = _shift_vectors(shifts, grid.lattice[grid.molecule[cell]], grid.x.dtype)
    size = 0
    for k in range(cells.shape[0]):
        size += grid.start[cells[k] + 1] - grid.start[cells[k]]
    x = np.empty((6, size), grid.x.dtype)
    own, step = 0, 1
    m, k = 0, 0
    while k < cells.shape[0]:
        end = _same(cells, k)
        begin, atoms = grid.start[cells[k]], grid.start[cells[k] + 1] - grid.start[cells[k]]
        for s in range(k, end):
            first, stride = m + s - k, end - k
            if cells[k] == cell and shifts[s, 0] == 0 and shifts[s, 1] == 0 and shifts[s, 2] == 0:
                own, step = first, stride
            sx, sy, sz = offsets[s, 0], offsets[s, 1], offsets[s, 2]
            for a in range(atoms):
                c, r = first + a * stride, begin + a
                x[0, c], x[1, c], x[2, c] = grid.x[0, r], grid.x[1, r], grid.x[2, r]
                x[3, c], x[4, c], x[5, c] = sx, sy, sz
        m += atoms * (end - k)
        k = end
    return Surroundings(x, own, step, cells, shifts)


@njit
def _label(grid: Grid, around: Surroundings) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Atom (M,) of each image gathered, and its shift (M, 3) from the position given, not the wrapped one."""
    cells, shifts = around.cells, around.shifts
    atoms = np.empty(around.x.shape[1], np.int32)
    labels = np.empty((around.x.shape[1], 3), np.int32)
    m, k = 0, 0
    while k < cells.shape[0]:
        end = _same(cells, k)
        begin, inside = grid.start[cells[k]], grid.start[cells[k] + 1] - grid.start[cells[k]]
        for s in range(k, end):
            sx, sy, sz = shifts[s, 0], shifts[s, 1], shifts[s, 2]
            for a in range(inside):
                c, r = m + s - k + a * (end - k), begin + a
                atoms[c] = grid.order[r]
                labels[c, 0] = sx - grid.wraps[r, 0]
                labels[c, 1] = sy - grid.wraps[r, 1]
                labels[c, 2] = sz - grid.wraps[r, 2]
        m += inside * (end - k)
        k = end
    return atoms, labels


@njit
def count_pairs(grid: Grid, cells: tuple[int, int], cutoff2: Float, counts: NDArray[np.int64]) -> None:
    """Neighbours of each atom (by atom, not rank) of cells[0] <= cell < cells[1], into `counts`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell)
        x = around.x
        for rank in range(grid.start[cell], grid.start[cell + 1]):
            xi, yi, zi = grid.x[0, rank], grid.x[1, rank], grid.x[2, rank]
            count = np.int32(-1)  # the atom finds itself
            for c in range(x.shape[1]):
                dx = (x[0, c] - xi) + x[3, c]
                dy = (x[1, c] - yi) + x[4, c]
                dz = (x[2, c] - zi) + x[5, c]
                count += np.int32(dx * dx + dy * dy + dz * dz < cutoff2)
            counts[grid.order[rank]] = count


@njit
def fill_pairs(
    grid: Grid, cells: tuple[int, int], cutoff2: Float, indptr: NDArray[np.int64], pairs: Pairs
) -> None:
    """Edges of each atom of cells[0] <= cell < cells[1], into its row of `pairs`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell)
        atoms, labels = _label(grid, around)
        close = np.empty(around.x.shape[1], np.uint8)
        picked = np.empty(around.x.shape[1] + 1, np.int32)
        for a in range(grid.start[cell + 1] - grid.start[cell]):
            own = around.own + a * around.step
            found = _pick(around.x, own, cutoff2, close, picked)
            rank = grid.start[cell] + a
            begin = indptr[grid.order[rank]]
            if pairs.first.shape[0]:
                pairs.first[begin : begin + found] = grid.order[rank]
            wx, wy, wz = grid.wraps[rank, 0], grid.wraps[rank, 1], grid.wraps[rank, 2]
            for k in range(found):
                c, e = picked[k], begin + k
                pairs.neighbors[e] = atoms[c]
                pairs.shifts[e, 0] = labels[c, 0] + wx
                pairs.shifts[e, 1] = labels[c, 1] + wy
                pairs.shifts[e, 2] = labels[c, 2] + wz
            if pairs.vectors.shape[0] or pairs.distances.shape[0]:
                _write_vectors(around.x, own, picked[:found], begin, pairs)


@njit
def _pick(
    x: NDArray[Float], own: int, cutoff2: Float, close: NDArray[np.uint8], picked: NDArray[np.int32]
) -> int:
    """Numbers of the images within the cutoff of image `own`, itself excepted, into `picked`; how many."""
    xi, yi, zi = x[0, own], x[1, own], x[2, own]
    for c in range(x.shape[1]):
        dx = (x[0, c] - xi) + x[3, c]
        dy = (x[1, c] - yi) + x[4, c]
        dz = (x[2, c] - zi) + x[5, c]
        close[c] = dx * dx + dy * dy + dz * dz < cutoff2
    close[own] = 0
    found = 0
    for c in range(x.shape[1]):
        picked[found] = c
        found += close[c]
    return found


@njit
def _write_vectors(x: NDArray[Float], own: int, picked: NDArray[np.int32], begin: int, pairs: Pairs) -> None:
    """Vectors and distances, where wanted, from image `own` to those picked, from entry `begin` on."""
    for k in range(picked.shape[0]):
        c, e = picked[k], begin + k
        dx = (x[0, c] - x[0, own]) + x[3, c]
        dy = (x[1, c] - x[1, own]) + x[4, c]
        dz = (x[2, c] - x[2, own]) + x[5, c]
        if pairs.vectors.shape[0]:
            pairs.vectors[e, 0], pairs.vectors[e, 1], pairs.vectors[e, 2] = dx, dy, dz
        if pairs.distances.shape[0]:
            pairs.distances[e] = np.sqrt(dx * dx + dy * dy + dz * dz)


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
