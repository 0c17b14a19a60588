"""Kinds of polymers."""

import pytest

from polymd.properties.chain_graph import chain_graph
from polymd.properties.strata import chemical_class, strata


@pytest.mark.parametrize(
    ("psmiles", "names"),
    [
        ("*CC*", set()),
        ("*CC(*)c1ccccc1", {"rings in side chain"}),
        ("*c1ccc(O*)cc1", {"rings in backbone"}),
        ("*CC(*)CC(C)C", {"branched"}),
        ("*CC(*)CCCCC", {"long side chains"}),
        ("*C[Si](C)(C)*", {"rare elements"}),
    ],
)
def test_strata(psmiles: str, names: set[str]) -> None:
    assert strata(chain_graph(psmiles)) == names


@pytest.mark.parametrize(
    ("psmiles", "name"),
    [
        ("*CC*", "saturated carbon"),
        ("*C=CCC*", "unsaturated carbon"),
        ("*c1ccc(*)cc1", "aromatic carbon"),
        ("*CCO*", "ethers"),
        ("*CCN*", "amines"),
        ("*c1ccc(S*)cc1", "sulfur"),
        ("*NCCCCCC(=O)*", "amides and imides"),
        ("*NC(=O)NCC*", "urethanes and ureas"),
        ("*OC(=O)NCC*", "urethanes and ureas"),
        ("*OCCOC(=O)c1ccc(cc1)C(=O)*", "esters and carbonates"),
        ("*CC(=O)*", "other carbonyls"),
        ("*O[Si](C)(c1ccccc1)*", "silicon, phosphorus or boron"),
        ("*CC(*)(C)C(=O)OC", "saturated carbon"),
    ],
)
def test_classes(psmiles: str, name: str) -> None:
    assert chemical_class(chain_graph(psmiles)) == name
