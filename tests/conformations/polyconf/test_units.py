from __future__ import annotations

import numpy as np
import pytest

from polymd import Polymer
from polymd.conformations.graph_features import ATOM_FEATURES
from polymd.conformations.polyconf.units import chain_units

HANDEDNESS = ATOM_FEATURES + 2


def test_every_atom_belongs_to_one_unit(polymer: Polymer) -> None:
    units = chain_units(polymer)
    assert sorted(units.atoms[units.own].tolist()) == list(range(polymer.n_atoms))
    assert not units.own[~units.present].any()


def test_tacticity_shows_as_handedness() -> None:
    for tacticity, expected in (("isotactic", 1), ("syndiotactic", -1)):
        units = chain_units(Polymer("*CC(*)(C)C(=O)OC", 6, tacticity=tacticity))
        hands = units.features[..., HANDEDNESS] * units.own
        signs = hands.sum(axis=1)
        assert np.all(np.abs(signs[1:-1]) == 1)
        assert np.all(signs[2:5] * signs[1:4] == expected)


def test_turns_move_what_lies_beyond() -> None:
    units = chain_units(Polymer("*CCO*", 3))
    quads, moving = units.quads[1][units.turns[1]], units.moving[1][units.turns[1]]
    assert len(quads) == 2
    star_after = units.line[1, 5]
    for quad, moved in zip(quads, moving, strict=True):
        assert moved[quad[3]]
        assert moved[star_after]
        assert not moved[quad[:3]].any()


def test_turns_beside_a_triple_bond_are_free() -> None:
    units = chain_units(Polymer("*C#CCC*", 3))
    assert units.free[1].any()
    assert not units.free[~units.turns].any()


@pytest.mark.parametrize(
    "polymer", [Polymer("*CCO*", 12, ring=True), Polymer(["*CC*", "*CCO*"], 4)], ids=["ring", "copolymer"]
)
def test_only_linear_homopolymers(polymer: Polymer) -> None:
    with pytest.raises(ValueError, match="linear homopolymers"):
        chain_units(polymer)
