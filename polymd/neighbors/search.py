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
    """Candidates around one cell, the first `size` entries: by rank, images of one atom by shift."""

    size: int
    x: NDArray[Float]  # (6, M) wrapped position, then the shift's vector
    rank: NDArray[np.int32]  # (M,)
    image: NDArray[np.int32]  # (M,) row in `shifts`
    shifts: NDArray[np.int32]  # (K, 3)
    own: NDArray[np.int64]  # (n,) places of the cell's own atoms


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
def _gap2(low: Float, high: Float, place: Float) -> Float:
    """Squared distance from a place to an interval."""
    gap = place - min(max(place, low), high)
    return gap * gap


@njit
def _gather(grid: Grid, cell: int, search: float) -> Surroundings:
    """Candidates for the atoms of a cell: all images within `search` Å of the box around them."""
    cells, shifts = _adjacent_cells(grid, cell)
    start = grid.start
    begin, end = start[cell], start[cell + 1]
    most = 1
    for k in range(cells.shape[0]):
        most += start[cells[k] + 1] - start[cells[k]]
    x = np.empty((6, most), grid.x.dtype)
    rank, image = np.empty(most, np.int32), np.empty(most, np.int32)
    own = np.empty(end - begin, np.int64)
    offsets = _shift_vectors(shifts, grid.lattice[grid.molecule[cell]], grid.x.dtype)
    x0, y0, z0 = grid.x[0, begin:end].min(), grid.x[1, begin:end].min(), grid.x[2, begin:end].min()
    x1, y1, z1 = grid.x[0, begin:end].max(), grid.x[1, begin:end].max(), grid.x[2, begin:end].max()
    limit = grid.x.dtype.type(search * search)
    m, k = 0, 0
    while k < cells.shape[0]:
        after = k + 1
        while after < cells.shape[0] and cells[after] == cells[k]:
            after += 1
        for r in range(start[cells[k]], start[cells[k] + 1]):
            px, py, pz = grid.x[0, r], grid.x[1, r], grid.x[2, r]
            for s in range(k, after):
                sx, sy, sz = offsets[s, 0], offsets[s, 1], offsets[s, 2]
                x[0, m], x[1, m], x[2, m], x[3, m], x[4, m], x[5, m] = px, py, pz, sx, sy, sz
                rank[m], image[m] = r, s
                gap2 = _gap2(x0, x1, px + sx) + _gap2(y0, y1, py + sy) + _gap2(z0, z1, pz + sz)
                m += int(gap2 <= limit)
        k = after
    for c in range(m):
        if begin <= rank[c] < end and not shifts[image[c]].any():
            own[rank[c] - begin] = c
    return Surroundings(m, x, rank, image, shifts, own)


@njit
def _mark_close(around: Surroundings, i: int, cutoff2: Float, close: NDArray[np.uint8]) -> None:
    """Mark the candidates within the cutoff of candidate `i`, itself excepted."""
    x = around.x
    xi, yi, zi = x[0, i], x[1, i], x[2, i]
    for c in range(around.size):
        dx = (x[0, c] - xi) + x[3, c]
        dy = (x[1, c] - yi) + x[4, c]
        dz = (x[2, c] - zi) + x[5, c]
        close[c] = dx * dx + dy * dy + dz * dz < cutoff2
    close[i] = 0


@njit
def count_pairs(
    grid: Grid, cells: tuple[int, int], search: float, cutoff2: Float, counts: NDArray[np.int64]
) -> None:
    """Neighbours of each atom (by atom, not rank) of cells[0] <= cell < cells[1], into `counts`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell, search)
        close = np.empty(around.size, np.uint8)
        for a in range(around.own.shape[0]):
            _mark_close(around, around.own[a], cutoff2, close)
            counts[grid.order[grid.start[cell] + a]] = close.sum()


@njit
def fill_pairs(
    grid: Grid, cells: tuple[int, int], search: float, cutoff2: Float, indptr: NDArray[np.int64], pairs: Pairs
) -> None:
    """Edges of each atom of cells[0] <= cell < cells[1], into its row of `pairs`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell, search)
        atoms, shifts = _labels(grid, around)
        close = np.empty(around.size, np.uint8)
        picked = np.empty(around.size + 1, np.int32)
        for a in range(around.own.shape[0]):
            _mark_close(around, around.own[a], cutoff2, close)
            found = 0
            for c in range(close.shape[0]):
                picked[found] = c
                found += close[c]
            rank = grid.start[cell] + a
            i = grid.order[rank]
            begin = indptr[i]
            wx, wy, wz = grid.wraps[rank, 0], grid.wraps[rank, 1], grid.wraps[rank, 2]
            for k in range(found):
                c, e = picked[k], begin + k
                pairs.neighbors[e] = atoms[c]
                pairs.shifts[e, 0] = shifts[c, 0] + wx
                pairs.shifts[e, 1] = shifts[c, 1] + wy
                pairs.shifts[e, 2] = shifts[c, 2] + wz
            if pairs.first.shape[0]:
                pairs.first[begin : begin + found] = i
            _write_vectors(around.x, around.own[a], picked[:found], begin, pairs)


@njit
def _labels(grid: Grid, around: Surroundings) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Atom (M,) of each candidate and its shift (M, 3) from the position given, not the wrapped one."""
    atoms = np.empty(around.size, np.int32)
    shifts = np.empty((around.size, 3), np.int32)
    for c in range(around.size):
        rank, image = around.rank[c], around.image[c]
        atoms[c] = grid.order[rank]
        for d in range(3):
            shifts[c, d] = around.shifts[image, d] - grid.wraps[rank, d]
    return atoms, shifts


@njit
def _write_vectors(x: NDArray[Float], i: int, picked: NDArray[np.int32], begin: int, pairs: Pairs) -> None:
    """Vectors and distances, where wanted, from candidate `i` to those picked, from entry `begin` on."""
    if pairs.vectors.shape[0] == 0 and pairs.distances.shape[0] == 0:
        return
    for k in range(picked.shape[0]):
        c, e = picked[k], begin + k
        dx = (x[0, c] - x[0, i]) + x[3, c]
        dy = (x[1, c] - x[1, i]) + x[4, c]
        dz = (x[2, c] - x[2, i]) + x[5, c]
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
