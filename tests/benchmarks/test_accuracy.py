"""The parts of the accuracy benchmark that decide something: criteria, matching, what is left out."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy import common, dft_geometries, page, stability, tables
from benchmarks.accuracy.ablation import FAMILY, UNSEEN
from benchmarks.accuracy.flat import read_flat, write_flat
from benchmarks.accuracy.frames import choose
from benchmarks.accuracy.md import Bonds, radius_of_gyration, repartitioned
from benchmarks.accuracy.methods import errors, fingerprint
from benchmarks.accuracy.mmff import MissingParameters, bonded, mmff94
from benchmarks.accuracy.torsions import relative
from polymd.conformations.etkdg import embed
from polymd.datasets.frames import LabelledMolecule
from polymd.datasets.sampling.exclusion import is_ring_of_six
from polymd.polymer import Polymer

ROOT = Path(__file__).parents[2]


def frames_of(psmiles: str, n_units: int, count: int = 2, ring: bool = False) -> LabelledMolecule:
    """Frames of a molecule with forces that are zero, atoms in the order of the geometry reversed."""
    polymer = Polymer(psmiles, n_units, ring=ring)
    positions = embed(polymer.to_rdkit(), count, 1)[:, ::-1]
    return LabelledMolecule(
        numbers=polymer.atomic_numbers[::-1].copy(),
        positions=positions.astype(np.float32),
        energies=np.arange(float(count)),
        forces=np.zeros(positions.shape, np.float32),
        temperatures=np.full(count, 300.0),
        psmiles=psmiles,
        id=f"{psmiles} x {n_units}",
        n_units=n_units,
        kind="ring" if ring else "linear",
    )


@pytest.mark.parametrize(("psmiles", "ring"), [("*CC(*)c1ccccc1", False), ("*OCC(=O)*", True)])
def test_mmff_finds_the_bonds_in_any_order_of_atoms(psmiles: str, ring: bool) -> None:
    molecule = frames_of(psmiles, 3, ring=ring)
    mol = bonded(molecule)
    assert [atom.GetAtomicNum() for atom in mol.GetAtoms()] == molecule.numbers.tolist()
    assert mol.GetNumBonds() == len(Polymer(psmiles, 3, ring=ring).bonds)


def test_mmff_forces_are_gradients() -> None:
    molecule = frames_of("*CCO*", 2, 1)
    step = 1e-3
    moved = np.repeat(molecule.positions.astype(np.float64), 2, axis=0)
    moved[0, 4, 1] += step
    moved[1, 4, 1] -= step
    shifted = LabelledMolecule(**{**vars(molecule), "positions": moved})
    energies, _ = mmff94(shifted)
    assert mmff94(molecule)[1][0, 4, 1] == pytest.approx(-(energies[0] - energies[1]) / (2 * step), rel=1e-3)


def test_molecules_without_parameters_are_counted_not_compared() -> None:
    known, unknown = frames_of("*CC*", 2), frames_of("*CCO*", 2)

    def predict(molecule: LabelledMolecule) -> tuple[np.ndarray, np.ndarray]:
        if molecule.psmiles == "*CCO*":
            raise MissingParameters
        return molecule.energies, molecule.forces + 0.5

    found = errors([known, unknown], predict)
    assert (found["frames"], found["frames_without_parameters"]) == (2, 2)
    assert found["force_mae"] == pytest.approx(0.5)


def test_flat_files_give_back_what_was_written(tmp_path: Path) -> None:
    molecules = [frames_of("*CC*", 2), frames_of("*CCO*", 3, 1)]
    write_flat(tmp_path / "frames.npz", molecules, {"level_of_theory": "none"})
    again, attributes = read_flat(tmp_path / "frames.npz")
    assert fingerprint(again) == fingerprint(molecules)
    assert attributes == {"level_of_theory": "none"}
    assert [(m.psmiles, m.id, m.n_units, m.kind) for m in again] == [
        (m.psmiles, m.id, m.n_units, m.kind) for m in molecules
    ]


def test_three_frames_of_large_families_one_of_small_ones() -> None:
    large = [frames_of("*CC*", n, 6) for n in (1, 2, 3, 4)]
    small = [frames_of("*CCO*", n, 2) for n in (1, 2)]
    chosen = choose(large + small)
    assert sum(len(m.energies) for m in chosen if m.psmiles == "*CC*") == 3
    assert sum(len(m.energies) for m in chosen if m.psmiles == "*CCO*") == 1


def test_a_stretched_bond_and_a_new_contact_are_seen() -> None:
    polymer = Polymer("*CC*", 3)
    positions = embed(polymer.to_rdkit(), 1, 0)[0]
    bonds = Bonds(polymer, positions)
    assert bonds.longest(positions) == pytest.approx(1.0)
    assert not bonds.new(positions)
    moved = positions.copy()
    moved[-1] += 2.0
    assert bonds.longest(moved) > stability.BROKEN
    moved[-1] = positions[polymer.backbone[0]] + 1.0 / np.sqrt(3)
    assert bonds.new(moved)


def test_repartitioned_masses_add_up() -> None:
    polymer = Polymer("*CC(*)C", 3)
    masses = repartitioned(polymer)
    assert masses.sum() == pytest.approx(polymer.masses.sum())
    np.testing.assert_allclose(masses[polymer.atomic_numbers == 1], 4.0)
    assert masses.min() > 1.0


def test_windows_leave_out_settling_and_notice_heat() -> None:
    stages = [(300.0, 18.0), (600.0, 10.0)]
    count = [round(ps * stability.SAMPLES_PS) for _, ps in stages]
    kelvin = [300.0] * count[0] + [800.0] * count[1]
    settling = round(stability.SETTLE * stability.SAMPLES_PS)
    kelvin[:settling] = [900.0] * settling
    found = stability.windows(kelvin, stages, 180)
    assert [w["mean"] for w in found] == [300.0, 300.0, 300.0, 800.0]
    assert [abs(w["mean"] - w["target"]) > w["allowed"] for w in found] == [False, False, False, True]
    assert found[2]["allowed"] < found[0]["allowed"]
    assert not stability.windows(kelvin[:300], stages, 180)


def test_radius_of_gyration_of_two_masses() -> None:
    assert radius_of_gyration(np.array([1.0, 3.0]), np.array([[0.0, 0, 0], [4.0, 0, 0]])) == pytest.approx(
        np.sqrt(3.0)
    )


def test_curves_share_their_mean() -> None:
    reference = np.array([0.0, 1.0, 2.0])
    np.testing.assert_allclose(relative(reference + 7.0, reference), relative(reference, reference))


def test_no_ring_of_six_and_only_validation_families() -> None:
    import yaml

    config = yaml.safe_load((ROOT / "examples" / "train_potential.yaml").read_text(encoding="utf-8"))
    families = set(config["validation_families"])
    for psmiles, kind, n_units in stability.MOLECULES + dft_geometries.POLYMERS:
        assert psmiles in families
        assert kind != "ring" or not is_ring_of_six(psmiles, n_units)
    assert len(set(stability.MOLECULES)) == 20
    sizes = [Polymer(p, n, ring=k == "ring").n_atoms for p, k, n in stability.MOLECULES]
    assert min(sizes) >= 60
    assert max(sizes) <= 360
    for psmiles in (FAMILY, *UNSEEN):
        assert not any(is_ring_of_six(psmiles, n) for n in (7, 8))
    assert FAMILY not in families


def test_held_out_polymers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = tmp_path / "held_out.json"
    listed.write_text('["*COC*"]')
    monkeypatch.setenv("POLYMD_HELD_OUT", str(listed))
    common.check_allowed(["*CC*"])
    with pytest.raises(ValueError, match="held out"):
        common.check_allowed(["*CC*", "*OCC*"])


def test_verdicts() -> None:
    text = tables.must_table(
        [
            ("a", None, 1.0, 0.5, ".1f"),
            ("b", 2.0, 1.0, 0.5, ".1f"),
            ("c", 0.7, 1.0, 0.5, ".1f"),
            ("d", 0, 0, 0, "d"),
        ]
    )
    assert [line.split("|")[-2].strip() for line in text.splitlines()[2:]] == [
        "not measured",
        "missed",
        "must",
        "aim",
    ]


def test_the_power_needs_three_points() -> None:
    points = [{"minutes": m, "force_mae": 0.1 * m**-0.5} for m in (10.0, 20.0, 40.0)]
    assert page.power(points[:2]) is None
    assert page.power(points) == pytest.approx(-0.5)
