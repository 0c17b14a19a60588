"""MMFF94 through RDKit for labelled frames: bond orders from the P-SMILES, atom order from the geometry.

T. A. Halgren, J. Comput. Chem. 17, 490 (1996).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule
from polymd.polymer import Polymer

KCAL_MOL = 0.0433641153  #: eV


class MissingParameters(ValueError):
    """MMFF94 has no parameters for an atom, or the molecule's bonds could not be found."""


def mmff94(molecule: LabelledMolecule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies (F,) eV and forces (F, N, 3) eV/Å. Raises MissingParameters."""
    from rdkit.Chem import rdForceFieldHelpers

    mol = bonded(molecule)
    if not rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        raise MissingParameters(f"MMFF94 lacks an atom type of {molecule.id}")
    set_positions(mol, molecule.positions[0])
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol, mmffVariant="MMFF94")
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties, nonBondedThresh=1e4)
    energies, forces = [], []
    for positions in molecule.positions:
        flat = positions.astype(np.float64).ravel().tolist()
        energies.append(field.CalcEnergy(flat))  # before CalcGrad, which trusts its cache of distances
        forces.append(-np.array(field.CalcGrad(flat)).reshape(-1, 3))
    return np.array(energies) * KCAL_MOL, np.array(forces) * KCAL_MOL


def bonded(molecule: LabelledMolecule) -> Any:
    """RDKit molecule with bond orders, in the atom order of the frames."""
    from rdkit import Chem

    template = template_of(molecule)
    for positions in molecule.positions:
        order = skeleton(template).GetSubstructMatch(connected(molecule.numbers, positions))
        if len(order) == template.GetNumAtoms() == len(molecule.numbers):
            return Chem.RenumberAtoms(template, list(order))
    raise MissingParameters(f"the bonds of {molecule.id} are not those of its P-SMILES")


def template_of(molecule: LabelledMolecule) -> Any:
    """Molecule of a P-SMILES, or of an id that is a SMILES."""
    from rdkit import Chem

    if molecule.psmiles:
        return Polymer(molecule.psmiles, molecule.n_units, ring=molecule.kind == "ring").to_rdkit()
    return Chem.AddHs(Chem.MolFromSmiles(molecule.id))


def skeleton(mol: Any) -> Any:
    """The same atoms with single bonds and no charges, for matching."""
    from rdkit import Chem

    bare = Chem.RWMol()
    for atom in mol.GetAtoms():
        bare.AddAtom(_plain(atom.GetAtomicNum()))
    for bond in mol.GetBonds():
        bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    return bare.GetMol()


def connected(numbers: NDArray[np.int64], positions: NDArray[Any]) -> Any:
    """Atoms with single bonds where they are closer than 1.3 times the sum of their covalent radii."""
    from ase.data import covalent_radii
    from rdkit import Chem
    from scipy.spatial.distance import cdist

    bare = Chem.RWMol()
    for number in numbers.tolist():
        bare.AddAtom(_plain(number))
    reach = 1.3 * (covalent_radii[numbers][:, None] + covalent_radii[numbers][None, :])
    for i, j in np.argwhere(np.triu(cdist(positions, positions) < reach, 1)).tolist():
        bare.AddBond(i, j, Chem.BondType.SINGLE)
    return bare.GetMol()


def _plain(number: int) -> Any:
    from rdkit import Chem

    atom = Chem.Atom(number)
    atom.SetNoImplicit(True)
    return atom


def set_positions(mol: Any, positions: NDArray[Any]) -> None:
    """Give the molecule one conformer, (N, 3) Å."""
    from rdkit import Chem

    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(np.ascontiguousarray(positions, dtype=np.float64))
    mol.RemoveAllConformers()
    mol.AddConformer(conformer)
