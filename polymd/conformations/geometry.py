"""Torsions, and whether coordinates have the stereo of a molecular graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rdkit.Chem import Mol

__all__ = ["dihedral", "keeps_stereo", "torsion_angles"]

Floats = NDArray[np.float64]


def torsion_angles(a: Floats, b: Floats, c: Floats, d: Floats) -> Floats:
    """Torsions a-b-c-d (...) in rad, IUPAC sign, of points (..., 3); 0 where they are undefined."""
    axis = c - b
    left, right = np.cross(b - a, axis), np.cross(axis, d - c)
    length = np.maximum(np.linalg.norm(axis, axis=-1), 1e-9)
    turn = (np.cross(left, right) * axis).sum(axis=-1) / length
    return np.asarray(np.arctan2(turn, (left * right).sum(axis=-1)))


def dihedral(a: Floats, b: Floats, c: Floats, d: Floats) -> float:
    """Torsion a-b-c-d in rad of four points (3,), as `torsion_angles`."""
    return float(torsion_angles(a, b, c, d))


def keeps_stereo(mol: Mol, positions: NDArray[np.floating]) -> bool:
    """Whether `positions` (N, 3) have every tetrahedral and double-bond stereo that `mol` has.

    Signed volumes and torsions are read off the coordinates, no stereo perception is involved.
    """
    from rdkit import Chem

    x = np.asarray(positions, dtype=np.float64)
    for atom in mol.GetAtoms():
        tag = atom.GetChiralTag()
        if tag in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
            around = [bond.GetOtherAtomIdx(atom.GetIdx()) for bond in atom.GetBonds()]
            if len(around) == 3:  # the atom itself lies on the side of its lone pair
                around.append(atom.GetIdx())
            volume = float(np.linalg.det(x[around[1:4]] - x[around[0]]))
            if (volume > 0) != (tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW):
                return False
    for bond in mol.GetBonds():
        ends = list(bond.GetStereoAtoms())
        if bond.GetStereo() == Chem.BondStereo.STEREONONE or len(ends) != 2:
            continue
        trans = bond.GetStereo() in (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)
        torsion = dihedral(x[ends[0]], x[bond.GetBeginAtomIdx()], x[bond.GetEndAtomIdx()], x[ends[1]])
        if (abs(torsion) > np.pi / 2) != trans:
            return False
    return True
