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


_COLLINEAR = 0.02  # Å
_PATIENCE = 40  # growth steps a unit before the chain is finished with the least bad placements


@numba.njit(cache=True, nogil=True)
def frame(axes: Floats, start: Floats, stop: Floats, side: Floats) -> None:
    """Write a right-handed frame to `axes`, rows: start to stop, across it towards `side`, their product.

    `side` on the axis itself leaves the second direction to choice.
    """
    a, b, c = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2]
    length = np.sqrt(a * a + b * b + c * c)
    a, b, c = a / length, b / length, c / length
    x, y, z = side[0] - stop[0], side[1] - stop[1], side[2] - stop[2]
    along = a * x + b * y + c * z
    x, y, z = x - along * a, y - along * b, z - along * c
    length = np.sqrt(x * x + y * y + z * z)
    if length < _COLLINEAR:  # any direction across: the axis times x or y
        x, y, z = (0.0, c, -b) if abs(a) < 0.8 else (-c, 0.0, a)
        length = np.sqrt(x * x + y * y + z * z)
    x, y, z = x / length, y / length, z / length
    axes[0, 0], axes[0, 1], axes[0, 2] = a, b, c
    axes[1, 0], axes[1, 1], axes[1, 2] = x, y, z
    axes[2, 0], axes[2, 1], axes[2, 2] = b * z - c * y, c * x - a * z, a * y - b * x


@numba.njit(cache=True, nogil=True)
def turn(points: Floats, a: int, b: int, moving: Ints, first: int, stop: int, angle: float) -> None:
    """Rotate the rows `moving[first:stop]` by `angle` (rad) about the axis from row a to row b, in place.

    Rodrigues: r' = r cos(t) + (n x r) sin(t) + n (n r) (1 - cos(t)), with r from row b and n the axis.
    """
    u, v, w = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    length = np.sqrt(u * u + v * v + w * w)
    u, v, w = u / length, v / length, w / length
    cos, sin = np.cos(angle), np.sin(angle)
    for m in range(first, stop):
        k = moving[m]
        x, y, z = points[k, 0] - points[b, 0], points[k, 1] - points[b, 1], points[k, 2] - points[b, 2]
        along = (1.0 - cos) * (u * x + v * y + w * z)
        points[k, 0] = points[b, 0] + cos * x + sin * (v * z - w * y) + along * u
        points[k, 1] = points[b, 1] + cos * y + sin * (w * x - u * z) + along * v
        points[k, 2] = points[b, 2] + cos * z + sin * (u * y - v * x) + along * w


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
    first: int,
    n: int,
    beyond: int,
    placed: Floats,
    heads: Ints,
    links: Ints,
    radii: Floats,
    indptr: Ints,
    indices: Ints,
    cell: float,
    stop: int,
) -> int:
    """Clashes of the atoms first..first + n - 1 at `points` among themselves and with placed atoms.

    The atom `beyond`, if there is one (>= 0), at row n + 1 of `points` is probed as well. `radii` are
    scaled: a pair clashes when closer than their sum. Counting ends at `stop`.
    """
    size, count = len(heads), 0
    seen = np.empty(27, dtype=np.int64)
    for p in range(n if beyond < 0 else n + 1):
        i = first + p if p < n else beyond
        row = p if p < n else n + 1
        x, y, z = points[row, 0], points[row, 1], points[row, 2]
        for q in range(p):
            gap = radii[i] + radii[first + q]
            away = (x - points[q, 0]) ** 2 + (y - points[q, 1]) ** 2 + (z - points[q, 2]) ** 2
            if away < gap * gap and not near_in_graph(indptr, indices, i, first + q):
                count += 1
        fresh = 0
        for c in range(27):
            dx, dy, dz = c // 9 - 1, (c // 3) % 3 - 1, c % 3 - 1
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
def draw(
    rng: np.random.Generator, library: Packed, kind: int, conformer: int, boldness: float, points: Floats
) -> None:
    """Write a unit conformer to `points`, its rotors at their own, another conformer's or any torsion."""
    n_rows = library.n_rows[kind]
    top = library.first_row[kind] + conformer * n_rows
    for k in range(n_rows):
        for d in range(3):
            points[k, d] = library.rows[top + k, d]
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
        a, b = library.axes[r, 0], library.axes[r, 1]
        turn(points, a, b, library.moving, library.first_moving[r], library.first_moving[r + 1], angle)


