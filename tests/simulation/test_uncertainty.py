"""The committee looks on a run: it logs, warns or stops, and keeps what it did not know."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase.io import read

from polymd.cli import main
from polymd.datasets.frames import read_frames
from polymd.potentials import UncertaintyGuard
from polymd.simulation import Config, Interrupted, Run, SimulationError, resume, simulate, uncertainty
from polymd.simulation.checkpoint import read_checkpoint
from polymd.trajectories import load_trajectory

COLUMN = "forces_std_eV_A"


@pytest.fixture
def watched(
    small: Callable[..., Config], committee_model: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Config]:
    """A run on springs that a committee reads every 5 steps."""
    monkeypatch.setattr(uncertainty, "CHECK_STEPS", 5)
    return lambda **changes: small(**{"potential": committee_model, "max_uncertainty": 100.0} | changes)


@pytest.mark.parametrize("engine", ["pythonforce", "ase"])
def test_the_log_has_the_largest_uncertainty(watched: Callable[..., Config], engine: str) -> None:
    config = watched(engine=engine)
    run = simulate(config)
    guard = UncertaintyGuard([a.element.number for a in run.trajectory.top.atoms], "mine", limit=1.0)
    expected = [guard.read(10.0 * frame.astype(float)).largest for frame in run.trajectory.xyz]
    np.testing.assert_allclose(run.log[COLUMN], expected, rtol=2e-3)
    assert not (run.path / "uncertain.xyz").exists()
    assert Run(run.path).settings["on_uncertainty"] == "warn"


def test_watching_does_not_change_the_run(watched: Callable[..., Config], tmp_path: Path) -> None:
    with_committee = simulate(watched())
    without = simulate(watched(max_uncertainty=None, out=tmp_path / "without"))
    np.testing.assert_array_equal(with_committee.trajectory.xyz, without.trajectory.xyz)
    assert COLUMN not in without.log


def middle(config: Config) -> float:
    """A limit that some readings of a run exceed, the first not."""
    log = simulate(config).log[COLUMN].to_numpy()
    return float(0.5 * (log[0] + log[1:].max()))


def test_a_warning_goes_on_and_keeps_the_frames(
    watched: Callable[..., Config], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    limit = middle(watched())
    run = simulate(watched(max_uncertainty=limit, out=tmp_path / "warned"))
    assert list(run.log["step"]) == [0, 10, 20, 30, 40]
    assert capfd.readouterr().err.count("above the limit of") == 1
    frames = read(run.path / "uncertain.xyz", index=":")
    assert all(atoms.arrays["forces_std"].max() > limit for atoms in frames)
    steps = [atoms.info["step"] for atoms in frames]
    assert set(run.log["step"][run.log[COLUMN] > limit]) <= set(steps)
    assert all(step % 5 == 0 for step in steps)
    (molecule,) = read_frames(run.path / "uncertain.xyz")
    assert (molecule.psmiles, molecule.kind, molecule.n_units) == ("*CC*", "linear", 3)
    assert len(molecule.energies) == len(frames)


@pytest.mark.parametrize("engine", ["pythonforce", "ase"])
def test_stop_keeps_the_frame_that_tripped(
    watched: Callable[..., Config], tmp_path: Path, engine: str
) -> None:
    limit = middle(watched(engine=engine))
    out = tmp_path / "stopped"
    with pytest.raises(
        SimulationError, match=r"forces_std is .* at \d+ fs; .*uncertain.xyz.* last \d+ frames"
    ):
        simulate(watched(engine=engine, max_uncertainty=limit, on_uncertainty="stop", out=out))
    (atoms,) = read(out / "uncertain.xyz", index=":")
    (out / "flight_recorder.dcd").rename(out / "trajectory.dcd")
    np.testing.assert_allclose(10.0 * load_trajectory(out).xyz[-1], atoms.positions, atol=1e-4)


def test_resumed_runs_keep_the_same_frames(
    watched: Callable[..., Config],
    springs: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = middle(watched())
    whole = simulate(watched(max_uncertainty=limit, out=tmp_path / "whole"))
    config = watched(max_uncertainty=limit, out=tmp_path / "killed")
    check = uncertainty.UncertaintyMonitor.check

    def dying(self: uncertainty.UncertaintyMonitor, snapshot: object) -> float:
        value = check(self, snapshot)  # type: ignore[arg-type]
        if getattr(snapshot, "step", 0) == 35:
            raise Interrupted(config.out, 35.0)
        return value

    with monkeypatch.context() as patch:
        patch.setattr(uncertainty.UncertaintyMonitor, "check", dying)
        with pytest.raises(Interrupted):
            simulate(config)
    checkpoint = read_checkpoint(config.out / "checkpoint")
    assert checkpoint is not None
    assert checkpoint.step == 30
    again = resume(config.out)
    np.testing.assert_array_equal(again.log[COLUMN], whole.log[COLUMN])
    kept = [[a.info["step"] for a in read(r.path / "uncertain.xyz", index=":")] for r in (whole, again)]
    assert kept[0] == kept[1]


def test_the_number_of_kept_frames_is_limited(
    watched: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uncertainty, "MOST_FRAMES", 2)
    run = simulate(watched(max_uncertainty=1e-3))
    assert len(read(run.path / "uncertain.xyz", index=":")) == 2


def test_bad_settings(watched: Callable[..., Config], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="on_uncertainty 'stop' needs max_uncertainty"):
        watched(max_uncertainty=None, on_uncertainty="stop")
    with pytest.raises(ValueError, match="'mine-committee-1' has no committee"):
        watched(potential="mine-committee-1")
    command = ["run", "*CC*", "--units", "2", "--time", "10fs", "--potential", "mine"]
    assert main([*command, "--max-uncertainty", "-1"]) == 2
    assert "max_uncertainty" in capsys.readouterr().err
    assert main([*command, "--max-uncertainty", "1", "--on-uncertainty", "pray"]) == 2
    assert "'warn' or 'stop'" in capsys.readouterr().err
