"""Every method on every kind of polymer: no clash, sound bonds, the given stereo, one result a seed."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from polymd.conformations import clash_count, generate_conformations
from polymd.conformations.geometry import keeps_stereo
from polymd.polymer import Polymer

NAMED = {
    "polystyrene": ("*CC(*)c1ccccc1", 10, {}),
    "peo": ("*CCO*", 20, {}),
    "pet": ("*OCCOC(=O)c1ccc(cc1)C(=O)*", 10, {}),
    "pmma": ("*CC(*)(C)C(=O)OC", 15, {}),
    "isotactic-pmma": ("*CC(*)(C)C(=O)OC", 15, {"tacticity": "isotactic"}),
    "pmps": ("*[Si](C)(c1ccccc1)O*", 15, {}),
    "nylon-6": ("*NCCCCCC(=O)*", 10, {}),
    "syndiotactic-pp": ("*CC(*)C", 15, {"tacticity": "syndiotactic"}),
    "pvdf": ("*CC(F)(F)*", 15, {}),
}
ODD = {
    "one atom": ("*C*", 30, {}),
    "one oxygen": ("*O*", 4, {}),
    "stars on one atom": ("*C(*)=C", 8, {}),
    "double junction": ("*=CC=*", 8, {}),
    "triple junction": ("*#CC#*", 5, {}),
    "linear": ("*C#C*", 5, {}),
    "cis": ("*C/C=C\\C*", 8, {}),
    "fused backbone": ("*c1ccc2cc(*)ccc2c1", 5, {}),
    "given stereo": ("*C[C@H](*)CC", 8, {}),
    "end groups": ("*CCO*", 8, {"end_groups": ("*OC", "c1ccccc1*")}),
    "one unit": ("*CCO*", 1, {}),
    "two units": ("*CC(*)C", 2, {}),
}


def check(polymer: Polymer, chains: np.ndarray, n: int) -> None:
    assert chains.shape == (n, polymer.n_atoms, 3)
    assert chains.dtype == np.float64
    radius = np.array([Chem.GetPeriodicTable().GetRcovalent(int(z)) for z in polymer.atomic_numbers])
    mol = polymer.to_rdkit()
    for chain in chains:
        assert clash_count(polymer, chain) == 0
        assert keeps_stereo(mol, chain)
        i, j = polymer.bonds.T
        ratio = np.linalg.norm(chain[i] - chain[j], axis=1) / (radius[i] + radius[j])
        assert ratio.min() > 0.65
        assert ratio.max() < 1.25
        np.testing.assert_allclose(chain.mean(axis=0), 0.0, atol=1e-9)


@pytest.mark.parametrize("case", [*NAMED, *ODD])
def test_growth(case: str) -> None:
    psmiles, n_units, options = {**NAMED, **ODD}[case]
    polymer = Polymer(psmiles, n_units, **options)
    check(polymer, generate_conformations(polymer, 2, method="growth", seed=1), 2)


@pytest.mark.parametrize("case", ["polystyrene", "isotactic-pmma", "pmps", "syndiotactic-pp", "cis"])
def test_rdkit_reads_the_same_stereo_from_the_coordinates(case: str) -> None:
    psmiles, n_units, options = {**NAMED, **ODD}[case]
    polymer = Polymer(psmiles, n_units, **options)
    mol = polymer.to_rdkit()
    expected = Chem.MolToSmiles(Chem.RemoveHs(mol))
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.SetPositions(generate_conformations(polymer, 1, seed=3)[0])
    for atom in mol.GetAtoms():
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
    mol.AddConformer(conformer)
    Chem.AssignStereochemistryFrom3D(mol)
    assert Chem.MolToSmiles(Chem.RemoveHs(mol)) == expected


@pytest.mark.parametrize(
    ("psmiles", "n_units"), [("*CC(*)C", 5), ("*CCO*", 5), ("*C*", 3), ("*C=CCC*", 2), ("*CC(*)c1ccccc1", 3)]
)
def test_rings_of_units(psmiles: str, n_units: int) -> None:
    polymer = Polymer(psmiles, n_units, ring=True)
    check(polymer, generate_conformations(polymer, 2, seed=1), 2)


@pytest.mark.parametrize(
    ("psmiles", "n_units", "tacticity"), [("*CCO*", 14, "atactic"), ("*CC(*)c1ccccc1", 20, "isotactic")]
)
def test_long_rings_are_grown(psmiles: str, n_units: int, tacticity: str) -> None:
    polymer = Polymer(psmiles, n_units, ring=True, tacticity=tacticity)
    rings = generate_conformations(polymer, 2, seed=1)
    check(polymer, rings, 2)
    assert not np.allclose(rings[0], rings[1])


def test_etkdg() -> None:
    polymer = Polymer("*CC(*)C", 4)
    chains = generate_conformations(polymer, 3, method="etkdg", seed=5)
    assert chains.shape == (3, polymer.n_atoms, 3)
    assert all(keeps_stereo(polymer.to_rdkit(), chain) for chain in chains)
    np.testing.assert_array_equal(chains, generate_conformations(polymer, 3, method="etkdg", seed=5))


def test_seed_decides_everything() -> None:
    polymer = Polymer("*CCO*", 10)
    first, again, other = (generate_conformations(polymer, 3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert not np.allclose(first[0], first[1])


def test_auto_is_growth_and_none_is_none() -> None:
    polymer = Polymer("*CCO*", 3)
    np.testing.assert_array_equal(
        generate_conformations(polymer, 1), generate_conformations(polymer, 1, method="growth")
    )
    assert generate_conformations(polymer, 0).shape == (0, polymer.n_atoms, 3)


def test_bad_calls() -> None:
    polymer = Polymer("*CCO*", 2)
    with pytest.raises(ValueError, match="unknown method 'magic'; allowed: auto, growth, polyconf, etkdg"):
        generate_conformations(polymer, 1, method="magic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n is -1"):
        generate_conformations(polymer, -1)
    with pytest.raises(ValueError, match="seed is -4"):
        generate_conformations(polymer, 1, seed=-4)


def test_long_chains_spread_out() -> None:
    """Excluded volume: a chain of 60 units of PEO is neither a ball nor a rod."""
    polymer = Polymer("*CCO*", 60)
    chains = generate_conformations(polymer, 8, seed=1)
    radius = np.sqrt(chains.var(axis=1).sum(axis=1)).mean()
    assert 8.0 < radius < 35.0


def test_copolymers_grow() -> None:
    polymer = Polymer(["*CC(*)c1ccccc1", "*CCO*", "*OCCOC(=O)c1ccc(cc1)C(=O)*"], 12, seed=2)
    check(polymer, generate_conformations(polymer, 2, seed=1), 2)


def test_chains_are_denser_in_poor_solvent() -> None:
    polymer = Polymer("*CC*", 100)
    good, poor = (generate_conformations(polymer, 6, seed=3, solvent=s) for s in (1.0, 0.0))
    check(polymer, poor, 6)
    size = [np.sqrt(chains.var(axis=1).sum(axis=1)).mean() for chains in (good, poor)]
    assert size[1] < 0.7 * size[0]
    with pytest.raises(ValueError, match=r"solvent is 1\.5"):
        generate_conformations(polymer, 1, solvent=1.5)
