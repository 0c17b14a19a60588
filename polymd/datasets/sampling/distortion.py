"""Geometries that dynamics seldom reaches: bonds stretched, angles pinched, torsions turned into contacts.

A potential is right only where it has seen data; between the minima of its training and the short distances
of its wall it may have pits that hot dynamics finds. Labels of such geometries close them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOND_REACH = 1.25  #: times the sum of covalent radii; nearer atoms are bonded
MOVES = (1, 4)  #: bonds that are changed in one geometry, least and one more than most
STRETCH = (-0.2, 0.35)  #: Å
PINCH = (0.2, 0.75)  #: of the angle to another neighbour
JITTER = 0.04  #: Å, Gaussian on every coordinate

Array = NDArray[np.float64]


def distort(numbers: NDArray[np.int64], positions: Array, rng: np.random.Generator) -> Array:
    """A changed copy of positions (N, 3) in Å.

    One to three bonds that are in no ring are drawn, those of hydrogens and other end atoms half of the time.
    What lies behind the bond, the smaller side, is moved as a rigid body: along the bond, about its near atom
    towards another neighbour of it, or about the bond. A molecule without such a bond is only jittered.
    """
    bonded = bonds(numbers, positions)
    changed = positions.copy()
    branches = _branches(bonded)
    ends = [branch for branch in branches if len(branch[2]) == 1]
    for _ in range(rng.integers(*MOVES) if branches else 0):
        pool = ends if ends and rng.random() < 0.5 else branches
        near, far, behind = pool[rng.integers(len(pool))]
        others = np.setdiff1d(np.flatnonzero(bonded[near]), [far])
        _move(changed, near, far, behind, others, rng)
    return changed + rng.normal(0.0, JITTER, positions.shape)


def bonds(numbers: NDArray[np.int64], positions: Array) -> NDArray[np.bool_]:
    """Which atoms are bonded, (N, N), by distance and covalent radii."""
    from ase.data import covalent_radii

    radii = covalent_radii[numbers]
    distances = np.linalg.norm(positions[:, None] - positions[None, :], axis=2)
    near = distances < BOND_REACH * (radii[:, None] + radii[None, :])
    return np.asarray(near & ~np.eye(len(numbers), dtype=bool))


def _branches(bonded: NDArray[np.bool_]) -> list[tuple[int, int, NDArray[np.int64]]]:
    """Bonds in no ring: the near atom, the far atom, and the atoms behind it, at most half of all."""
    found = []
    for near, far in np.argwhere(bonded):
        behind = _reach(bonded, near, far)
        if near not in behind and 2 * len(behind) <= len(bonded):
            found.append((int(near), int(far), behind))
    return found


def _reach(bonded: NDArray[np.bool_], near: int, far: int) -> NDArray[np.int64]:
    """Atoms that are reached from `far` without the bond to `near`."""
    seen = np.zeros(len(bonded), dtype=bool)
    seen[far] = True
    front = seen.copy()
    while front.any():
        nearby = bonded[front].any(axis=0)
        if front[far]:
            nearby = bonded[far].copy()
            nearby[near] = False
        front = nearby & ~seen
        seen |= front
    return np.flatnonzero(seen)


def _move(
    positions: Array,
    near: int,
    far: int,
    behind: NDArray[np.int64],
    others: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """One change of the atoms behind a bond, in place."""
    origin = positions[near].copy()
    bond = positions[far] - origin
    kind = rng.integers(3 if len(others) else 1)
    if kind == 0:
        positions[behind] += bond / np.linalg.norm(bond) * rng.uniform(*STRETCH)
        return
    axis, angle = bond, rng.uniform(-np.pi, np.pi)
    if kind == 1:
        other = positions[rng.choice(others)] - origin
        axis = np.cross(bond, other)
        angle = rng.uniform(*PINCH) * np.arctan2(np.linalg.norm(axis), bond @ other)
    positions[behind] = origin + _rotated(positions[behind] - origin, axis, angle)


def _rotated(vectors: Array, axis: Array, angle: float) -> Array:
    """Vectors (M, 3) turned about an axis through the origin (Rodrigues' formula)."""
    length = np.linalg.norm(axis)
    if length == 0.0:
        return vectors
    unit = axis / length
    cosine, sine = np.cos(angle), np.sin(angle)
    along = (vectors @ unit)[:, None] * unit
    return np.asarray(vectors * cosine + np.cross(unit, vectors) * sine + along * (1.0 - cosine))
