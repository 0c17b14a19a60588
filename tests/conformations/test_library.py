from __future__ import annotations

import numpy as np
from rdkit import Chem

from polymd.conformations.library import pack, unit_conformers
from polymd.conformations.windows import cut_out, kekulised, surroundings
from polymd.polymer import Polymer


def test_windows_cut_only_single_chain_bonds() -> None:
    polymer = Polymer("*OCCOC(=O)c1ccc(cc1)C(=O)*", 4)
    mol = kekulised(polymer.to_rdkit())
    window = surroundings(mol, polymer.unit_atoms(1).tolist())
    assert set(polymer.unit_atoms(1).tolist()) < set(window)
    piece = cut_out(mol, window)
    whole = Chem.MolToSmiles(Chem.RemoveHs(piece))
    assert "." not in whole
    assert whole.count("c1") == 4 or whole.count("c1ccc") >= 1
    assert not any(atom.GetNumRadicalElectrons() for atom in piece.GetAtoms())
    assert [a.GetAtomicNum() for a in piece.GetAtoms()][: len(window)] == polymer.atomic_numbers[
        window
    ].tolist()


def test_windows_keep_stereo() -> None:
    polymer = Polymer("*C[C@H](*)CC", 6)
    mol = kekulised(polymer.to_rdkit())
    piece = cut_out(mol, surroundings(mol, polymer.unit_atoms(2).tolist()))
    kept = [a for a in piece.GetAtoms() if a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    assert len(kept) >= 2
    cis = kekulised(Polymer("*C/C=C\\C*", 3).to_rdkit())
    stereo = [b.GetStereo() for b in cut_out(cis, list(range(cis.GetNumAtoms()))).GetBonds()]
    assert stereo.count(Chem.BondStereo.STEREOCIS) + stereo.count(Chem.BondStereo.STEREOZ) == 3


def test_units_of_mirrored_stereo_share_mirrored_conformers() -> None:
    polymer = Polymer("*CC(*)C", 12, seed=1)
    kinds, which = unit_conformers(polymer, 0)
    assert len(which) == 12
    assert len(kinds) == 4
    left, right = kinds[which[1]], next(kinds[k] for k in which[2:-1] if k != which[1])
    np.testing.assert_allclose(left.coordinates * [-1, 1, 1], right.coordinates)
    np.testing.assert_allclose(left.entry, -right.entry)


def test_packed_conformers_are_the_same_numbers() -> None:
    polymer = Polymer("*CCO*", 4)
    kinds, _ = unit_conformers(polymer, 0)
    packed = pack(kinds)
    for k, kind in enumerate(kinds):
        n = packed.n_rows[k]
        for c, xyz in enumerate(kind.coordinates):
            top = packed.first_row[k] + c * n
            np.testing.assert_array_equal(packed.rows[top : top + n], xyz)
    assert packed.first_rotor[-1] == len(packed.axes) == sum(len(kind.rotors) for kind in kinds)
    assert packed.first_moving[-1] == len(packed.moving)
