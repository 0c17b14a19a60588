"""From members and labelled frames to a calibrated committee, and its test on other families."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from polymd.cli import main
from polymd.datasets.frames import LabelledMolecule, write_frames
from polymd.potentials import PolyGETCalculator
from polymd.potentials.committee import Calibration, load_committee, read_committee
from polymd.training.families import family
from polymd.training.uncertainty import calibrate, evaluate_committee, halves, unseen_molecules
from polymd.training.uncertainty_errors import atom_errors

NOISE = 0.2  # eV/Å, of a component: much more than the members' disagreement


@pytest.fixture
def noisy(molecules: list[LabelledMolecule]) -> list[LabelledMolecule]:
    """Frames whose labels are those of the shipped model and noise."""
    rng = np.random.default_rng(0)
    return [
        dataclasses.replace(m, forces=(m.forces + NOISE * rng.normal(size=m.forces.shape)).astype(np.float32))
        for m in molecules
    ]


@pytest.fixture
def frames(noisy: list[LabelledMolecule], tmp_path: Path) -> Path:
    path = tmp_path / "unseen.h5"
    write_frames(path, noisy, level_of_theory="noise", sampler="rattled")
    return path


@pytest.fixture
def uncalibrated(committee_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model with members that nobody has calibrated yet."""
    folder = tmp_path / "models"
    shutil.copytree(committee_folder, folder, ignore=shutil.ignore_patterns("*.json"))
    monkeypatch.setenv("POLYMD_MODELS", str(folder))
    return "mine"


def test_calibration_finds_the_noise(frames: Path, uncalibrated: str, noisy: list[LabelledMolecule]) -> None:
    description = calibrate(frames, uncalibrated)
    assert description == read_committee(uncalibrated)
    assert list(description["members"]) == [f"mine-committee-{n}.safetensors" for n in (1, 2, 3)]
    assert description["data"][0]["level_of_theory"] == "noise"
    families = description["families"]
    assert sorted(families["calibrated"] + families["tested"]) == sorted({family(m) for m in noisy})
    assert not set(families["calibrated"]) & set(families["tested"])
    committee = load_committee(uncalibrated)
    errors = atom_errors(committee.engines[0], committee, noisy)
    assert np.sqrt(np.mean(committee.calibration(errors.disagreement) ** 2)) > NOISE
    assert description["results"]["rms_error"] == pytest.approx(np.sqrt(3.0) * NOISE, rel=0.15)
    PolyGETCalculator(uncalibrated, committee=True)


def test_disagreement_is_that_of_the_calculator(
    molecules: list[LabelledMolecule], committee_model: str
) -> None:
    from ase import Atoms

    from polymd.potentials.registry import load_engine

    errors = atom_errors(load_engine("polyget"), load_committee(committee_model), molecules[:1])
    assert errors.error.max() < 1e-4
    assert len(np.unique(errors.frame)) == len(molecules[0].positions)
    atoms = Atoms(molecules[0].numbers, molecules[0].positions[0])
    atoms.calc = PolyGETCalculator(committee_model, committee=True)
    std = atoms.calc.get_property("forces_std", atoms)
    sigma = load_committee(committee_model).calibration(errors.disagreement[: len(atoms)])
    np.testing.assert_allclose(std, sigma, rtol=1e-3)


def test_families_of_the_calibration_are_left_out(
    frames: Path, uncalibrated: str, noisy: list[LabelledMolecule]
) -> None:
    used = calibrate(frames, uncalibrated)["families"]["calibrated"]
    results = evaluate_committee(noisy, uncalibrated)
    assert results["families_left_out"] == len(used)
    assert results["families"] + results["families_left_out"] == len({family(m) for m in noisy})
    with pytest.raises(ValueError, match="calibrated on all of these families"):
        evaluate_committee([m for m in noisy if family(m) in used], uncalibrated)


def test_twins_are_in_the_same_half(molecules: list[LabelledMolecule]) -> None:
    one, other = halves(molecules)
    twins = {"*CCO*", "*OCC*"}
    assert twins <= {family(m) for m in one} or twins <= {family(m) for m in other}
    assert len(one) + len(other) == len(molecules)
    with pytest.raises(ValueError, match="two families at least, here are 1"):
        halves(molecules[:1])


def test_validation_families_of_a_training(frames: Path, tmp_path: Path) -> None:
    config = tmp_path / "train.yaml"
    fields = {"data": [str(frames)], "out": "out", "steps": 1, "validation_families": ["*CC*", "*CO*"]}
    config.write_text(yaml.safe_dump(fields))
    assert {family(m) for m in unseen_molecules(config)} == {"*CC*", "*CO*"}
    config.write_text(yaml.safe_dump(fields | {"validation_families": []}))
    with pytest.raises(ValueError, match="keeps no families for validation"):
        unseen_molecules(config)


def test_periodic_frames_are_refused(molecules: list[LabelledMolecule], committee_model: str) -> None:
    periodic = dataclasses.replace(molecules[0], cells=np.tile(30.0 * np.eye(3), (6, 1, 1)))
    committee = load_committee(committee_model)
    with pytest.raises(ValueError, match="is periodic"):
        atom_errors(committee.engines[0], committee, [periodic])
    with pytest.raises(ValueError, match="no frames"):
        atom_errors(committee.engines[0], committee, [])


def test_commands(frames: Path, uncalibrated: str, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate = ["evaluate", "potential", str(frames), "--model", uncalibrated, "--committee"]
    assert main(evaluate) == 2
    assert "has no committee" in capsys.readouterr().err
    assert main(["train", "committee", str(frames), "--model", uncalibrated, "--json"]) == 0
    written = json.loads(capsys.readouterr().out)
    assert Calibration(**written["calibration"]) == load_committee(uncalibrated).calibration
    assert Path(written["path"]).name == "mine.committee.json"
    assert main([*evaluate, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["frames"] == 30
    assert set(results["uncertainty"]["coverage"]) == {"50%", "68%", "90%", "95%"}
    assert main(evaluate) == 0
    assert "calibration curve" in capsys.readouterr().out
    assert main(["train", "committee", str(frames), "--model", uncalibrated]) == 0
    assert "3 members, floor" in capsys.readouterr().out
    assert main(["train", "committee", str(frames), "--model", "mine-committee-1"]) == 2
    assert "0 members" in capsys.readouterr().err
