from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.chain import Chain
from polymd.conformations.etkdg import embed
from polymd.conformations.internal import dihedrals
from polymd.conformations.rotors import torsion_terms, unit_rotors
from polymd.polymer import Polymer


def rotors_of(chain: Chain) -> list:
    return [rotor for i in range(chain.n_units) for rotor in unit_rotors(chain, i)]


@pytest.mark.parametrize(
    ("psmiles", "per_unit"),
    [
        ("*CCO*", 3),
        ("*CC(*)C", 3),  # with the methyl group
        ("*CC(*)c1ccccc1", 3),
        ("*CC(C)(*)C(=O)OC", 6),
        ("*C=CCC*", 3),
        ("*c1ccc(*)cc1", 1),
        ("*CC#CC*", 3),
        ("*C1CCC(*)CC1", 1),
    ],
)
def test_bonds_that_turn(psmiles: str, per_unit: int) -> None:
    chain = Chain.of(Polymer(psmiles, 4))
    middle = unit_rotors(chain, 2)
    assert len(middle) == per_unit
    assert chain.unit_of[middle[0].near] == 1  # the junction comes first
    assert all(chain.depth[r.near] < chain.depth[r.far] for r in middle)
    assert [r.backbone for r in middle] == sorted((r.backbone for r in middle), reverse=True)


def test_bonds_at_triple_bonds_are_free() -> None:
    chain = Chain.of(Polymer("*CC#CC*", 3))
    assert [r.free for r in unit_rotors(chain, 1)] == [False, True, True]


def test_torsions_between_substituents_are_the_rotors_plus_offsets() -> None:
    """What the terms mean: offsets measured on one frame give every torsion of the molecule."""
    polymer = Polymer("*CC(C)(*)C(=O)OC", 3)
    for chain in (Chain.of(polymer), Chain.of(polymer).reversed()):
        rotors = rotors_of(chain)
        terms = torsion_terms(chain, rotors)
        x = embed(polymer.to_rdkit(), 1, 1)
        quads = np.array([(r.before, r.near, r.far, r.after) for r in rotors])
        torsions = dihedrals(x, quads)[0]
        sides = quads[terms.offset_rotor]
        far = terms.offset_far.astype(bool)
        sides[~far, 0], sides[far, 3] = terms.offset_atom[~far], terms.offset_atom[far]
        offsets = dihedrals(x, sides)[0] - torsions[terms.offset_rotor]

        def same(angles: np.ndarray, expected: np.ndarray) -> None:
            np.testing.assert_allclose(np.angle(np.exp(1j * (angles - expected))), 0.0, atol=1e-9)

        total = torsions[terms.single_rotor] + offsets[terms.single_offsets].sum(axis=1)
        same(total, dihedrals(x, terms.single_atoms)[0])
        parent, child = offsets[terms.term_offsets].reshape(-1, 2, 2).sum(axis=2).T
        same(
            torsions[terms.pair_parent[terms.term_pair]] + parent,
            dihedrals(x, terms.term_atoms[:, [0, 1, 2, 3]])[0],
        )
        same(
            torsions[terms.pair_child[terms.term_pair]] + child,
            dihedrals(x, terms.term_atoms[:, [1, 2, 3, 4]])[0],
        )
        assert np.all(terms.pair_parent < terms.pair_child)


def test_reading_backwards_turns_the_same_bonds() -> None:
    chain = Chain.of(Polymer("*CC(*)c1ccccc1", 3))
    forward = {frozenset((r.near, r.far)) for r in rotors_of(chain)}
    backward = {frozenset((r.near, r.far)) for r in rotors_of(chain.reversed())}
    assert forward == backward
