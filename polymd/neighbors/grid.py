"""Atoms sorted into cells at least one cutoff wide.

Only occupied cells exist: a hash table of at most four entries an atom finds them, so that a few atoms far
apart, or a chain in a large periodic box, cost memory and time O(N) whatever the volume. Several
molecules (`batch`) have cells of their own and never meet.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.neighbors._jit import njit
from polymd.neighbors.picking import LANES

Float = np.float32 | np.float64

MAX_KEY = 2.0**62
"""Cells of one grid are numbered by int64; an open system wider than this many cells gets wider cells."""

MAX_WRAPS = 1e9
"""Lattice vectors between an atom and its image in the cell."""

MIN_VOLUME = 1e-6
"""Of a cell with lattice vectors of length 1; a flatter one is singular."""

MAX_IMAGES = 1_000_000
"""Periodic images of one cell that may lie within the cutoff."""


class Grid(NamedTuple):
    """N atoms in C occupied cells of B molecules; `rank` is the place of an atom after the sort by cell.

    Cells are numbered along the third lattice vector first, so that the atoms of a row of cells have
    consecutive ranks.
    """

    order: NDArray[np.int32]  # (N,) atom at each rank
    x: NDArray[Float]  # (3, N + 16) positions by rank, wrapped into the cell where periodic, then room
    wraps: NDArray[np.int32]  # (N, 3) lattice vectors taken off by the wrapping, by rank
    start: NDArray[np.int64]  # (C + 1,) first rank of each cell
    coordinates: NDArray[np.int64]  # (C, 3) place of each cell in its molecule's grid
    molecule: NDArray[np.int64]  # (C,)
    shape: NDArray[np.int64]  # (B, 3) cells along each lattice vector
    reach: NDArray[np.int64]  # (B, 3) cells to visit on either side
    offset: NDArray[np.int64]  # (B,) key of each molecule's first cell
    pbc: NDArray[np.bool_]  # (3,)
    lattice: NDArray[np.float64]  # (B, 3, 3) rows are lattice vectors
    keys: NDArray[np.int64]  # (T,) hash table: key of a cell, -1 if free
    ids: NDArray[np.int32]  # (T,) its number


class Cells(NamedTuple):
    """C occupied cells and the hash table that finds them; see `Grid`."""

    keys: NDArray[np.int64]  # (T,)
    ids: NDArray[np.int32]  # (T,)
    own_keys: NDArray[np.int64]  # (C,)
    coordinates: NDArray[np.int64]  # (C, 3)
    molecule: NDArray[np.int64]  # (C,)


def complete_lattice(cells: NDArray[np.float64], pbc: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Cells (B, 3, 3) whose vectors along open directions are replaced by an orthonormal complement.

    Raises ValueError if the periodic vectors of a cell do not span as many dimensions.
    """
    if not pbc.any():
        return np.broadcast_to(np.eye(3), cells.shape).copy()
    lattice = cells.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        if not pbc.all():
            periodic = cells[:, pbc]
            unit = np.nan_to_num(periodic / np.linalg.norm(periodic, axis=2, keepdims=True))
            lattice[:, ~pbc] = np.linalg.svd(unit)[2][:, int(pbc.sum()) :]
        lengths = np.sqrt((lattice * lattice).sum(axis=2))
        flat = ~(np.abs(np.linalg.det(lattice)) > MIN_VOLUME * lengths.prod(axis=1))
    if flat.any():
        raise ValueError(
            f"cell {cells[flat][0].tolist()} is singular with pbc {pbc.tolist()}; "
            "give linearly independent lattice vectors along periodic directions, or turn pbc off there"
        )
    return lattice


def build_grid(
    positions: NDArray[Float],
    batch: NDArray[np.int64],
    cells: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cutoff: float,
) -> Grid:
    """Sort atoms into cells at least `cutoff` wide.

    Positions (N, 3) and cells (B, 3, 3) in Å; batch (N,) in 0..B-1. Raises ValueError for a singular cell,
    for one with a million images within the cutoff, and for atoms a billion cells away from it.
    """
    lattice = complete_lattice(cells, pbc)
    inverse = np.linalg.inv(lattice).astype(np.float64)
    heights = 1.0 / np.linalg.norm(inverse, axis=1)
    fractional, wraps, low, high, furthest = _fractional(positions, batch, inverse, pbc)
    if furthest > MAX_WRAPS:
        raise ValueError(
            f"an atom is {furthest:.3g} cells away from its cell; at most {MAX_WRAPS:.0e} are allowed: "
            "check the units of the cell and whether the simulation has blown up"
        )
    lengths = np.where(pbc, heights, high - low)
    largest = np.floor((MAX_KEY / len(cells)) ** (1 / 3))
    shape = np.clip(np.floor(lengths / cutoff), 1, largest).astype(np.int64)
    images = np.where(pbc, np.ceil(cutoff * shape / heights), 1.0)
    if (np.prod(2 * images + 1, axis=1) > MAX_IMAGES).any():
        raise ValueError(
            f"cutoff {cutoff:.6g} Å is too long for a cell only {heights[:, pbc].min():.3g} Å high: over "
            f"{MAX_IMAGES} periodic images are within reach; check the units of the cell"
        )
    scale = np.where(pbc, shape, shape / np.maximum(lengths, cutoff))
    counts = shape.prod(axis=1)
    offset = counts.cumsum() - counts
    reach = images.astype(np.int64)
    cell_of, found = _find_cells(batch, fractional, low, scale, shape, offset)
    by_key = np.argsort(found.own_keys)
    number = np.empty(len(by_key), np.int32)
    number[by_key] = np.arange(len(by_key), dtype=np.int32)
    _renumber(found, number)
    order, x, sorted_wraps, start = _sort_atoms(positions, batch, wraps, lattice, cell_of, number)
    return Grid(
        order, x, sorted_wraps, start, found.coordinates[by_key], found.molecule[by_key],
        shape, reach, offset, pbc, lattice, found.keys, found.ids,
    )  # fmt: skip


