"""Internal coordinates of a chain: which bonds and angles it has, and torsions of many frames at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.geometry import torsion_angles

__all__ = ["angle_triples", "bond_pairs", "covalent_lengths", "dihedrals"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def bond_pairs(chain: Chain, atoms: Iterable[int] | None = None) -> Ints:
    """Bonds (B, 2) of a chain, i < j; with `atoms` those among them."""
    own = range(len(chain.neighbors)) if atoms is None else set(atoms)
    pairs = [(i, j) for i in own for j in chain.neighbors[i] if i < j and j in own]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def angle_triples(chain: Chain, atoms: Iterable[int] | None = None) -> Ints:
    """Angles (A, 3) of a chain, the apex in the middle; with `atoms` those among them."""
    own = range(len(chain.neighbors)) if atoms is None else set(atoms)
    triples = [
        (i, apex, j)
        for apex in own
        for i, j in combinations([a for a in chain.neighbors[apex] if a in own], 2)
    ]
    return np.array(triples, dtype=np.int64).reshape(-1, 3)


def covalent_lengths(numbers: Ints, pairs: Ints) -> Floats:
    """Sums (B,) in Å of the covalent radii of RDKit's periodic table."""
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    radii = np.array([table.GetRcovalent(int(number)) for number in numbers], dtype=np.float64)
    return np.asarray(radii[pairs].sum(axis=1))


def dihedrals(positions: Floats, quads: Ints) -> Floats:
    """Torsions (F, K) in rad, IUPAC sign, of atoms `quads` (K, 4) in `positions` (F, N, 3)."""
    a, b, c, d = (positions[:, quads[:, k]] for k in range(4))
    return torsion_angles(a, b, c, d)
