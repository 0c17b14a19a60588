"""Numba kernels of the growth builder: frames, rotors, the cell table of placed atoms and the growth loop."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Packed(NamedTuple):
    """Unit conformers of K kinds in flat arrays; see `polymd.conformations.library.UnitConformers`."""

    rows: Floats  # (sum C (A + 2), 3) Å
    first_row: Ints  # (K,)
    n_rows: Ints  # (K,) A + 2
    entry: Floats  # (sum C,) rad
    first_conformer: Ints  # (K + 1,)
    line: Ints  # (K, 6)
    stiff_entry: Ints  # (K,)
    first_rotor: Ints  # (K + 1,)
    axes: Ints  # (R, 2)
    stiff: Ints  # (R,)
    moving: Ints
    first_moving: Ints  # (R + 1,)
    torsions: Floats  # (sum C rotors,) rad
    first_torsion: Ints  # (K,)


_PATIENCE = 40  # growth steps a unit before the chain is finished with the least bad placements


@numba.njit(cache=True, nogil=True)
def frame(origin: Floats, along: Floats, side: Floats) -> Floats:
    """Rows of a right-handed frame: along, the part of side - origin across it, their cross product."""
    axes = np.empty((3, 3))
    axes[0] = along / np.sqrt(np.sum(along**2))
    across = side - origin
    across = across - np.dot(across, axes[0]) * axes[0]
    length = np.sqrt(np.sum(across**2))
    if length < 1e-2:  # collinear atoms: any direction across will do
        across = np.zeros(3)
        across[np.argmin(np.abs(axes[0]))] = 1.0
        across = across - np.dot(across, axes[0]) * axes[0]
        length = np.sqrt(np.sum(across**2))
    axes[1] = across / length
    axes[2] = np.cross(axes[0], axes[1])
    return axes


@numba.njit(cache=True, nogil=True)
def turn(points: Floats, a: int, b: int, moving: Ints, angle: float) -> None:
    """Rotate `moving` rows of `points` by `angle` (rad) about the axis from row a to row b, in place."""
    axis = points[b] - points[a]
    axis = axis / np.sqrt(np.sum(axis**2))
    cos, sin = np.cos(angle), np.sin(angle)
    for k in moving:
        arm = points[k] - points[b]
        points[k] = points[b] + cos * arm + sin * np.cross(axis, arm) + (1 - cos) * np.dot(axis, arm) * axis


@numba.njit(cache=True, nogil=True)
def slot(x: float, y: float, z: float, cell: float, size: int) -> int:
    """Place in the hash table of the cell that holds a point; `size` is a power of two."""
    i, j, k = int(np.floor(x / cell)), int(np.floor(y / cell)), int(np.floor(z / cell))
    return ((i * 73856093) ^ (j * 19349663) ^ (k * 83492791)) & (size - 1)


@numba.njit(cache=True, nogil=True)
def near_in_graph(indptr: Ints, indices: Ints, i: int, j: int) -> bool:
    """Whether atoms i and j are at most three bonds apart."""
    for e in range(indptr[i], indptr[i + 1]):  # noqa: SIM110 - Numba knows no any()
        if indices[e] == j:
            return True
    return False


@numba.njit(cache=True, nogil=True)
def count_clashes(
    points: Floats,
    atoms: Ints,
    placed: Floats,
    heads: Ints,
    links: Ints,
    radii: Floats,
    indptr: Ints,
    indices: Ints,
    cell: float,
    stop: int,
) -> int:
    """Clashes of `atoms` at `points` among themselves and with placed atoms.

    `radii` are scaled: a pair clashes when closer than their sum. Counting ends at `stop`.
    """
    size, count = len(heads), 0
    seen = np.empty(27, dtype=np.int64)
    for p in range(len(atoms)):
        i = atoms[p]
        x, y, z = points[p]
        for q in range(p):
            gap = radii[i] + radii[atoms[q]]
            away = (x - points[q, 0]) ** 2 + (y - points[q, 1]) ** 2 + (z - points[q, 2]) ** 2
            if away < gap * gap and not near_in_graph(indptr, indices, i, atoms[q]):
                count += 1
        fresh = 0
        for dx in range(-1, 2):
            for dy in range(-1, 2):
                for dz in range(-1, 2):
                    here = slot(x + dx * cell, y + dy * cell, z + dz * cell, cell, size)
                    known = False
                    for k in range(fresh):
                        known = known or seen[k] == here
                    if known:
                        continue
                    seen[fresh] = here
                    fresh += 1
                    j = heads[here]
                    while j >= 0:
                        gap = radii[i] + radii[j]
                        away = (x - placed[j, 0]) ** 2 + (y - placed[j, 1]) ** 2 + (z - placed[j, 2]) ** 2
                        if away < gap * gap and not near_in_graph(indptr, indices, i, j):
                            count += 1
                        j = links[j]
        if count >= stop:
            return count
    return count


@numba.njit(cache=True, nogil=True)
def draw(rng: np.random.Generator, library: Packed, kind: int, conformer: int, boldness: float) -> Floats:
    """A unit conformer with its rotors turned: to its own, another conformer's or any torsion, with noise."""
    n_rows = library.n_rows[kind]
    top = library.first_row[kind] + conformer * n_rows
    points = library.rows[top : top + n_rows].copy()
    n_conformers = library.first_conformer[kind + 1] - library.first_conformer[kind]
    start, stop = library.first_rotor[kind], library.first_rotor[kind + 1]
    for r in range(start, stop):
        angle = rng.normal() * (0.06 if library.stiff[r] else 0.12 + 0.15 * boldness)
        if rng.random() < 0.2 + 0.5 * boldness:
            own = library.first_torsion[kind] + conformer * (stop - start) + r - start
            other = (
                library.first_torsion[kind] + int(rng.random() * n_conformers) * (stop - start) + r - start
            )
            angle += library.torsions[other] - library.torsions[own]
        if not library.stiff[r] and rng.random() < 0.2 * boldness:
            angle = 2.0 * np.pi * rng.random()
        moving = library.moving[library.first_moving[r] : library.first_moving[r + 1]]
        turn(points, library.axes[r, 0], library.axes[r, 1], moving, angle)
    return points


