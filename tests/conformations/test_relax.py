from __future__ import annotations

import numpy as np

from polymd.conformations.clashes import clash_count, clashes
from polymd.conformations.etkdg import embed
from polymd.conformations.relax import Shape, push_off
from polymd.polymer import Polymer


def test_push_off_parts_overlapping_groups_and_keeps_bonds() -> None:
    polymer = Polymer("*CC(*)C", 8, seed=2)
    shape = Shape.of(polymer)
    apart = embed(polymer.to_rdkit(), 1, 1)[0]
    squeezed = apart.copy()
    squeezed[:, 0] *= 0.75
    clashing = clashes(polymer, squeezed, 0.8)
    pushed = push_off(shape, squeezed, 0.8)
    assert len(clashing) > 0
    assert clash_count(polymer, pushed, 0.77) == 0
    i, j = polymer.bonds.T
    before, after = (np.linalg.norm(x[i] - x[j], axis=1) for x in (squeezed, pushed))
    assert np.abs(before - after).max() < 0.15


def test_nothing_to_push_moves_nothing() -> None:
    polymer = Polymer("*CCO*", 2)
    positions = embed(polymer.to_rdkit(), 1, 1)[0]
    np.testing.assert_array_equal(push_off(Shape.of(polymer), positions, 0.5), positions)


def test_rigid_pairs_hold_rings_and_double_bonds() -> None:
    polymer = Polymer("*CC(*)c1ccccc1", 1)
    shape = Shape.of(polymer)
    stiffness = {tuple(p): k for p, k in zip(shape.pairs.tolist(), shape.stiffness.tolist(), strict=True)}
    mol = polymer.to_rdkit()  # its ring information lives no longer than the molecule
    ring = next(iter(mol.GetRingInfo().AtomRings()))
    para = tuple(sorted((ring[0], ring[3])))
    assert stiffness[para] > 10 * min(stiffness.values())
