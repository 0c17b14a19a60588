"""Fingerprints belong to the infinite chain, not to the unit it is written with."""

import numpy as np
import pytest

from polymd.properties.chain_graph import ATOM_FIELDS, chain_graph
from polymd.properties.fingerprints import DESCRIPTORS, descriptors, environments, fingerprint, paths
from polymd.repeats import n_links, repeat, shift

from .chains import random_psmiles


@pytest.mark.parametrize("psmiles", list(random_psmiles(40, seed=2)))
def test_counts_of_a_longer_unit_are_a_multiple(psmiles: str) -> None:
    """No reduction to the smallest repeat here: the graph itself is that of the infinite chain."""
    unit = chain_graph(psmiles)
    for n in (2, 3):
        longer = chain_graph(shift(repeat(psmiles, n), 1))
        for counts in (environments, paths):
            assert counts(longer) == {key: n * count for key, count in counts(unit).items()}
        np.testing.assert_array_equal(descriptors(longer)[:-1], descriptors(unit)[:-1])
        assert longer.backbone.sum() == n * unit.backbone.sum()
        histogram = np.bincount(unit.pairs(6)[:, 3], minlength=7)
        np.testing.assert_array_equal(np.bincount(longer.pairs(6)[:, 3], minlength=7), n * histogram)


def check(psmiles: str, spelling: str) -> None:
    """Both spellings have the same fingerprint, to the last bit."""
    found, other = fingerprint(psmiles), fingerprint(spelling)
    assert other.environments == found.environments, (psmiles, spelling)
    assert other.paths == found.paths, (psmiles, spelling)
    assert other.n_atoms == found.n_atoms
    np.testing.assert_array_equal(other.descriptors, found.descriptors)


def test_a_random_repeat_and_shift_of_a_thousand() -> None:
    rng = np.random.default_rng(0)
    for psmiles in random_psmiles(1000, seed=3):
        check(psmiles, shift(repeat(psmiles, int(rng.integers(1, 5))), int(rng.integers(0, 24))))


@pytest.mark.slow
def test_every_repeat_and_shift_of_forty() -> None:
    for psmiles in random_psmiles(40, seed=4):
        for n in (1, 2, 3, 4):
            longer = repeat(psmiles, n)
            for links in range(n_links(longer)):
                check(psmiles, shift(longer, links))


def test_graph_of_polyethylene() -> None:
    graph = chain_graph("*C*")
    assert dict(zip(ATOM_FIELDS, graph.atoms[0].tolist(), strict=True)) == {
        "number": 6,
        "hydrogens": 2,
        "charge": 0,
        "aromatic": 0,
        "smallest_ring": 0,
        "neighbours": 2,
        "unsaturation": 0,
    }
    assert graph.edges.tolist() == [[0, 0], [0, 0]]
    assert graph.images.tolist() == [1, -1]
    assert graph.pairs(2).tolist() == [[0, 0, 1, 1], [0, 0, -1, 1], [0, 0, 2, 2], [0, 0, -2, 2]]


def test_backbone_goes_both_ways_round_a_ring() -> None:
    assert chain_graph("*c1ccc(*)cc1").backbone.all()
    assert chain_graph("*c1cccc(*)c1").backbone.sum() == 3
    assert chain_graph("*CC(*)c1ccccc1").backbone.sum() == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*C1CCC(CC1)C1CCC(*)CC1", "*C1CCC2C(CC1)CCC(*)CC2"),  # two rings linked, two rings fused
        ("*CC(*)C", "*CC(C)C(C)C*"),  # head to tail, head to head
        ("*CC(*)C1CCCCC1", "*CC(*)C1CCCC1"),
        ("*CCO*", "*CCCO*"),
    ],
)
def test_tells_chains_apart(one: str, other: str) -> None:
    assert fingerprint(one).paths != fingerprint(other).paths


def test_twin_rings_are_told_apart() -> None:
    """Decalin and hydroazulene in the backbone: alike in atoms, bonds and degrees."""
    six, seven = "*C1CCC2CC(*)CCC2C1", "*C1CCC2CC(*)CC2CC1"
    assert sorted(chain_graph(six).atoms[:, 5]) == sorted(chain_graph(seven).atoms[:, 5])
    assert fingerprint(six).paths != fingerprint(seven).paths


def test_stereo_is_not_seen() -> None:
    assert fingerprint("*/C=C/C*").paths == fingerprint("*/C=C\\C*").paths


def test_descriptors_have_names() -> None:
    values = dict(zip(DESCRIPTORS, fingerprint("*CC(*)C#N").descriptors.tolist(), strict=True))
    assert values["fraction_7"] == 0.25
    assert values["triple"] == 0.5
    assert values["backbone"] == 0.5
    assert values["hydrogens"] == 0.75
