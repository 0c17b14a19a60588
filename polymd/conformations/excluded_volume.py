"""Excluded volume in growth: a hash table of the atoms placed, and the repulsion of new ones."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.conformations.clashes import CLASH_SCALE, graph_neighbors, van_der_waals_radii

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLASH_COST = 1000.0
"""What one clash counts in kT; far above any repulsion that growth accepts."""
_KT = 0.593  # kcal/mol at 298 K
_SAFETY = 0.015  # clashes are refused a little before they count as such
_FIFTH = 0.25  # of the repulsion of atoms four bonds apart, most of which the torsions' density holds
_MOST = 20.0  # kT, of the repulsion of a pair without its hard core
_REACH = 6.0  # Å, of attraction

# Half the distance of the minimum (Å) and its depth (kcal/mol): GAFF2's most common types of each element
_LENNARD_JONES = {
    1: (1.40, 0.020), 5: (2.04, 0.180), 6: (1.88, 0.100), 7: (1.80, 0.130), 8: (1.72, 0.170),
    9: (1.70, 0.080), 14: (2.15, 0.300), 15: (2.07, 0.220), 16: (1.99, 0.270), 17: (1.95, 0.265),
    35: (2.02, 0.390), 53: (2.15, 0.490),
}  # fmt: skip
_POLAR_HYDROGEN = (0.62, 0.010)


class Volumes(NamedTuple):
    """Sizes of the atoms of a chain and which pairs of them are close in the graph."""

    hard: Floats  # (N,) Å, half of the distance that two such atoms may have
    soft: Floats  # (N,) Å, half of the distance of the minimum
    depth: Floats  # (N,) square root of the depth in kT
    indptr: Ints  # (N + 1,)
    indices: Ints  # atoms one to four bonds away
    fourth: Ints  # whether it is four
    attraction: float  # 0 in a good solvent, 1 in a poor one
    reach: float  # Å


def volumes(atomic_numbers: Ints, bonds: Ints, attraction: float) -> Volumes:
    """The table of a chain's atoms; unknown elements are taken as silicon."""
    n = len(atomic_numbers)
    table = np.array([_LENNARD_JONES.get(int(z), _LENNARD_JONES[14]) for z in atomic_numbers])
    polar = np.zeros(n, dtype=bool)
    for i, j in ((bonds[:, 0], bonds[:, 1]), (bonds[:, 1], bonds[:, 0])):
        polar[i[np.isin(atomic_numbers[j], (7, 8))]] = True
    table[polar & (atomic_numbers == 1)] = _POLAR_HYDROGEN
    indptr, indices = graph_neighbors(n, bonds, 4)
    near, within = graph_neighbors(n, bonds, 3)
    owner = np.repeat(np.arange(n), np.diff(indptr))
    inner = np.repeat(np.arange(n), np.diff(near))
    fourth = ~np.isin(owner * n + indices, inner * n + within)
    soft = 2.0 * float(table[:, 0].max())
    return Volumes(
        (CLASH_SCALE + _SAFETY) * van_der_waals_radii(atomic_numbers),
        table[:, 0].copy(),
        np.sqrt(table[:, 1] / _KT),
        indptr,
        indices,
        fourth.astype(np.int64),
        attraction,
        max(_REACH, soft) if attraction > 0.0 else soft,
    )


class Table(NamedTuple):
    """Atoms placed so far, by the cell they are in; in a periodic cube cells repeat and atoms have images."""

    edge: float  # Å, of the periodic cube; 0 in open space
    n_cells: int  # along that edge; 0 in open space
    cell: float  # Å, edge of a cell
    positions: Floats  # (N, 3), not wrapped
    cells: Ints  # (N, 3)
    heads: Ints  # (size,), a power of two
    next: Ints  # (N,)
    marks: Ints  # (N,) scratch of `repulsion`
    counter: Ints  # (1,)


