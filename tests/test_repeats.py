"""Every spelling of an infinite chain leads to one canonical chain."""

import pytest
from rdkit import Chem

from polymd.psmiles import canonicalise
from polymd.repeats import (
    canonical_chain,
    link_stars,
    n_links,
    repeat,
    shift,
    smallest_repeat,
    substitute_stars,
)

from .properties.chains import random_psmiles


@pytest.mark.parametrize("psmiles", list(random_psmiles(100, seed=1)))
def test_repeats_and_shifts_are_one_chain(psmiles: str) -> None:
    chain = canonical_chain(psmiles)
    for n in (1, 2, 3):
        longer = repeat(psmiles, n)
        assert n_links(longer) == n * n_links(psmiles)
        assert {canonical_chain(shift(longer, i)) for i in range(n_links(psmiles))} == {chain}


@pytest.mark.parametrize(
    ("psmiles", "unit"),
    [
        ("*CCOCCO*", "*CCO*"),
        ("*CC*", "*C*"),
        ("*c1ccc(-c2ccc(*)s2)s1", "*c1ccc(*)s1"),
        ("*/C=C/C=C/*", "*C=C*"),
        ("*C=CC=C*", "*C=C*"),
        ("*=C1C=CC(=C2C=CC(=*)C=C2)C=C1", "*=C1C=CC(=*)C=C1"),
        ("*CC(*)c1ccccc1", "*CC(*)c1ccccc1"),
        ("*OCCOCC*", "*OCC*"),
    ],
)
def test_smallest_repeat(psmiles: str, unit: str) -> None:
    assert smallest_repeat(psmiles) == canonicalise(unit)


def test_head_and_tail_matter_along_the_chain() -> None:
    head_to_head = "*CC(C)C(C)C*"  # of polypropylene
    assert canonical_chain(head_to_head) != canonical_chain("*CC(*)C")
    assert canonical_chain("*CC(*)C") == canonical_chain("*C(C)C*")


def test_shift_comes_back() -> None:
    assert shift("*CCO*", 3) == shift("*CCO*", 0) == "*CCO*"
    assert shift("*CCO*", 1) == shift("*CCO*", -2) == "*COC*"


def test_linked_stars_make_a_ring() -> None:
    ring = link_stars("*CCO*", 4)
    assert Chem.MolToSmiles(ring) == Chem.CanonSmiles("C1COCCOCCOCCO1")
    assert Chem.MolToSmiles(link_stars("*CCO*")) == Chem.CanonSmiles("C1CO1")
    assert Chem.MolToSmiles(link_stars("*=CC=*", 4)) == Chem.CanonSmiles("C1=CC=CC=CC=C1")


@pytest.mark.parametrize(("psmiles", "n"), [("*C*", 1), ("*CC*", 1), ("*C*", 2)])
def test_no_ring_of_one_or_two_atoms(psmiles: str, n: int) -> None:
    with pytest.raises(ValueError, match="bond two atoms twice"):
        link_stars(psmiles, n)


@pytest.mark.parametrize(
    ("psmiles", "molecule"),
    [
        ("*CCO*", "OCCOC"),
        ("*O[Si](C)(C)*", "[SiH3]O[Si](C)(C)O"),
        ("*CC(*)c1ccccc1", "CCC(C)c1ccccc1"),
        ("*=CC=*", "C=CC=C"),
    ],
)
def test_substituted_stars(psmiles: str, molecule: str) -> None:
    assert Chem.MolToSmiles(substitute_stars(psmiles)) == Chem.CanonSmiles(molecule)


def test_no_repeat_is_an_error() -> None:
    with pytest.raises(ValueError, match="bad number of repeats 0; allowed: 1 or more"):
        repeat("*C*", 0)
