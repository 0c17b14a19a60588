"""Contributions of groups: they belong to the chain, and say what is known of plain polymers."""

import numpy as np
import pytest

from polymd.properties.chain_graph import chain_graph
from polymd.properties.contributions import CONTRIBUTIONS, contributions
from polymd.repeats import repeat, shift, shortened
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles


def named(psmiles: str) -> dict[str, float]:
    return dict(zip(CONTRIBUTIONS, contributions(chain_graph(shortened(psmiles))), strict=True))


def test_belongs_to_the_chain() -> None:
    for psmiles in random_psmiles(60, seed=3):
        values = contributions(chain_graph(shortened(psmiles)))
        assert values.shape == (len(CONTRIBUTIONS),)
        assert np.isfinite(values).all()
        spelt = shift(repeat(psmiles, 2), 1)
        other = contributions(chain_graph(shortened(spelt)))
        np.testing.assert_allclose(other, values, rtol=SPELLING_RTOL, err_msg=psmiles)


@pytest.mark.parametrize(
    ("psmiles", "index"),
    [("*CC*", 1.49), ("*CCO*", 1.456), ("*CC(*)c1ccccc1", 1.59), ("*CC(*)(C)C(=O)OC", 1.49)],
)
def test_refractive_indices_are_near_those_of_handbooks(psmiles: str, index: float) -> None:
    """Amorphous or molten polymers, van Krevelen, Properties of Polymers, table 10.1."""
    assert named(psmiles)["refractive_index"] == pytest.approx(index, abs=0.08)


def test_rotation_regularity_and_side_chains() -> None:
    polystyrene, polyethylene = named("*CC(*)c1ccccc1"), named("*CC*")
    assert polyethylene["irregular"] == polyethylene["side_share"] == polyethylene["longest_side"] == 0.0
    assert polystyrene["irregular"] == 0.5  # every other atom of the backbone has a phenyl group
    assert polystyrene["side_share"] == 0.75
    assert named("*CC(*)(C)C")["irregular"] == 0.0  # two like groups
    assert polyethylene["rotatable_backbone"] == 1.0
    assert named("*c1ccc(O*)cc1")["rotatable_backbone"] < 0.5


def test_deuterium_weighs_little() -> None:
    light, heavy = named("*CC(*)C"), named("*C([2H])([2H])C(*)C")
    assert heavy["mass_density"] < 1.2 * light["mass_density"]


def test_rare_elements_are_no_error() -> None:
    assert np.isfinite(contributions(chain_graph("*[Se](=O)CC*"))).all()
