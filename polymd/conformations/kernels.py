"""Numba kernels of growth: frames, turns, drawing of torsions, repulsion and the loop over units."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.conformations.network import COUPLED, HARMONICS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEARNED, STIFF, FREE = 0, 1, 2
"""How a stage turns: by the network's density, as in the conformer, anyhow."""

BINS = 72
_ORDER = np.arange(1, HARMONICS + 1)[:, None]
_GRID = np.arange(BINS) * (2.0 * np.pi / BINS)
_BASIS = np.concatenate([np.cos(_ORDER * _GRID), np.sin(_ORDER * _GRID)]).T.copy()
_COLLINEAR = 0.02  # Å


class Units(NamedTuple):
    """Pools of conformers of K kinds of units in flat arrays; `polymd.conformations.library.UnitKind`.

    A unit is placed in stages: stage 0 turns it about the junction, stage r about its rotor r - 1; the
    rows of a stage are the atoms that no later stage moves.
    """

    rows: Floats  # (sum C (A + 2), 3) Å
    first_row: Ints  # (K,)
    n_rows: Ints  # (K,) A + 2
    first_conformer: Ints  # (K + 1,)
    entry: Floats  # (sum C,) rad, torsion of the junction
    line: Ints  # (K, 6)
    first_rotor: Ints  # (K + 1,)
    axes: Ints  # (R, 2)
    moving: Ints
    first_moving: Ints  # (R + 1,)
    torsions: Floats  # (sum C rotors,) rad
    first_torsion: Ints  # (K,)
    stage_rows: Ints
    first_stage_row: Ints  # (R + K + 1,), stages of kind k from first_rotor[k] + k on


class Links(NamedTuple):
    """Log densities of the torsions of a unit that follows given ones; `polymd.conformations.torsions`."""

    first_stage: Ints  # (L + 1,)
    turns: Ints  # (S,) LEARNED, STIFF or FREE
    series: Floats  # (S, 2 HARMONICS)
    first_coupling: Ints  # (S + 1,)
    back: Ints  # (X,) how many units back the parent is, 0 or 1
    parent: Ints  # (X,) its stage
    matrices: Floats  # (X, 2 COUPLED, 2 COUPLED)


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
def attach(
    points: Floats, n: int, before: int, head: int, after: int, place: Floats, axes: Floats, torsion: float
) -> None:
    """Move n rows onto the end of the chain: `head` to `place`, with a torsion about the junction.

    `axes` is the frame of the junction: its direction and the side from which the torsion counts.
    """
    inward = np.empty((3, 3))
    frame(inward, points[before], points[head], points[after])
    cos, sin = np.cos(torsion), np.sin(torsion)
    x, y, z = points[head, 0], points[head, 1], points[head, 2]
    for k in range(n):
        u, v, w = points[k, 0] - x, points[k, 1] - y, points[k, 2] - z
        p = inward[0, 0] * u + inward[0, 1] * v + inward[0, 2] * w
        q = inward[1, 0] * u + inward[1, 1] * v + inward[1, 2] * w
        r = inward[2, 0] * u + inward[2, 1] * v + inward[2, 2] * w
        across, up = cos * q - sin * r, sin * q + cos * r
        for d in range(3):
            points[k, d] = place[d] + p * axes[0, d] + across * axes[1, d] + up * axes[2, d]


@numba.njit(cache=True, nogil=True)
def distribution(links: Links, stage: int, angles: Floats, unit: int, softness: float, total: Floats) -> None:
    """Write to `total` (BINS,) the running sum of a torsion's density given the torsions drawn before.

    Densities are raised to the power 1 / (1 + softness).
    """
    series = links.series[stage].copy()
    given = np.empty(2 * COUPLED)
    for e in range(links.first_coupling[stage], links.first_coupling[stage + 1]):
        angle = angles[unit - links.back[e], links.parent[e]]
        for m in range(COUPLED):
            given[m], given[COUPLED + m] = np.cos((m + 1) * angle), np.sin((m + 1) * angle)
        for k in range(COUPLED):
            for m in range(2 * COUPLED):
                series[k] += links.matrices[e, k, m] * given[m]
                series[HARMONICS + k] += links.matrices[e, COUPLED + k, m] * given[m]
    most = -np.inf
    for b in range(BINS):
        log = 0.0
        for k in range(2 * HARMONICS):
            log += series[k] * _BASIS[b, k]
        total[b] = log
        most = max(most, log)
    running = 0.0
    for b in range(BINS):
        running += np.exp((total[b] - most) / (1.0 + softness))
        total[b] = running


@numba.njit(cache=True, nogil=True)
def pick(rng: np.random.Generator, total: Floats) -> float:
    """A torsion (rad) from a running sum: a bin, and a place in it."""
    b = np.searchsorted(total, rng.random() * total[BINS - 1], side="right")
    return float((min(b, BINS - 1) + rng.random() - 0.5) * (2.0 * np.pi / BINS))
