"""Clashes: atoms four or more bonds apart that are closer than 0.70 of their summed van der Waals radii."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["CLASH_SCALE", "clash_count", "clashes", "graph_neighbors", "van_der_waals_radii"]

CLASH_SCALE = 0.70
"""Fraction of the summed van der Waals radii under which two atoms clash."""

_FAR = 3
"""Atoms up to this many bonds apart never clash: their distance is set by bonds, angles and one torsion."""


def clash_count(polymer: Polymer, positions: NDArray[np.floating], scale: float = CLASH_SCALE) -> int:
    """Number of clashing pairs in one conformation; `positions` (N, 3) Å."""
    return len(clashes(polymer, positions, scale))


def clashes(
    polymer: Polymer, positions: NDArray[np.floating], scale: float = CLASH_SCALE
) -> NDArray[np.int64]:
    """Clashing pairs of one conformation.

    A pair (i, j) four or more bonds apart clashes if |x_i - x_j| < scale (r_i + r_j), with the van der
    Waals radii r of RDKit's periodic table.

    Parameters
    ----------
    polymer
        Gives elements and bonds.
    positions
        (N, 3) Å.
    scale
        Fraction of the summed radii.

    Returns
    -------
    (P, 2) int64
        Pairs i < j.
    """
    radii = van_der_waals_radii(polymer.atomic_numbers)
    tree = cKDTree(np.asarray(positions, dtype=np.float64))
    pairs: NDArray[np.int64] = tree.query_pairs(2 * scale * float(radii.max()), output_type="ndarray").astype(
        np.int64
    )
    distance = np.linalg.norm(positions[pairs[:, 0]] - positions[pairs[:, 1]], axis=1)
    pairs = pairs[distance < scale * radii[pairs].sum(axis=1)]
    indptr, indices = graph_neighbors(polymer.n_atoms, polymer.bonds)
    owner = np.repeat(np.arange(polymer.n_atoms), np.diff(indptr))
    near = owner * polymer.n_atoms + indices
    far = ~np.isin(pairs[:, 0] * polymer.n_atoms + pairs[:, 1], near)
    return pairs[far]


def graph_neighbors(
    n_atoms: int, bonds: NDArray[np.int64], reach: int = _FAR
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Atoms one to `reach` bonds from each atom, itself left out, as CSR: indptr (N+1,), indices (E,)."""
    both = np.concatenate([bonds, bonds[:, ::-1]])
    adjacency = coo_matrix((np.ones(len(both), dtype=np.int64), both.T), shape=(n_atoms, n_atoms)).tocsr()
    total = step = adjacency
    for _ in range(reach - 1):
        step = step @ adjacency
        total = total + step
    total.setdiag(0)
    total.eliminate_zeros()
    total.sort_indices()
    return total.indptr.astype(np.int64), total.indices.astype(np.int64)


def van_der_waals_radii(atomic_numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Van der Waals radii (N,) in Å, from RDKit's periodic table."""
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    return np.array([table.GetRvdw(int(number)) for number in atomic_numbers], dtype=np.float64)