@njit
def _fractional(
    positions: NDArray[Float], batch: NDArray[np.int64], inverse: NDArray[np.float64], pbc: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], float]:
    """Fractional coordinates, in [0, 1) where periodic; wraps; each molecule's bounds; largest wrap."""
    n = positions.shape[0]
    fractional = np.empty((n, 3), np.float64)
    wraps = np.zeros((n, 3), np.int32)
    low = np.full((inverse.shape[0], 3), np.inf)
    high = np.full((inverse.shape[0], 3), -np.inf)
    furthest = 0.0
    for i in range(n):
        b = batch[i]
        for d in range(3):
            f = 0.0
            for k in range(3):
                f += positions[i, k] * inverse[b, k, d]
            if pbc[d]:
                whole = np.floor(f)
                f -= whole
                furthest = max(furthest, abs(whole))
                wraps[i, d] = np.int32(whole)
            fractional[i, d] = f
            low[b, d] = min(low[b, d], f)
            high[b, d] = max(high[b, d], f)
    for b in range(inverse.shape[0]):
        for d in range(3):
            if pbc[d] or low[b, d] > high[b, d]:
                low[b, d], high[b, d] = 0.0, 0.0
    return fractional, wraps, low, high, furthest


@njit
def _slot(keys: NDArray[np.int64], key: int) -> int:
    """Place of `key` in the hash table, or the free place where it belongs."""
    mask = keys.shape[0] - 1
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    slot: int = int(mixed >> np.uint64(32)) & mask
    while keys[slot] != -1 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@njit
def find_cell(grid: Grid, molecule: int, cx: int, cy: int, cz: int) -> int:
    """Number of the cell at these coordinates, -1 if no atom is in it."""
    shape = grid.shape[molecule]
    key = grid.offset[molecule] + (cx * shape[1] + cy) * shape[2] + cz
    slot = _slot(grid.keys, key)
    return int(grid.ids[slot]) if grid.keys[slot] == key else -1


@njit
def _find_cells(
    batch: NDArray[np.int64],
    fractional: NDArray[np.float64],
    low: NDArray[np.float64],
    scale: NDArray[np.float64],
    shape: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> tuple[NDArray[np.int32], Cells]:
    """Cell of each atom (N,), and the cells, numbered in the order in which atoms first enter them."""
    n = fractional.shape[0]
    table = 4
    while table < 2 * n:
        table *= 2
    keys = np.full(table, -1, np.int64)
    ids = np.empty(table, np.int32)
    cell_of = np.empty(n, np.int32)
    own_keys = np.empty(n, np.int64)
    coordinates = np.empty((n, 3), np.int64)
    molecule = np.empty(n, np.int64)
    c = np.empty(3, np.int64)
    occupied = 0
    for i in range(n):
        b = batch[i]
        for d in range(3):
            c[d] = min(np.int64((fractional[i, d] - low[b, d]) * scale[b, d]), shape[b, d] - 1)
        key = offset[b] + (c[0] * shape[b, 1] + c[1]) * shape[b, 2] + c[2]
        slot = _slot(keys, key)
        if keys[slot] == -1:
            keys[slot], ids[slot] = key, occupied
            own_keys[occupied], coordinates[occupied], molecule[occupied] = key, c, b
            occupied += 1
        cell_of[i] = ids[slot]
    found = Cells(keys, ids, own_keys[:occupied], coordinates[:occupied], molecule[:occupied])
    return cell_of, found


@njit
def _renumber(cells: Cells, number: NDArray[np.int32]) -> None:
    """Give the cells of the hash table new numbers."""
    for slot in range(cells.keys.shape[0]):
        if cells.keys[slot] != -1:
            cells.ids[slot] = number[cells.ids[slot]]


@njit
def _sort_atoms(
    positions: NDArray[Float],
    batch: NDArray[np.int64],
    wraps: NDArray[np.int32],
    lattice: NDArray[np.float64],
    cell_of: NDArray[np.int32],
    number: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[Float], NDArray[np.int32], NDArray[np.int64]]:
    """Counting sort of the atoms by the number of their cell: order, wrapped positions, wraps, starts."""
    n = positions.shape[0]
    start = np.zeros(number.shape[0] + 1, np.int64)
    for i in range(n):
        start[number[cell_of[i]] + 1] += 1
    start = np.cumsum(start)
    place = start.copy()
    order = np.empty(n, np.int32)
    sorted_wraps = np.empty((n, 3), np.int32)
    x = np.zeros((3, n + LANES), positions.dtype)
    for i in range(n):
        cell = number[cell_of[i]]
        rank = place[cell]
        place[cell] += 1
        order[rank] = i
        for d in range(3):
            shift = 0.0
            for k in range(3):
                shift += wraps[i, k] * lattice[batch[i], k, d]
            x[d, rank] = positions[i, d] - shift
            sorted_wraps[rank, d] = wraps[i, d]
    return order, x, sorted_wraps, start
