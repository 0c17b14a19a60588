from __future__ import annotations

import numpy as np
from rdkit import Chem

from polymd.conformations.chain import Chain
from polymd.conformations.library import pack, unit_kinds
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


def kinds_of(polymer: Polymer) -> tuple[list, np.ndarray, list[int]]:
    return unit_kinds(Chain.of(polymer), np.zeros(polymer.n_units, dtype=np.int64))


def test_units_of_mirrored_stereo_share_mirrored_conformers() -> None:
    kinds, which, examples = kinds_of(Polymer("*CC(*)C", 12, seed=1))
    assert len(which) == 12
    assert len(kinds) == len(examples) == 4
    assert [which[i] for i in examples] == [0, 1, 2, 3]
    left, right = kinds[which[1]], next(kinds[k] for k in which[2:-1] if k != which[1])
    np.testing.assert_allclose(left.coordinates * [-1, 1, 1], right.coordinates)
    np.testing.assert_allclose(left.entry, -right.entry)


def test_packed_conformers_are_the_same_numbers() -> None:
    kinds, _, _ = kinds_of(Polymer("*CCO*", 4))
    packed = pack(kinds)
    for k, kind in enumerate(kinds):
        n = packed.n_rows[k]
        for c, xyz in enumerate(kind.coordinates):
            top = packed.first_row[k] + c * n
            np.testing.assert_array_equal(packed.rows[top : top + n], xyz)
    assert packed.first_rotor[-1] == len(packed.axes) == sum(len(kind.turns) for kind in kinds)
    assert packed.first_moving[-1] == len(packed.moving)


def test_every_atom_belongs_to_one_stage() -> None:
    kinds, _, _ = kinds_of(Polymer("*CC(C)(*)C(=O)OC", 4))
    packed = pack(kinds)
    for k, kind in enumerate(kinds):
        start = packed.first_rotor[k] + k
        first, stop = packed.first_stage_row[[start, start + len(kind.turns) + 1]]
        n = int(packed.n_rows[k])
        assert sorted(packed.stage_rows[first:stop].tolist()) == [*range(n - 2), n - 1]
