"""Reading, checking and spelling of P-SMILES."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from polymd.psmiles import PSmilesError, canonicalise, parse, star_indices

CHAIN = [
    "C",
    "O",
    "S",
    "N(C)",
    "C(C)(CC)",
    "c1ccc(cc1)",
    "C(=O)",
    "[Si](C)(c1ccccc1)",
    "C(F)(F)",
    "[C@H](CC)",
    "C/C=C/C",
]
units = st.lists(st.sampled_from(CHAIN), min_size=1, max_size=5).map("".join)


@pytest.mark.parametrize(
    ("psmiles", "problem"),
    [
        ("polystyrene", "cannot read"),
        ("", "not a SMILES"),
        ("*CC* named", "not a SMILES"),
        ("*CC* |$;;;$|", "not a SMILES"),
        ("CC", "0 stars"),
        ("*CC", "1 star;"),
        ("*CC(*)C*", "3 stars"),
        ("*1CC*1", "2 and 2 neighbours"),
        ("*C.C*", "separate fragments"),
        ("*=CC*", "double and single"),
        ("*:CC:*", "aromatic"),
        ("**", "no atom between"),
        ("[*H]CC*", "charge or hydrogens"),
        ("[*+]CC*", "charge or hydrogens"),
        ("*C~C*", "bond of known order|not a covalent bond"),
        ("*[CH]C*", "unpaired electrons on C1"),
        ("*C(C)(C)(C)*", "valence"),
        ("*c1ccc*1", "RDKit|neighbours"),
        (None, "not a SMILES"),
    ],
)
def test_bad_input_says_what_is_wrong(psmiles: str, problem: str) -> None:
    with pytest.raises(PSmilesError, match=problem) as caught:
        parse(psmiles)
    assert "allowed: " in str(caught.value)
    assert "fix: " in str(caught.value)
    assert repr(psmiles) in str(caught.value)


def test_error_survives_another_process() -> None:
    with pytest.raises(PSmilesError) as caught:
        parse("*CC")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    "psmiles", ["*CC(*)c1ccccc1", "[*]CC([*])c1ccccc1", "[*:1]CC([*:2])c1ccccc1", "[1*]CC([2*])C1=CC=CC=C1"]
)
def test_stars_may_carry_labels(psmiles: str) -> None:
    assert canonicalise(psmiles) == "*CC(*)c1ccccc1"


@pytest.mark.parametrize(
    "psmiles",
    ["*C*", "*O*", "*=CC=*", "*#CC#*", "*C(*)=C", "*c1ccc(*)cc1", "*CC(*)C(=O)OCC[N+](C)(C)CC([O-])=O"],
)
def test_every_star_bond_and_one_atom_units(psmiles: str) -> None:
    assert len(star_indices(parse(psmiles))) == 2


def test_charged_units_parse() -> None:
    assert Chem.GetFormalCharge(parse("*C[N+](C)(C)C*")) == 1


def test_atom_order_is_that_of_the_string() -> None:
    assert [a.GetSymbol() for a in parse("*OC(F)C*").GetAtoms()] == ["*", "O", "C", "F", "C", "*"]


@pytest.mark.parametrize("psmiles", ["*/C=C/*", "*/C=C\\*", "*C[C@H](*)C", "*[C@](*)(C)F", "*/C(*)=C/F"])
def test_stereo_is_kept(psmiles: str) -> None:
    flat = Chem.MolToSmiles(parse(psmiles), isomericSmiles=False)
    assert canonicalise(psmiles) != canonicalise(flat)
    assert canonicalise(canonicalise(psmiles)) == canonicalise(psmiles)


def test_enantiomers_and_isomers_stay_apart() -> None:
    assert canonicalise("*C[C@H](*)C") != canonicalise("*C[C@@H](*)C")
    assert canonicalise("*/C=C/*") != canonicalise("*/C=C\\*")


@given(units, st.integers(0, 2**31 - 1))
@settings(max_examples=60, deadline=None)
def test_canonical_form_does_not_depend_on_spelling(unit: str, seed: int) -> None:
    psmiles = f"*{unit}*"
    mol = parse(psmiles)
    spelling = Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed)[0]
    assert canonicalise(spelling) == canonicalise(psmiles)
    assert canonicalise(canonicalise(psmiles)) == canonicalise(psmiles)
    assert parse(canonicalise(psmiles)).GetNumAtoms() == mol.GetNumAtoms()


@given(st.one_of(st.text(max_size=30), st.text(alphabet="*CNOSicnos()[]=#@+-/\\.123%:~$H ", max_size=30)))
@settings(max_examples=400, deadline=None)
def test_garbage_raises_nothing_but_psmiles_error(text: str) -> None:
    try:
        mol = parse(text)
    except PSmilesError:
        return
    assert len(star_indices(mol)) == 2
