"""The committee's disagreement is that of its members, and only a calibrated committee is taken."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule as build

from polymd import potentials, testing
from polymd.potentials import PolyGETCalculator
from polymd.potentials.committee import (
    Calibration,
    committee_file,
    find_members,
    load_committee,
    read_committee,
)


@pytest.fixture
def ethanol() -> Atoms:
    atoms = build("CH3CH2OH")
    atoms.rattle(0.05, seed=1)
    return atoms


def forces_of(atoms: Atoms, model: str, backend: str = "numba") -> np.ndarray:
    atoms = atoms.copy()
    atoms.calc = PolyGETCalculator(model, backend=backend)
    return np.asarray(atoms.get_forces())


@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_forces_std_follows_its_formula(ethanol: Atoms, committee_model: str, backend: str) -> None:
    ethanol.calc = PolyGETCalculator(committee_model, backend=backend, committee=True)
    forces, std = ethanol.get_forces(), ethanol.calc.get_property("forces_std")
    members = [forces_of(ethanol, str(path)) for path in find_members(committee_model)]
    squares = np.mean([((member - forces) ** 2).sum(axis=1) for member in members], axis=0)
    calibration = load_committee(committee_model).calibration
    expected = calibration.scale * np.sqrt(calibration.floor**2 + squares) ** calibration.exponent
    assert std.shape == (9,)
    np.testing.assert_allclose(std, expected, atol=testing.ADAPTER_FORCE_ATOL)
    assert squares.min() > calibration.floor**2
    np.testing.assert_array_equal(forces, forces_of(ethanol, "polyget", backend))


def test_periodic_and_changing_atoms(ethanol: Atoms, committee_model: str) -> None:
    calculator = PolyGETCalculator(committee_model, committee=True)
    ethanol.calc = calculator
    alone = calculator.get_property("forces_std", ethanol)
    box = ethanol.copy()
    box.set_cell([30.0] * 3)
    box.pbc = True
    box.positions += 29.0
    boxed = calculator.get_property("forces_std", box)
    np.testing.assert_allclose(boxed, alone, atol=testing.ADAPTER_FORCE_ATOL)
    tight = box.copy()
    tight.set_cell([5.0] * 3)
    assert np.abs(calculator.get_property("forces_std", tight) - alone).max() > 0.01
    assert calculator.get_property("forces_std", ethanol[:5]).shape == (5,)


def test_without_committee(ethanol: Atoms) -> None:
    ethanol.calc = PolyGETCalculator()
    ethanol.get_forces()
    assert "forces_std" not in ethanol.calc.results
    assert "forces_std" in PolyGETCalculator.implemented_properties


def test_the_calibration_has_floor_scale_and_exponent() -> None:
    calibration = Calibration(0.3, 2.0, 1.0)
    np.testing.assert_allclose(calibration(np.array([0.0, 0.4])), [0.6, 1.0])
    np.testing.assert_allclose(Calibration(0.3, 2.0, 2.0)(np.array([0.4])), [0.5])


def test_members_are_found_but_not_listed(committee_model: str, committee_folder: Path) -> None:
    assert "mine" in potentials.available()
    assert not [name for name in potentials.available() if "-committee-" in name]
    assert potentials.load("mine-committee-2").elements == potentials.load("mine").elements
    shutil.copy(committee_folder / "mine.safetensors", committee_folder / "mine-fast.safetensors")
    try:
        assert find_members("mine")[0].stem == "mine-fast"
        assert "mine-fast" in potentials.available()
    finally:
        (committee_folder / "mine-fast.safetensors").unlink()
    assert [path.stem[-1] for path in find_members("mine")] == ["1", "2", "3"]


def test_models_without_a_sound_committee_are_refused(
    committee_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copytree(committee_folder, tmp_path / "copy"))
    monkeypatch.setenv("POLYMD_MODELS", str(copy))
    read_committee("mine")
    with pytest.raises(ValueError, match="'mine-committee-1' has no committee"):
        PolyGETCalculator("mine-committee-1", committee=True)
    with (copy / "mine-committee-2.safetensors").open("ab") as file:
        file.write(b"0")
    with pytest.raises(ValueError, match=r"mine-committee-2\.safetensors is not the file that mine"):
        PolyGETCalculator("mine", committee=True)
    (copy / "mine-committee-2.safetensors").unlink()
    with pytest.raises(ValueError, match="has 2 members for a committee; 3 are needed"):
        find_members("mine")
    (copy / "mine.committee.json").write_text('{"format": "other"}')
    with pytest.raises(ValueError, match="has format 'other'"):
        read_committee("mine")
    (copy / "mine.committee.json").unlink()
    with pytest.raises(ValueError, match="'mine' has no committee"):
        PolyGETCalculator("mine", committee=True)


@pytest.mark.skipif(not committee_file("polyget").is_file(), reason="no committee ships with these weights")
def test_the_shipped_committee_knows_its_errors(ethanol: Atoms) -> None:
    """It rises where the geometry is strange, and was right on families that it was not calibrated on."""
    results = read_committee("polyget")["results"]
    assert results["rank_correlation"] > 0.5
    assert results["calibration_error"] < 0.3
    calculator = PolyGETCalculator(committee=True)
    calm = calculator.get_property("forces_std", build("CH3CH2OH")).max()
    ethanol.rattle(0.15, seed=2)
    assert calculator.get_property("forces_std", ethanol).max() > 2.0 * calm
