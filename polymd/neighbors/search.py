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
    """M candidates around one cell: ordered by rank, images of one atom by shift."""

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
def _bounds(grid: Grid, cell: int) -> tuple[NDArray[Float], NDArray[Float]]:
    """Corners of the box around the atoms of a cell."""
    low, high = np.empty(3, grid.x.dtype), np.empty(3, grid.x.dtype)
    for d in range(3):
        inside = grid.x[d, grid.start[cell] : grid.start[cell + 1]]
        low[d], high[d] = inside.min(), inside.max()
    return low, high


@njit
def _gather(grid: Grid, cell: int, search: float) -> Surroundings:
    """Candidates for the atoms of a cell: all images within `search` Å of the box around them."""
    cells, shifts = _adjacent_cells(grid, cell)
    begin, end = grid.start[cell], grid.start[cell + 1]
    most = 1
    for k in range(cells.shape[0]):
        most += grid.start[cells[k] + 1] - grid.start[cells[k]]
    x = np.empty((6, most), grid.x.dtype)
    rank, image = np.empty(most, np.int32), np.empty(most, np.int32)
    own = np.empty(end - begin, np.int64)
    offsets = np.empty((shifts.shape[0], 3), grid.x.dtype)
    lattice = grid.lattice[grid.molecule[cell]]
    for k in range(shifts.shape[0]):
        for d in range(3):
            offsets[k, d] = (
                shifts[k, 0] * lattice[0, d] + shifts[k, 1] * lattice[1, d] + shifts[k, 2] * lattice[2, d]
            )
    low, high = _bounds(grid, cell)
    limit = grid.x.dtype.type(search * search)
    m, k = 0, 0
    while k < cells.shape[0]:
        same = k + 1
        while same < cells.shape[0] and cells[same] == cells[k]:
            same += 1
        for r in range(grid.start[cells[k]], grid.start[cells[k] + 1]):
            for s in range(k, same):
                gap2 = grid.x.dtype.type(0)
                for d in range(3):
                    x[d, m], x[d + 3, m] = grid.x[d, r], offsets[s, d]
                    place = grid.x[d, r] + offsets[s, d]
                    gap = max(max(low[d] - place, place - high[d]), grid.x.dtype.type(0))
                    gap2 += gap * gap
                rank[m], image[m] = r, s
                if cells[k] == cell and not shifts[s].any():
                    own[r - begin] = m
                m += int(gap2 <= limit)
        k = same
    return Surroundings(x[:, :m], rank[:m], image[:m], shifts, own)


@njit
def _mark_close(x: NDArray[Float], i: int, cutoff2: Float, close: NDArray[np.uint8]) -> int:
    """Mark the candidates within the cutoff of candidate `i`, itself excepted; how many there are."""
    count = 0
    for c in range(x.shape[1]):
        dx = (x[0, c] - x[0, i]) + x[3, c]
        dy = (x[1, c] - x[1, i]) + x[4, c]
        dz = (x[2, c] - x[2, i]) + x[5, c]
        inside = dx * dx + dy * dy + dz * dz < cutoff2
        close[c] = inside
        count += inside
    close[i] = 0
    return count - 1


@njit
def count_pairs(
    grid: Grid, cells: tuple[int, int], search: float, cutoff2: Float, counts: NDArray[np.int64]
) -> None:
    """Neighbours of each atom (by atom, not rank) of cells[0] <= cell < cells[1], into `counts`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell, search)
        close = np.empty(around.rank.shape[0], np.uint8)
        for a in range(around.own.shape[0]):
            rank = grid.start[cell] + a
            counts[grid.order[rank]] = _mark_close(around.x, around.own[a], cutoff2, close)


@njit
def fill_pairs(
    grid: Grid, cells: tuple[int, int], search: float, cutoff2: Float, indptr: NDArray[np.int64], pairs: Pairs
) -> None:
    """Edges of each atom of cells[0] <= cell < cells[1], into its row of `pairs`."""
    for cell in range(cells[0], cells[1]):
        around = _gather(grid, cell, search)
        close = np.empty(around.rank.shape[0], np.uint8)
        picked = np.empty(around.rank.shape[0] + 1, np.int32)
        for a in range(around.own.shape[0]):
            rank = grid.start[cell] + a
            _mark_close(around.x, around.own[a], cutoff2, close)
            found = 0
            for c in range(close.shape[0]):
                picked[found] = c
                found += close[c]
            _write_row(grid, around, rank, around.own[a], picked[:found], indptr[grid.order[rank]], pairs)


@njit
def _write_row(
    grid: Grid,
    around: Surroundings,
    rank: int,
    own: int,
    picked: NDArray[np.int32],
    begin: int,
    pairs: Pairs,
) -> None:
    """Edges of one atom from its picked candidates, from entry `begin` on."""
    x = around.x
    for k in range(picked.shape[0]):
        c = picked[k]
        other = around.rank[c]
        pairs.neighbors[begin + k] = grid.order[other]
        for d in range(3):
            pairs.shifts[begin + k, d] = (
                around.shifts[around.image[c], d] + grid.wraps[rank, d] - grid.wraps[other, d]
            )
    if pairs.first.shape[0]:
        pairs.first[begin : begin + picked.shape[0]] = grid.order[rank]
    if pairs.vectors.shape[0] or pairs.distances.shape[0]:
        for k in range(picked.shape[0]):
            c = picked[k]
            dx = (x[0, c] - x[0, own]) + x[3, c]
            dy = (x[1, c] - x[1, own]) + x[4, c]
            dz = (x[2, c] - x[2, own]) + x[5, c]
            if pairs.vectors.shape[0]:
                pairs.vectors[begin + k, 0] = dx
                pairs.vectors[begin + k, 1] = dy
                pairs.vectors[begin + k, 2] = dz
            if pairs.distances.shape[0]:
                pairs.distances[begin + k] = np.sqrt(dx * dx + dy * dy + dz * dz)


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
