"""E-MAT as published: MMFF94 energies of chains without their hydrogens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["HARTREE_KCAL_MOL", "energy_differences", "heavy_atom_energies"]

HARTREE_KCAL_MOL = 627.5094740631


def heavy_atom_energies(polymer: Polymer, positions: NDArray[np.floating]) -> NDArray[np.float64]:
    """MMFF94 energies (F,) in Hartree per heavy atom of `positions` (F, N, 3) Å, hydrogens removed.

    That is what PolyConf (arXiv 2504.08859) computes: molecules without hydrogens, whose energies mean
    little beyond telling clashes from none. NaN where MMFF94 lacks an atom type.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdForceFieldHelpers

    heavy = np.flatnonzero(polymer.atomic_numbers > 1)
    frames = np.asarray(positions, dtype=np.float64)[:, heavy]
    with rdBase.BlockLogs():
        mol = Chem.RemoveAllHs(polymer.to_rdkit())
        if mol.GetNumAtoms() != len(heavy):
            raise ValueError(f"{polymer.name} has hydrogens that RDKit keeps; allowed: ordinary hydrogens")
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
        if properties is None:
            return np.full(len(frames), np.nan)
        mol.AddConformer(Chem.Conformer(len(heavy)))
        energies = []
        for frame in frames:
            mol.GetConformer().SetPositions(np.ascontiguousarray(frame))
            field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
            energies.append(field.CalcEnergy() / HARTREE_KCAL_MOL / len(heavy))
    return np.array(energies, dtype=np.float64)


def energy_differences(generated: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """E_gen - E_ref (G, R), signed, for `matching`."""
    return generated[:, None] - reference[None, :]
