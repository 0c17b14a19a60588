"""Which polymers are refused, what molecules are made of the others, and how they move."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from polymd.datasets.sampling.exclusion import Exclusion, is_ring_of_six, read_exclusion
from polymd.datasets.sampling.langevin import Replica, propagate
from polymd.datasets.sampling.starts import Form, forms, make_start
from polymd.datasets.teachers import load_teacher
from polymd.testing import STATISTICAL_SIGMAS
from polymd.units import AMU_A2_FS2, KB


@pytest.mark.parametrize(
    ("psmiles", "inside"),
    [
        ("*C(c1ccccc1)C*", True),  # reversed
        ("*CC(*)c1ccccc1", True),
        ("*CC(c1ccccc1)CC(*)c1ccccc1", True),  # two units
        ("[*:1]C[C@H]([*:2])c1ccccc1", True),
        ("*COC*", True),  # shifted
        ("*COCCOC*", True),
        ("*=CC=*", True),
        ("*CC(*)c1ccccc1C", False),
        ("*CC*", False),
        ("*CO*", False),
    ],
)
def test_exclusion_knows_twins(psmiles: str, inside: bool) -> None:
    assert (psmiles in Exclusion(["*CC(*)c1ccccc1", "*CCO*", "*C=C*"])) is inside


@pytest.mark.parametrize(
    "psmiles",
    [
        "*CC([2H])(*)OC",  # a deuterium
        "*C([2H])([2H])C([2H])(*)OC",
        "[2H]C([2H])(*)C(*)OC([2H])([2H])[2H]",
        "*[13CH2]C(*)OC",
        "*C(O[14CH3])C*",  # turned
        "*C([2H])([2H])C([2H])(OC)CC(*)OC",  # one unit of two
        "*[C@@]([2H])(OC)C*",
    ],
)
def test_isotopes_hide_no_excluded_family(psmiles: str) -> None:
    exclusion = Exclusion(["*CC(*)OC"])
    assert psmiles in exclusion
    assert "*CC(*)OC" in Exclusion([psmiles])
    assert "*CC([2H])(*)OCC" not in exclusion


def test_repeats_are_known_both_ways() -> None:
    assert "*CCO*" in Exclusion(["*CCOCCO*"])
    assert "*CCOCCOCCO*" in Exclusion(["*CCOCCO*"])


@pytest.mark.parametrize("name", ["held.json", "held.csv"])
def test_exclusion_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = {"rule": "no *", "families": {"PEO": "*CCO*"}, "more": ["*CC*"]}
    path.write_text(json.dumps(content) if name.endswith("json") else "name,psmiles\nPEO,*CCO*\nPE,*CC*\n")
    exclusion = read_exclusion(path)
    assert "*OCC*" in exclusion
    assert "*CC*" in exclusion
    assert "*CC(*)C" not in exclusion


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [("a.json", "{", "not JSON"), ("a.csv", "name\nPS\n", "no P-SMILES"), ("a.txt", "*CC*", "allowed")],
)
def test_bad_exclusion_files(tmp_path: Path, name: str, text: str, word: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=word):
        read_exclusion(tmp_path / name)
    with pytest.raises(ValueError, match="no file"):
        read_exclusion(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("psmiles", "n", "six"),
    [
        ("*CCO*", 6, True),
        ("*CCOCCO*", 3, True),
        ("*CC*", 3, True),
        ("*CC*", 6, True),
        ("*CCCC*", 3, True),
        ("*CCO*", 5, False),
        ("*CCO*", 3, False),
        ("*CC(*)C", 3, False),
    ],
)
def test_rings_of_six(psmiles: str, n: int, six: bool) -> None:
    assert is_ring_of_six(psmiles, n) is six


def test_forms_are_all_kinds_within_the_limits() -> None:
    found = forms("*CCO*", 8, 60)
    assert {form.kind for form in found} == {"linear", "ring", "pair"}
    assert Form("ring", 6) not in found
    assert Form("ring", 7) in found
    sizes = [
        7 * f.n_units + 2 * (f.kind == "linear") if f.kind != "pair" else 14 * f.n_units + 4 for f in found
    ]
    assert max(sizes) <= 60
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("form", [Form("linear", 3), Form("ring", 4), Form("pair", 2)])
def test_starts(form: Form) -> None:
    start = make_start("*CCO*", form, seed=3)
    np.testing.assert_array_equal(start.positions, make_start("*CCO*", form, seed=3).positions)
    assert len(start.numbers) == len(start.positions) == len(start.masses)
    if form.kind == "pair":
        half = len(start.numbers) // 2
        gap = cdist(start.positions[:half], start.positions[half:]).min()
        assert 2.4 <= gap < 2.6


def replicas(n: int, kelvin: float, strain: str = "") -> list[Replica]:
    start = make_start("*CCO*", Form("linear", 2), seed=1)
    return [Replica(start, kelvin, strain, (7, i)) for i in range(n)]


def test_dynamics_have_the_temperature(toy: str) -> None:
    teacher, moving = load_teacher(f"{toy}:make"), replicas(8, 500.0)
    propagate(moving, teacher, 100, 0)
    kinetic = []
    for block in range(5):
        propagate(moving, teacher, 20, block + 1)
        kinetic += [0.5 * AMU_A2_FS2 * (r.start.masses[:, None] * r.velocities**2).sum() for r in moving]
    degrees = 3 * len(moving[0].start.numbers)
    temperature = 2 * np.mean(kinetic) / (degrees * KB)
    error = 500.0 * np.sqrt(2 / degrees / len(moving))  # at least one independent sample a replica
    assert abs(temperature - 500.0) < STATISTICAL_SIGMAS * error


def test_a_replica_does_not_depend_on_its_neighbours(toy: str) -> None:
    teacher, many, one = load_teacher(f"{toy}:make"), replicas(3, 300.0), replicas(3, 300.0)[1:2]
    propagate(many, teacher, 10, 0)
    propagate(one, teacher, 10, 0)
    np.testing.assert_array_equal(many[1].positions, one[0].positions)
    assert not np.array_equal(many[0].positions, many[1].positions)


def test_strain_compresses_and_stretches(toy: str) -> None:
    teacher, size = load_teacher(f"{toy}:make"), {}
    for strain in ("compressed", "", "stretched"):
        moving = replicas(4, 300.0, strain)
        propagate(moving, teacher, 150, 0)
        size[strain] = np.mean([r.positions.std(axis=0) @ r.positions.std(axis=0) for r in moving])
    assert size["compressed"] < size[""] < size["stretched"]
