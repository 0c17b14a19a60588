from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdForceFieldHelpers

from polymd.conformations.etkdg import embed
from polymd.conformations.metrics.energies import (
    HARTREE_KCAL_MOL,
    energy_differences,
    heavy_atom_energies,
)
from polymd.polymer import Polymer


def test_energies_are_those_of_the_molecule_without_hydrogens() -> None:
    polymer = Polymer("*CCO*", 3)
    mol = polymer.to_rdkit()
    x = embed(mol, 2, 0)
    found = heavy_atom_energies(polymer, x)
    for frame, energy in zip(x, found, strict=True):
        conformer = Chem.Conformer(polymer.n_atoms)
        conformer.SetPositions(np.ascontiguousarray(frame))
        mol.RemoveAllConformers()
        mol.AddConformer(conformer)
        bare = Chem.RemoveHs(mol)
        field = rdForceFieldHelpers.MMFFGetMoleculeForceField(
            bare, rdForceFieldHelpers.MMFFGetMoleculeProperties(bare)
        )
        assert energy == pytest.approx(field.CalcEnergy() / HARTREE_KCAL_MOL / bare.GetNumAtoms())


def test_a_clash_costs_and_an_unknown_type_has_no_energy() -> None:
    polymer = Polymer("*CCO*", 3)
    x = embed(polymer.to_rdkit(), 1, 0)
    folded = x.copy()
    first, last = polymer.backbone[[0, -1]]
    folded[0, last] = folded[0, first] + 0.3
    assert heavy_atom_energies(polymer, folded)[0] > heavy_atom_energies(polymer, x)[0] + 0.1
    siloxane = Polymer("*[Si](C)(c1ccccc1)O*", 2)
    assert np.isnan(heavy_atom_energies(siloxane, np.zeros((1, siloxane.n_atoms, 3)))).all()


def test_differences_are_signed() -> None:
    found = energy_differences(np.array([1.0, 4.0, 2.0]), np.array([3.0, 0.5]))
    np.testing.assert_array_equal(found, [[-2.0, 0.5], [1.0, 3.5], [-1.0, 1.5]])
