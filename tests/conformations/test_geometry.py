from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from polymd.conformations.etkdg import embed
from polymd.conformations.geometry import dihedral, keeps_stereo
from polymd.polymer import Polymer

MIRROR = np.array([-1.0, 1.0, 1.0])


def test_dihedral_is_rdkits() -> None:
    mol = Chem.AddHs(Chem.MolFromSmiles("OCC(C)N"))
    xyz = embed(mol, 1, 3)[0]
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(xyz)
    assert dihedral(*xyz[[0, 1, 2, 3]]) == pytest.approx(
        rdMolTransforms.GetDihedralRad(conformer, 0, 1, 2, 3), abs=1e-9
    )


@pytest.mark.parametrize("psmiles", ["*CC(*)C", "*[Si](C)(c1ccccc1)O*", "*S(=O)CC*", "*C[C@H](*)CC"])
def test_mirror_images_do_not_keep_chirality(psmiles: str) -> None:
    mol = Polymer(psmiles, 4).to_rdkit()
    for xyz in embed(mol, 2, 1):
        assert keeps_stereo(mol, xyz)
        assert not keeps_stereo(mol, xyz * MIRROR)


def test_isomers_are_told_apart() -> None:
    cis, trans = (Polymer(p, 3).to_rdkit() for p in ("*C/C=C\\C*", "*C/C=C/C*"))
    xyz = embed(cis, 1, 1)[0]
    assert keeps_stereo(cis, xyz)
    assert keeps_stereo(cis, xyz * MIRROR)
    assert not keeps_stereo(trans, xyz)