@numba.njit(cache=True, nogil=True)
def attach(
    rng: np.random.Generator,
    library: Packed,
    kind: int,
    conformer: int,
    boldness: float,
    points: Floats,
    exit_frame: Floats,
) -> Floats:
    """Points of a unit moved onto the end of the chain, with a drawn torsion about the junction.

    `exit_frame` holds the place of the unit's head atom and the axes of the junction.
    """
    first, stop = library.first_conformer[kind], library.first_conformer[kind + 1]
    torsion = library.entry[first + conformer]
    if rng.random() < 0.5:
        torsion = library.entry[first + int(rng.random() * (stop - first))]
    if library.stiff_entry[kind]:
        torsion += 0.05 * rng.normal()
    elif rng.random() < 0.5 * boldness:
        torsion = 2.0 * np.pi * rng.random()
    else:
        torsion += (0.1 + 0.25 * boldness) * rng.normal()
    before, head, after = library.line[kind, 0], library.line[kind, 1], library.line[kind, 2]
    inward = frame(points[head], points[head] - points[before], points[after])
    outward = np.empty((3, 3))
    outward[0] = exit_frame[1]
    outward[1] = np.cos(torsion) * exit_frame[2] + np.sin(torsion) * exit_frame[3]
    outward[2] = np.cross(outward[0], outward[1])
    return (points - points[head]) @ (inward.T @ outward) + exit_frame[0]


@numba.njit(cache=True, nogil=True)
def grow(
    rng: np.random.Generator,
    kinds: Ints,
    starts: Ints,
    library: Packed,
    radii: Floats,
    indptr: Ints,
    indices: Ints,
    trials: int,
) -> tuple[Floats, int]:
    """Grow a chain unit by unit; returns positions (N, 3) and the clashes that were left.

    A unit is drawn up to `trials` times until it clashes with nothing placed; when none of the draws does,
    a few units are taken back. After _PATIENCE growth steps a unit the least bad draw is kept.
    """
    n_units, n_atoms = len(kinds), starts[-1]
    cell = 2.0 * np.max(radii)
    size = 64
    while size < 2 * n_atoms:
        size *= 2
    heads, links = np.full(size, -1, dtype=np.int64), np.full(n_atoms, -1, dtype=np.int64)
    placed, exits = np.empty((n_atoms, 3)), np.zeros((n_units + 1, 4, 3))
    left = np.zeros(n_units, dtype=np.int64)
    steps, stuck, i = _PATIENCE * n_units + 50, 0.0, 0
    while i < n_units:
        kind, first, n = kinds[i], starts[i], starts[i + 1] - starts[i]
        n_conformers = library.first_conformer[kind + 1] - library.first_conformer[kind]
        fewest, steps = 1 << 30, steps - 1
        best = np.empty((n + 2, 3))
        probed = n if i + 1 == n_units else n + 1
        rows, probe = np.arange(probed), np.arange(first, first + probed)
        if probed > n:  # the place where the next unit's head will have to be
            rows[n], probe[n] = n + 1, starts[i + 1] + library.line[kinds[i + 1], 1]
        for trial in range(trials):
            conformer = int(rng.random() * n_conformers)
            points = draw(rng, library, kind, conformer, trial / trials)
            if i > 0:
                points = attach(rng, library, kind, conformer, trial / trials, points, exits[i])
            count = count_clashes(
                points[rows], probe, placed, heads, links, radii, indptr, indices, cell, fewest
            )
            if count < fewest:
                fewest, best = count, points
                if count == 0:
                    break
        if fewest == 0 or steps < 0 or i == 0:
            for p in range(n):
                placed[first + p] = best[p]
                here = slot(best[p, 0], best[p, 1], best[p, 2], cell, size)
                links[first + p] = heads[here]
                heads[here] = first + p
            line = library.line[kind]
            exits[i + 1, 0] = best[line[5]]
            exits[i + 1, 1:] = frame(best[line[4]], best[line[5]] - best[line[4]], best[line[3]])
            left[i] = fewest
            i += 1
            stuck = max(stuck - 0.3, 0.0)
        else:
            stuck += 1.0
            back = max(0, i - 1 - int(-np.log(rng.random()) * (0.5 + 0.2 * stuck)))
            for j in range(starts[i] - 1, starts[back] - 1, -1):
                here = slot(placed[j, 0], placed[j, 1], placed[j, 2], cell, size)
                heads[here] = links[j]
            i = back
    return placed, int(np.sum(left))
