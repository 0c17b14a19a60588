"""Families: twins of a repeat unit, and splits that keep them out of training."""

import pytest

from polymd.datasets.frames import LabelledMolecule
from polymd.training.families import family, family_key, split_by_family


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("*CC(*)c1ccccc1", "*C(C*)c1ccccc1"),
        ("*CCO*", "*COC*"),
        ("*CC(C(N)=O)*", "*CC(*)C(=O)N"),
        ("*C([2H])([2H])C(*)(C)C", "*CC(*)(C)C"),
        ("*C/C=C\\C*", "*CC=CC*"),
        ("*C=C*", "*C=C*"),
    ],
)
def test_twins_share_a_key(one: str, other: str) -> None:
    assert family_key(one) == family_key(other)


def test_different_polymers_do_not() -> None:
    units = ["*CC*", "*CCO*", "*CC(*)C", "*CC(*)(C)C", "*C=C*", "*C=CC*", "*CCCCO*", "*O*", "*S*"]
    assert len({family_key(unit) for unit in units}) == len(units)


@pytest.mark.parametrize("name", ["", "C2H6", "not a SMILES", "*CC", "*C*C*"])
def test_what_is_no_repeat_unit_is_its_own_key(name: str) -> None:
    assert family_key(name) == name


def test_listed_families_and_their_twins_leave_training(molecules: list[LabelledMolecule]) -> None:
    training, validation = split_by_family(molecules, ["*OCC*"], 0.0, 0)
    assert {family(m) for m in validation} == {"*OCC*"}
    assert {family(m) for m in training} == {"*CO*", "*CC*", "*CS*"}  # without the twin *CCO*


def test_excluded_families_and_their_twins_are_nowhere(molecules: list[LabelledMolecule]) -> None:
    training, validation = split_by_family(molecules, ["*CS*"], 0.0, 0, ["*C([2H])([2H])CO*"])
    assert {family(m) for m in training + validation} == {"*CO*", "*CC*", "*CS*"}


def test_random_families_by_seed(molecules: list[LabelledMolecule]) -> None:
    splits = [split_by_family(molecules, [], 0.5, seed) for seed in range(6)]
    for training, validation in splits:
        assert not {family_key(family(m)) for m in training} & {family_key(family(m)) for m in validation}
        assert len(training) + len(validation) == len(molecules)
    assert len({tuple(family(m) for m in validation) for _, validation in splits}) > 1
    again = split_by_family(molecules, [], 0.5, 3)
    assert [family(m) for m in again[1]] == [family(m) for m in splits[3][1]]


def test_a_listed_family_must_have_frames(molecules: list[LabelledMolecule]) -> None:
    with pytest.raises(ValueError, match=r"'\*CCCC\*' has no frames"):
        split_by_family(molecules, ["*CCCC*"], 0.0, 0)
