"""The chain: one atom order everywhere, end groups, rings, tacticity and given stereo."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

import polymd
from polymd import stereo
from polymd.polymer import Polymer
from polymd.psmiles import PSmilesError

PS = "*CC(*)c1ccccc1"
POOL = [
    PS,
    "*CCO*",
    "*OCCOC(=O)c1ccc(cc1)C(=O)*",
    "*CC(*)(C)C(=O)OC",
    "*[Si](C)(c1ccccc1)O*",
    "*NCCCCCC(=O)*",
    "*C*",
    "*C(*)=C",
    "*=CC=*",
    "*/C=C/*",
    "*C1CCC(*)C1",
    "*c1ccc2cc(*)ccc2c1",
    "*C[C@H](*)CC",
    "*N=P(*)(C)OC",
    "*CC(F)(F)*",
]


def smiles(polymer: Polymer) -> str:
    return str(Chem.MolToSmiles(Chem.RemoveHs(polymer.to_rdkit())))


def same(polymer: Polymer, expected: str) -> bool:
    return smiles(polymer) == Chem.CanonSmiles(expected)


@pytest.mark.parametrize(
    ("psmiles", "n_units", "expected"),
    [
        (PS, 1, "CCc1ccccc1"),
        ("*CCO*", 3, "CCOCCOCCO"),
        ("*C*", 4, "CCCC"),
        ("*O*", 2, "OO"),
        ("*C(*)=C", 3, "C=CC(=C)C=C"),
        ("*=CC=*", 3, "C/C=C/C=C/C"),
        ("*#CC#*", 2, "CC#CC"),
        ("*/C=C/*", 3, "C=C/C=C/C=C"),
        ("*/C=C\\*", 3, "C=C/C=C\\C=C"),
        ("*C/C=C\\C*", 2, "C/C=C\\CC/C=C\\C"),
        ("*=C1C=CC(=*)C=C1", 2, "C1C=CC(=C2C=CCC=C2)C=C1"),
    ],
)
def test_chain_is_the_expected_molecule(psmiles: str, n_units: int, expected: str) -> None:
    assert same(Polymer(psmiles, n_units), expected)


@pytest.mark.parametrize(
    ("end_groups", "expected"),
    [
        (("[H]", "[H]"), "CCOCCO"),
        (("*OC", "C"), "COCCOCCOC"),
        (("C*", "CC(=O)*"), "CCCOCCOC(=O)C"),
    ],
)
def test_end_groups(end_groups: tuple[str, str], expected: str) -> None:
    polymer = Polymer("*CCO*", 2, end_groups=end_groups)
    assert same(polymer, expected)
    assert polymer.unit_index.tolist() == sorted(polymer.unit_index.tolist())
    assert same(Polymer("*=CC=*", 1, end_groups=("*=C", "=O")), "C=CC=O")


def test_rings() -> None:
    assert same(Polymer("*CCO*", 4, ring=True), "C1COCCOCCOCCO1")
    assert same(Polymer("*C=C*", 3, ring=True), "c1ccccc1")
    assert same(Polymer("*C=CCC*", 2, ring=True), "C1/C=C\\CC/C=C\\C1")
    assert same(Polymer("*CCC*", 1, ring=True), "C1CC1")


@pytest.mark.parametrize(("psmiles", "n_units"), [("*C*", 1), ("*C*", 2), ("*CC*", 1), ("*CC(*)C", 1)])
def test_ring_too_small(psmiles: str, n_units: int) -> None:
    with pytest.raises(PSmilesError, match="fewer than three atoms"):
        Polymer(psmiles, n_units, ring=True)


@pytest.mark.parametrize("n_units", [0, -3, 2.5, "4", True, None])
def test_number_of_units(n_units: int) -> None:
    with pytest.raises(PSmilesError, match=r"n_units is .*allowed: .*fix: "):
        Polymer(PS, n_units)


def test_bad_choices() -> None:
    with pytest.raises(PSmilesError, match=r"total charge \+2"):
        Polymer("*C[N+](C)(C)C*", 2)
    with pytest.raises(ValueError, match="unknown tacticity 'tactic'; allowed: atactic"):
        Polymer(PS, 2, tacticity="tactic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bad end_groups"):
        Polymer(PS, 2, end_groups="[H]")  # type: ignore[arg-type]
    with pytest.raises(PSmilesError, match="bad end group 'C': it makes a single bond"):
        Polymer("*=CC=*", 2, end_groups=("C", "[H]"))
    with pytest.raises(PSmilesError, match="bad end group '\\[OH2\\]"):
        Polymer(PS, 2, end_groups=("[OH2]", "[H]"))
    with pytest.raises(IndexError, match="no unit 2"):
        Polymer(PS, 2).unit_atoms(2)


def test_zwitterions_are_neutral() -> None:
    Polymer("*CC(*)C(=O)OCC[N+](C)(C)CC([O-])=O", 3)
    Polymer("*CC(*)c1ccc([N+](=O)[O-])cc1", 3)


def invariants(polymer: Polymer) -> None:
    mol = polymer.to_rdkit()
    assert polymer.n_atoms == mol.GetNumAtoms()
    assert np.concatenate([polymer.unit_atoms(i) for i in range(polymer.n_units)]).tolist() == list(
        range(polymer.n_atoms)
    )
    for i in range(polymer.n_units):
        hydrogen = polymer.atomic_numbers[polymer.unit_atoms(i)] == 1
        assert not np.any(hydrogen[:-1] & ~hydrogen[1:]), "a hydrogen before a heavy atom"
    adjacent = {tuple(pair) for pair in polymer.bonds.tolist()}
    assert len(adjacent) == mol.GetNumBonds()
    backbone = polymer.backbone.tolist()
    assert len(set(backbone)) == len(backbone)
    assert all((min(i, j), max(i, j)) in adjacent for i, j in pairwise(backbone))
    assert np.all(np.diff(polymer.unit_index[backbone]) >= 0)
    assert np.all(polymer.bonds[:, 0] < polymer.bonds[:, 1])
    assert len(Chem.GetMolFrags(mol)) == 1
    assert polymer.atomic_numbers.sum() % 2 == 0


def one_order(polymer: Polymer) -> None:
    numbers, bonds = polymer.atomic_numbers.tolist(), polymer.bonds.tolist()
    openmm, mdtraj, ase = polymer.to_openmm(), polymer.to_mdtraj(), polymer.to_ase()
    assert [a.GetAtomicNum() for a in polymer.to_rdkit().GetAtoms()] == numbers
    assert [a.element.atomic_number for a in openmm.atoms()] == numbers
    assert [a.element.atomic_number for a in mdtraj.atoms] == numbers
    assert ase.numbers.tolist() == numbers
    assert sorted(sorted((b.atom1.index, b.atom2.index)) for b in openmm.bonds()) == bonds
    assert sorted(sorted((b.atom1.index, b.atom2.index)) for b in mdtraj.bonds) == bonds
    assert [a.residue.index for a in openmm.atoms()] == polymer.unit_index.tolist()
    assert [a.residue.index for a in mdtraj.atoms] == polymer.unit_index.tolist()
    assert openmm.getNumChains() == mdtraj.n_chains == 1
    names = [(a.residue.index, a.name) for a in openmm.atoms()]
    assert len(set(names)) == len(names)
    np.testing.assert_allclose(ase.get_masses(), polymer.masses)


@pytest.mark.parametrize("psmiles", POOL)
@pytest.mark.parametrize("n_units", [1, 2, 4])
def test_one_atom_order_everywhere(psmiles: str, n_units: int) -> None:
    polymer = Polymer(psmiles, n_units, end_groups=("[H]", "[H]"))
    invariants(polymer)
    one_order(polymer)


MIDDLE = [
    "C",
    "O",
    "S",
    "N(C)",
    "C(C)(CC)",
    "c1ccc(cc1)",
    "C(=O)",
    "[Si](C)(c1ccccc1)",
    "C(F)(F)",
    "C1CCC(C1)",
]


@given(
    st.lists(st.sampled_from(MIDDLE), min_size=3, max_size=4).map("".join),
    st.integers(1, 5),
    st.sampled_from(["atactic", "isotactic", "syndiotactic"]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_random_units(unit: str, n_units: int, tacticity: str, ring: bool) -> None:
    polymer = Polymer(f"*{unit}*", n_units, tacticity=tacticity, ring=ring, seed=1)  # type: ignore[arg-type]
    invariants(polymer)
    again = Polymer(f"*{unit}*", n_units, tacticity=tacticity, ring=ring, seed=1)  # type: ignore[arg-type]
    assert smiles(again) == smiles(polymer)


def test_isotactic_means_the_same_unit_over_and_over() -> None:
    explicit = {smiles(Polymer(f"*C[C{tag}H](*)C", 6)) for tag in ("@", "@@")}
    assert smiles(Polymer("*CC(*)C", 6, tacticity="isotactic")) in explicit
    assert smiles(Polymer("*CC(*)C", 6, tacticity="syndiotactic")) not in explicit


def test_tacticity_does_not_depend_on_where_the_unit_is_cut() -> None:
    for tacticity in ("isotactic", "syndiotactic"):
        one = Polymer("*CC(*)C", 6, tacticity=tacticity)  # type: ignore[arg-type]
        two = Polymer("*CC(C)CC(*)C", 3, tacticity=tacticity)  # type: ignore[arg-type]
        assert smiles(one) == smiles(two)


def test_meso_and_racemic_dyads_by_cip_labels() -> None:
    """2,4-disubstituted pentane inside a chain with equal ends: meso is R,S and racemic R,R or S,S."""
    for tacticity, equal in (("isotactic", False), ("syndiotactic", True)):
        polymer = Polymer("*CC(*)F", 2, tacticity=tacticity, end_groups=("C", "CC"))  # type: ignore[arg-type]
        mol = Chem.RemoveHs(polymer.to_rdkit())
        labels = [label for _, label in Chem.FindMolChiralCenters(mol)]
        assert len(labels) == 2
        assert (labels[0] == labels[1]) is equal


def test_atactic_follows_the_seed() -> None:
    chains = {smiles(Polymer(PS, 10, seed=seed)) for seed in range(4)}
    assert len(chains) == 4
    assert smiles(Polymer(PS, 10, seed=2)) == smiles(Polymer(PS, 10, seed=2))


def test_given_stereo_is_kept_for_every_tacticity() -> None:
    given_stereo = "*C[C@H](*)CC"
    assert len({smiles(Polymer(given_stereo, 5, tacticity=t)) for t in ("atactic", "syndiotactic")}) == 1  # type: ignore[arg-type]


def test_chain_leaves_no_stereo_open() -> None:
    for psmiles in [
        *POOL,
        "*CC(*)C(=O)OCC(CC)CCCC",
        "*CC(*)c1ccc(N=Nc2ccccc2)cc1",
        "*C1CC2CC1C(*)C2",
        "*C1CCCCC1*",
    ]:
        mol = Polymer(psmiles, 3).to_rdkit()
        left = [i for i in Chem.FindPotentialStereo(mol) if i.specified == Chem.StereoSpecified.Unspecified]
        assert not left, psmiles


def test_a_ring_centre_that_is_flat_in_the_unit_alone_is_set_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stereo, "embedded_variants", lambda unit, seed: [{}])
    chain = Polymer("*CC1CCC(*)C(C)C1", 2).to_rdkit()
    found = Chem.FindPotentialStereo(chain, cleanIt=False)
    assert found
    assert all(info.specified == Chem.StereoSpecified.Specified for info in found)


def test_to_rdkit_is_a_copy_and_ase_takes_positions() -> None:
    polymer = polymd.Polymer("*CCO*", 2)
    polymer.to_rdkit().GetAtomWithIdx(0).SetAtomicNum(7)
    assert polymer.to_rdkit().GetAtomWithIdx(0).GetAtomicNum() == 6
    positions = np.arange(3.0 * polymer.n_atoms).reshape(-1, 3)
    np.testing.assert_array_equal(polymer.to_ase(positions).positions, positions)
    assert "*CCO*" in repr(polymer)
    assert "*CCO*" in polymer.name


def test_deuterium_keeps_its_mass() -> None:
    polymer = Polymer("*C([2H])([2H])CO*", 2)
    assert np.isclose(polymer.masses, 2.014, atol=1e-3).sum() == 4
    invariants(polymer)


def test_public_names() -> None:
    assert polymd.Polymer is Polymer
    assert "Polymer" in dir(polymd)
    with pytest.raises(AttributeError, match="no attribute 'polymer_of_dreams'"):
        polymd.polymer_of_dreams  # noqa: B018


def test_copolymers_take_their_units_in_turn() -> None:
    polymer = Polymer(["*CC*", "*CCO*", "*CC(*)C"], 7)
    flat = Chem.MolToSmiles(Chem.RemoveHs(polymer.to_rdkit()), isomericSmiles=False)
    assert flat == Chem.CanonSmiles("CC" + "CCO" + "CC(C)" + "CC" + "CCO" + "CC(C)" + "CC")
    assert polymer.unit_types.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert polymer.psmiles == "*CC*-*CCO*-*CC(*)C"
    assert [len(polymer.unit_atoms(i)) for i in range(1, 4)] == [7, 9, 6]
    backbone = polymer.unit_index[polymer.backbone]
    assert np.bincount(backbone).tolist() == [2, 3, 2, 2, 3, 2, 2]


def test_copolymer_of_one_unit_is_the_polymer() -> None:
    one, other = Polymer([PS], 4, seed=3), Polymer(PS, 4, seed=3)
    assert smiles(one) == smiles(other)
    assert one.psmiles == PS
    np.testing.assert_array_equal(one.bonds, other.bonds)


def test_copolymers_join_by_one_kind_of_bond() -> None:
    with pytest.raises(PSmilesError, match="different bond orders"):
        Polymer(["*CC*", "*=CC=*"], 4)
    with pytest.raises(PSmilesError):
        Polymer([], 4)  # type: ignore[arg-type]


def test_copolymer_rings_close() -> None:
    polymer = Polymer(["*CC*", "*O*"], 4, ring=True)
    assert smiles(polymer) == Chem.CanonSmiles("C1COCCO1")


@pytest.mark.parametrize("psmiles", [PS, "*CC(C)(*)C(=O)OC", "*[Si](C)(c1ccccc1)O*", "*C[C@H](*)CC"])
def test_opened_rings_keep_atoms_and_handedness(psmiles: str) -> None:
    """The volumes about every centre of the ring, in the order of its bonds, are those in the chain."""
    ring = Polymer(psmiles, 5, ring=True, seed=4)
    chain = ring.opened()
    caps = [int(chain.unit_atoms(0)[-1]), int(chain.unit_atoms(4)[-1])]
    kept = np.delete(np.arange(chain.n_atoms), caps)
    np.testing.assert_array_equal(chain.atomic_numbers[kept], ring.atomic_numbers)
    np.testing.assert_array_equal(chain.unit_index[kept], ring.unit_index)
    np.testing.assert_array_equal(kept[ring.backbone], chain.backbone)
    place = {old: new for new, old in enumerate(kept.tolist())}
    place |= {caps[0]: int(ring.backbone[-1]), caps[1]: int(ring.backbone[0])}
    mol, other = chain.to_rdkit(), ring.to_rdkit()
    tagged = [a for a in mol.GetAtoms() if a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
    assert len(tagged) == sum(a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for a in other.GetAtoms())
    for atom in tagged:
        twin = other.GetAtomWithIdx(place[atom.GetIdx()])
        mine = [place[bond.GetOtherAtomIdx(atom.GetIdx())] for bond in atom.GetBonds()]
        its = [bond.GetOtherAtomIdx(twin.GetIdx()) for bond in twin.GetBonds()]
        order = [its.index(a) for a in mine]
        swaps = sum(a > b for k, a in enumerate(order) for b in order[k + 1 :])
        assert (atom.GetChiralTag() == twin.GetChiralTag()) == (swaps % 2 == 0)