@numba.njit(cache=True, nogil=True)
def attach(
    rng: np.random.Generator,
    library: Packed,
    kind: int,
    conformer: int,
    boldness: float,
    points: Floats,
    place: Floats,
    axes: Floats,
    inward: Floats,
) -> None:
    """Move the `points` of a unit onto the end of the chain, with a drawn torsion about the junction.

    `place` (3,) is where the unit's head goes, `axes` the frame of the junction there, `inward` scratch.
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
    frame(inward, points[before], points[head], points[after])
    cos, sin = np.cos(torsion), np.sin(torsion)
    x, y, z = points[head, 0], points[head, 1], points[head, 2]
    for k in range(library.n_rows[kind]):
        u, v, w = points[k, 0] - x, points[k, 1] - y, points[k, 2] - z
        p = inward[0, 0] * u + inward[0, 1] * v + inward[0, 2] * w
        q = inward[1, 0] * u + inward[1, 1] * v + inward[1, 2] * w
        r = inward[2, 0] * u + inward[2, 1] * v + inward[2, 2] * w
        across, up = cos * q - sin * r, sin * q + cos * r
        for d in range(3):
            points[k, d] = place[d] + p * axes[0, d] + across * axes[1, d] + up * axes[2, d]


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
    most = np.max(library.n_rows)
    placed, points, best = np.empty((n_atoms, 3)), np.empty((most, 3)), np.empty((most, 3))
    places, axes, inward = np.zeros((n_units + 1, 3)), np.zeros((n_units + 1, 3, 3)), np.empty((3, 3))
    left = np.zeros(n_units, dtype=np.int64)
    steps, stuck, i = _PATIENCE * n_units + 50, 0.0, 0
    while i < n_units:
        kind, first, n = kinds[i], starts[i], starts[i + 1] - starts[i]
        n_conformers = library.first_conformer[kind + 1] - library.first_conformer[kind]
        beyond = -1  # the next unit's head, whose place is known and probed too
        if i + 1 < n_units:
            beyond = starts[i + 1] + library.line[kinds[i + 1], 1]
        fewest, steps = 1 << 30, steps - 1
        for trial in range(trials):
            conformer, boldness = int(rng.random() * n_conformers), trial / trials
            draw(rng, library, kind, conformer, boldness, points)
            if i > 0:
                attach(rng, library, kind, conformer, boldness, points, places[i], axes[i], inward)
            count = count_clashes(
                points, first, n, beyond, placed, heads, links, radii, indptr, indices, cell, fewest
            )
            if count < fewest:
                fewest = count
                points, best = best, points
                if count == 0:
                    break
        if fewest == 0 or steps < 0 or i == 0:
            for p in range(n):
                here = slot(best[p, 0], best[p, 1], best[p, 2], cell, size)
                links[first + p], heads[here] = heads[here], first + p
                for d in range(3):
                    placed[first + p, d] = best[p, d]
            ref, tail, after = library.line[kind, 3], library.line[kind, 4], library.line[kind, 5]
            for d in range(3):
                places[i + 1, d] = best[after, d]
            frame(axes[i + 1], best[tail], best[after], best[ref])
            left[i] = fewest
            i, stuck = i + 1, max(stuck - 0.3, 0.0)
        else:
            stuck += 1.0
            back = max(0, i - 1 - int(-np.log(rng.random()) * (0.5 + 0.2 * stuck)))
            for j in range(starts[i] - 1, starts[back] - 1, -1):
                heads[slot(placed[j, 0], placed[j, 1], placed[j, 2], cell, size)] = links[j]
            i = back
    return placed, int(np.sum(left))
