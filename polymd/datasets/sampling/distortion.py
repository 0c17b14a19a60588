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
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    cut = bonded.copy()
    cut[near, far] = cut[far, near] = False
    return np.sort(breadth_first_order(csr_array(cut), far, return_predecessors=False)).astype(np.int64)


def _move(
    positions: Array,
    near: int,
    far: int,
    behind: NDArray[np.int64],
    others: NDArray[np.int64],
    rng: np.random.Generator,
) -> None:
    """One change of the atoms behind a bond, in place."""
    from scipy.spatial.transform import Rotation

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
    turn = Rotation.from_rotvec(angle * axis / max(float(np.linalg.norm(axis)), 1e-9))
    positions[behind] = origin + turn.apply(positions[behind] - origin)
