"""The growth loop: units are placed one after the other, and taken back when stuck."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.conformations.excluded_volume import CLASH_COST, Table, Volumes, insert, remove_last
from polymd.conformations.kernels import Links, Units, frame
from polymd.conformations.unit_placement import choose_unit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_PATIENCE = 25  # growth steps a unit before the least bad placements are kept


@numba.njit(cache=True, nogil=True)
def _start(rng: np.random.Generator, table: Table, place: Floats, axes: Floats) -> None:
    """Where the first unit goes: the origin as it is, anywhere and anyhow in a periodic cube.

    The rotation is that of a uniform unit quaternion.
    """
    place[:], axes[:] = 0.0, np.eye(3)
    if table.n_cells == 0:
        return
    for d in range(3):
        place[d] = table.edge * rng.random()
    q = np.array([rng.normal(), rng.normal(), rng.normal(), rng.normal()])
    w, x, y, z = q / np.sqrt(np.sum(q * q))
    axes[0] = np.array([1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)])
    axes[1] = np.array([2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)])
    axes[2] = np.array([2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)])


@numba.njit(cache=True, nogil=True)
def grow(
    rng: np.random.Generator,
    kinds: Ints,
    link_of: Ints,
    starts: Ints,
    units: Units,
    links: Links,
    volumes: Volumes,
    table: Table,
) -> int:
    """Grow a chain unit by unit into a table; returns the clashes that were left.

    Its atoms are those from starts[0] up to starts[-1], in the table and the volumes; the table may hold
    others, of chains grown before. When a unit finds no place, a few are taken back, more the longer it
    is stuck; after _PATIENCE steps a unit the least bad placement is kept.
    """
    n_units = len(kinds)
    most = np.max(units.n_rows)
    points, atoms = np.empty((most, 3)), np.full(most, -1, dtype=np.int64)
    angles = np.zeros((n_units, np.max(np.diff(links.first_stage))))
    places, axes = np.zeros((n_units + 1, 3)), np.zeros((n_units + 1, 3, 3))
    left = np.zeros(n_units, dtype=np.int64)
    steps, stuck, i = _PATIENCE * n_units + 50, 0.0, 0
    while i < n_units:
        kind, first, n = kinds[i], starts[i], starts[i + 1] - starts[i]
        for row in range(n):
            atoms[row] = first + row
        atoms[n] = atoms[n + 1] = -1
        if i == 0:
            _start(rng, table, places[0], axes[0])
        if i + 1 < n_units:  # the next unit's head, whose place is settled with this unit
            atoms[n + 1] = starts[i + 1] + units.line[kinds[i + 1], 1]
        steps -= 1
        cost = choose_unit(
            rng, units, links, kind, link_of[i], i, atoms, places[i], axes[i], angles, table, volumes, points,
            starts[0], stuck, steps < 0,
        )  # fmt: skip
        if cost < np.inf:
            for row in range(n):
                insert(table, first + row, points[row])
            places[i + 1] = points[units.line[kind, 5]]
            frame(
                axes[i + 1],
                points[units.line[kind, 4]],
                points[units.line[kind, 5]],
                points[units.line[kind, 3]],
            )
            left[i] = int(cost / CLASH_COST)
            i, stuck = i + 1, max(stuck - 0.3, 0.0)
        else:
            stuck += 1.0
            back = max(0, i - 1 - int(-np.log(1.0 - rng.random()) * (0.5 + 0.2 * stuck)))
            for j in range(starts[i] - 1, starts[back] - 1, -1):
                remove_last(table, j)
            i = back
    return int(np.sum(left))
