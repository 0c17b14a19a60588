"""From P-SMILES to a file of labelled frames: what is kept, refused, resumed."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from polymd.cli import main
from polymd.datasets.frames import read_attributes, read_frames
from polymd.datasets.labelling import LabellingError, Settings, label
from polymd.datasets.labelling.settings import LARGE_FORCE
from polymd.datasets.labelling.shards import read_shards
from polymd.datasets.labelling.work import _is_sure
from polymd.datasets.teachers import Labels, load_student, load_teacher
from polymd.testing import FLOAT32_RTOL


@pytest.fixture
def settings(toy: str, polymers: Path, tmp_path: Path) -> Settings:
    held = tmp_path / "held_out.json"
    held.write_text(json.dumps({"PS": "*CC(*)c1ccccc1"}))
    return Settings(
        polymers,
        teacher=f"{toy}:make",
        dynamics=f"{toy}:make",
        exclude=held,
        rounds=2,
        frames=3,
        max_units=3,
        max_atoms=30,
        seed=5,
    )


def reasons(out: Path) -> dict[str, str]:
    with out.with_suffix(".failures.csv").open(newline="") as file:
        return {row["psmiles"]: row["reason"] for row in csv.DictReader(file)}


def same(one: Path, other: Path) -> bool:
    pairs = zip(read_frames(one), read_frames(other), strict=True)
    return all(
        a.id == b.id and np.array_equal(a.positions, b.positions) and np.array_equal(a.forces, b.forces)
        for a, b in pairs
    )


def test_frames_of_polymers(settings: Settings, toy: str, tmp_path: Path) -> None:
    out = tmp_path / "labels.h5"
    summary = label(settings, out)
    assert summary.finished
    assert summary.polymers == 2
    assert summary.frames == 2 * 2 * 4 * 3  # polymers, rounds, temperatures, frames
    assert summary.force_std["50%"] == pytest.approx(0.01)
    molecules = read_frames(out)
    assert {m.psmiles for m in molecules} == {"*CCO*", "*CC(*)C"}
    assert {t for m in molecules for t in m.temperatures.tolist()} == {300.0, 500.0, 700.0, 1000.0}
    attributes = read_attributes(out)
    assert "Springs" in attributes["level_of_theory"]
    assert "Langevin" in attributes["sampler"]
    again = load_teacher(f"{toy}:make").label([(m.numbers, m.positions[0].astype(float)) for m in molecules])
    for molecule, labels in zip(molecules, again, strict=True):
        np.testing.assert_allclose(molecule.forces[0], labels.forces, rtol=FLOAT32_RTOL, atol=1e-5)


def test_failures_are_recorded(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "labels.h5"
    label(settings, out)
    found = reasons(out)
    assert set(found) == {"*CC(F)(F)*", "*C(c1ccccc1)C*", "CCC"}
    assert "no fluorine" in found["*CC(F)(F)*"]
    assert found["*C(c1ccccc1)C*"] == "excluded"


def test_doubtful_frames_are_dropped(settings: Settings, toy: str, tmp_path: Path) -> None:
    out = tmp_path / "labels.h5"
    summary = label(dataclasses.replace(settings, teacher=f"{toy}:doubtful"), out)
    assert 0 < summary.frames < 48
    assert any("force std of 9.000" in reason for reason in reasons(out).values())


def test_only_what_the_student_does_not_know_is_labelled(
    settings: Settings, toy: str, tmp_path: Path
) -> None:
    """The student is doubtful where the first atom is on the right of the last."""
    out, whole = tmp_path / "labels.h5", tmp_path / "whole.h5"
    unsure = dataclasses.replace(settings, dynamics=f"{toy}:doubtful", min_uncertainty=1.0)
    summary = label(unsure, whole)
    assert 0 < summary.frames < 48
    assert summary.frames + summary.confident == 48
    for molecule in read_frames(whole):
        assert (molecule.positions[:, 0, 0] > molecule.positions[:, -1, 0]).all()
    assert "where forces_std of toy_teacher:doubtful exceeds 1 eV/Å" in read_attributes(whole)["sampler"]
    label(unsure, out)
    for path in sorted(out.with_suffix(".parts").glob("*.npz"))[1:]:
        path.unlink()
    again = label(unsure, out)
    assert again.confident == summary.confident
    assert same(out, whole)


def test_large_forces_are_never_sure() -> None:
    forces = np.array([[0.0, 3.0, 4.0], [0.0, 0.0, 1.0]])
    sure = Labels(0.0, forces, np.array([0.1, 0.2]))
    assert _is_sure(sure, 0.2)
    assert not _is_sure(sure, 0.19)
    assert not _is_sure(dataclasses.replace(sure, forces=1.01 * LARGE_FORCE / 5.0 * forces), 0.2)
    assert not _is_sure("no fluorine here", 0.2)


def test_nothing_left_to_label(settings: Settings, tmp_path: Path) -> None:
    sure = dataclasses.replace(settings, min_uncertainty=1.0)
    with pytest.raises(LabellingError, match="is sure of 48 to 1 eV/Å; lower min_uncertainty"):
        label(sure, tmp_path / "labels.h5")


def test_the_committee_picks_frames_to_relabel(
    settings: Settings, toy: str, tmp_path: Path, committee_model: str
) -> None:
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    label(settings, first)
    student = load_student(committee_model)
    frames = [(m.numbers, x.astype(float)) for m in read_frames(first) for x in m.positions]
    opinions = [labels for labels in student.label(frames) if labels.forces_std is not None]
    std = sorted(float(labels.forces_std.max()) for labels in opinions)
    limit = 0.5 * (std[-11] + std[-10])
    picked = sum(
        labels.forces_std.max() > limit or np.linalg.norm(labels.forces, axis=1).max() > LARGE_FORCE
        for labels in opinions
    )
    relabel = Settings(
        first, teacher=f"{toy}:make", sampler="none", dynamics=committee_model, min_uncertainty=limit
    )
    summary = label(relabel, second)
    assert picked >= 10
    assert (summary.frames, summary.confident) == (picked, len(frames) - picked)


def test_students_without_uncertainty_are_refused(settings: Settings, tmp_path: Path) -> None:
    for changes, words in (
        ({"dynamics": "mine-nowhere", "min_uncertainty": 0.1}, "unknown teacher 'mine-nowhere'"),
        ({"dynamics": "ase.calculators.emt:EMT", "min_uncertainty": 0.1}, "gives no uncertainty"),
    ):
        with pytest.raises(ValueError, match=words):
            label(dataclasses.replace(settings, **changes), tmp_path / "labels.h5")
    with pytest.raises(ValueError, match="min_uncertainty is -1; allowed: above 0"):
        dataclasses.replace(settings, min_uncertainty=-1)


def test_kill_and_resume_give_the_same_frames(
    settings: Settings, toy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_FLAG", str(tmp_path / "killed"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    deadly = dataclasses.replace(settings, teacher=f"{toy}:deadly", dynamics=f"{toy}:deadly")
    out, whole = tmp_path / "labels.h5", tmp_path / "whole.h5"
    with pytest.raises(LabellingError, match="exit code -9"):
        label(deadly, out, processes=2)
    assert not out.exists()
    kept = sum(len(shard.frames) for shard in read_shards(out.with_suffix(".parts")))
    assert kept > 0
    assert label(deadly, out).finished
    label(deadly, whole)
    assert same(out, whole)


def test_resume_in_the_middle_of_a_task(settings: Settings, tmp_path: Path) -> None:
    out, whole = tmp_path / "labels.h5", tmp_path / "whole.h5"
    label(settings, whole)
    label(settings, out)
    for path in sorted(out.with_suffix(".parts").glob("*.npz"))[1:]:
        path.unlink()
    label(settings, out)
    assert same(out, whole)


def test_other_settings_are_refused(settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "labels.h5"
    label(settings, out)
    with pytest.raises(ValueError, match="another seed"):
        label(dataclasses.replace(settings, seed=6), out)
    (tmp_path / "other.h5").touch()
    with pytest.raises(ValueError, match="exists"):
        label(settings, tmp_path / "other.h5")


def test_relabelling_keeps_geometries_and_refuses(settings: Settings, toy: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    label(settings, first)
    held = tmp_path / "peo.csv"
    held.write_text("*COC*\n")
    relabel = Settings(first, teacher=f"{toy}:make", sampler="none", exclude=held)
    label(relabel, second)
    old = {m.id: m for m in read_frames(first) if m.psmiles == "*CC(*)C"}
    new = {m.id: m for m in read_frames(second)}
    assert old.keys() == new.keys()
    for name, molecule in new.items():
        np.testing.assert_array_equal(molecule.positions, old[name].positions)
        np.testing.assert_allclose(molecule.forces, old[name].forces, atol=1e-5)
    assert reasons(second)["*CCO*"] == "excluded"


def test_distorted_geometries_are_labelled(settings: Settings, toy: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    label(settings, first)
    label(Settings(first, teacher=f"{toy}:make", sampler="distort"), second)
    old, new = ({m.id: m for m in read_frames(path)} for path in (first, second))
    assert "distorted" in read_attributes(second)["sampler"]
    assert new.keys() <= old.keys()
    assert all(np.abs(m.positions - old[m.id].positions).max() > 0.05 for m in new.values())


def test_command_line(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "labels.h5"
    options = ["--teacher", settings.teacher, "--dynamics", settings.dynamics, "--out", str(out)]
    limits = ["--rounds", "1", "--frames", "2", "--max-atoms", "20"]
    assert main(["label", str(settings.source), *options, *limits, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == len(
        [t for m in read_frames(out) for t in m.temperatures]
    )
    assert main(["label", str(settings.source), *options, "--sampler", "mc"]) == 2
    assert "known: md, none" in capsys.readouterr().err
    assert main(["label", str(settings.source), *options, "--minutes", "0"]) == 2
    assert main(["label", str(settings.source), *options, "--min-uncertainty", "0"]) == 2


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "is empty"), ("name\nPS\n", "no column psmiles"), ("CCC*\n", "nothing in .* can be labelled")],
)
def test_bad_sources(settings: Settings, tmp_path: Path, text: str, word: str) -> None:
    settings.source.write_text(text)
    with pytest.raises(ValueError, match=word):
        label(settings, tmp_path / "labels.h5")
