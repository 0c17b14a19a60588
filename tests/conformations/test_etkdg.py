from __future__ import annotations

import numpy as np
from rdkit import Chem

from polymd.conformations.etkdg import embed


def test_conformations_differ_whatever_the_seed() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCCCCO"))
    for seed in (0, 2**31 - 2, 2**31 - 1):
        first, second, third = embed(mol, 3, seed)
        assert not np.allclose(first, second)
        assert not np.allclose(second, third)


def test_seed_decides() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCCCCCO"))
    np.testing.assert_array_equal(embed(mol, 2, 7), embed(mol, 2, 7))
    assert not np.allclose(embed(mol, 1, 7), embed(mol, 1, 8))