@numba.njit(cache=True, nogil=True)
def make_table(n: int, reach: float, edge: float = 0.0) -> Table:
    """An empty table for n atoms that see each other up to `reach`, in open space or a cube of an `edge`."""
    size = 64
    while size < 2 * n:
        size *= 2
    n_cells = int(edge / reach)
    if edge > 0.0 and n_cells < 3:
        n_cells = 1
    return Table(
        edge,
        n_cells,
        edge / n_cells if edge > 0.0 else reach,
        np.empty((n, 3)),
        np.empty((n, 3), dtype=np.int64),
        np.full(size, -1, dtype=np.int64),
        np.full(n, -1, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )


@numba.njit(cache=True, nogil=True)
def slot(i: int, j: int, k: int, size: int) -> int:
    """Place of a cell in a table of `size`, a power of two."""
    return ((i * 73856093) ^ (j * 19349663) ^ (k * 83492791)) & (size - 1)


@numba.njit(cache=True, nogil=True)
def cell_of(table: Table, x: float) -> int:
    """Cell along one axis, of the atom itself in open space and of its image in a periodic cube."""
    cell = int(np.floor(x / table.cell))
    return cell % table.n_cells if table.n_cells > 0 else cell


@numba.njit(cache=True, nogil=True)
def insert(table: Table, atom: int, point: Floats) -> None:
    """Put an atom into the table."""
    for d in range(3):
        table.positions[atom, d] = point[d]
        table.cells[atom, d] = cell_of(table, point[d])
    here = slot(table.cells[atom, 0], table.cells[atom, 1], table.cells[atom, 2], len(table.heads))
    table.next[atom] = table.heads[here]
    table.heads[here] = atom


@numba.njit(cache=True, nogil=True)
def remove_last(table: Table, atom: int) -> None:
    """Take out the atom inserted last."""
    here = slot(table.cells[atom, 0], table.cells[atom, 1], table.cells[atom, 2], len(table.heads))
    table.heads[here] = table.next[atom]


@numba.njit(cache=True, nogil=True)
def pair_repulsion(volumes: Volumes, i: int, j: int, r2: float, fourth: bool) -> float:
    """Repulsion in kT of two atoms at the squared distance r2: Weeks, Chandler, Andersen, and the hard core.

    u = e [(r0/r)^12 - 2 (r0/r)^6 + 1] for r < r0, J. Chem. Phys. 54, 5237 (1971), equation 5.
    """
    gap = volumes.hard[i] + volumes.hard[j]
    cost = CLASH_COST if r2 < gap * gap else 0.0
    r0 = volumes.soft[i] + volumes.soft[j]
    if r2 < r0 * r0:
        s = r0 * r0 / r2
        s = s * s * s
        soft = volumes.depth[i] * volumes.depth[j] * (s * s - 2.0 * s + 1.0)
        cost += min(_FIFTH * soft if fourth else soft, _MOST)
    return cost


@numba.njit(cache=True, nogil=True)
def pair_attraction(volumes: Volumes, i: int, j: int, r2: float) -> float:
    """Attraction in kT that the repulsion leaves out: -e inside r0, e [(r0/r)^12 - 2 (r0/r)^6] beyond."""
    r0 = volumes.soft[i] + volumes.soft[j]
    s = min(1.0, r0 * r0 / r2)
    s = s * s * s
    return float(volumes.attraction * volumes.depth[i] * volumes.depth[j] * (s * s - 2.0 * s))


@numba.njit(cache=True, nogil=True)
def mark(table: Table, volumes: Volumes, i: int) -> int:
    """Mark the atoms up to four bonds from i; returns the mark of those up to three."""
    table.counter[0] += 2
    here = table.counter[0]
    table.marks[i] = here
    for e in range(volumes.indptr[i], volumes.indptr[i + 1]):
        table.marks[volumes.indices[e]] = here + volumes.fourth[e]
    return int(here)


@numba.njit(cache=True, nogil=True)
def energy(table: Table, volumes: Volumes, i: int, point: Floats, attractive: bool) -> float:
    """Repulsion, or attraction, in kT of atom i at `point` (3,) with the placed atoms; i must be marked."""
    total, here, size = 0.0, table.counter[0], len(table.heads)
    reach, edge, n = volumes.reach, table.edge, table.n_cells
    a, b, c = cell_of(table, point[0]), cell_of(table, point[1]), cell_of(table, point[2])
    for around in range(27 if n != 1 else 1):
        x, y, z = a, b, c
        if n != 1:
            x, y, z = a + around // 9 - 1, b + (around // 3) % 3 - 1, c + around % 3 - 1
        if n > 1:
            x, y, z = x % n, y % n, z % n
        j = table.heads[slot(x, y, z, size)]
        while j >= 0:
            if table.cells[j, 0] == x and table.cells[j, 1] == y and table.cells[j, 2] == z:
                u, v, w = (
                    point[0] - table.positions[j, 0],
                    point[1] - table.positions[j, 1],
                    point[2] - table.positions[j, 2],
                )
                if n > 0:
                    u -= edge * np.rint(u / edge)
                    v -= edge * np.rint(v / edge)
                    w -= edge * np.rint(w / edge)
                r2 = u * u + v * v + w * w
                if r2 < reach * reach and table.marks[j] != here:
                    if attractive:
                        total += pair_attraction(volumes, i, j, r2)
                    else:
                        total += pair_repulsion(volumes, i, j, r2, table.marks[j] == here + 1)
            j = table.next[j]
    return total
