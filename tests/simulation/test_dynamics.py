"""Whole runs: what they leave behind, how they stop and go on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openmm
import pytest
import yaml
from numpy.typing import NDArray

from polymd import potentials
from polymd.simulation import Config, Interrupted, Run, SimulationError, resume, simulate
from polymd.simulation.checkpoint import read_checkpoint
from polymd.simulation.folder import read_settings
from polymd.testing import FLOAT32_RTOL, LOG_RTOL
from polymd.units import KB


def same(first: Run, second: Run) -> bool:
    """Whether two runs have the same frames and logs, speed aside, to the last bit."""
    logs = [run.log.drop(columns="speed_ns_day") for run in (first, second)]
    return np.array_equal(first.trajectory.xyz, second.trajectory.xyz) and logs[0].equals(logs[1])


def test_a_run_leaves_a_complete_folder(small: Callable[..., Config]) -> None:
    run = simulate(small())
    names = {path.name for path in run.path.iterdir()}
    files = {"run.yaml", "topology.pdb", "trajectory.dcd", "log.csv", "properties.json", "report.html"}
    assert names == files | {"checkpoint"}
    assert list(run.log["time_fs"]) == [0, 10, 20, 30, 40]
    trajectory = run.trajectory
    assert (trajectory.n_frames, trajectory.n_atoms) == (5, 20)
    np.testing.assert_allclose(trajectory.time, [0, 0.01, 0.02, 0.03, 0.04])
    settings = yaml.safe_load((run.path / "run.yaml").read_text())
    assert settings["psmiles"] == "*CC*"
    assert settings["engine"] == "pythonforce"
    assert settings["platform"] == "Reference"
    assert settings["versions"]["openmm"]
    assert {"command", "machine"} <= settings.keys()
    assert run.observables["temperature"].unit == "K"
    assert "torsion_distribution" in json.loads((run.path / "properties.json").read_text())


def test_the_log_is_right(small: Callable[..., Config]) -> None:
    log = simulate(small(ensemble="nve", timestep="0.2fs")).log
    total = log["potential_energy_eV"] + log["kinetic_energy_eV"]
    assert np.ptp(total) < 0.01 * np.ptp(log["kinetic_energy_eV"])
    temperature = 2.0 * log["kinetic_energy_eV"] / (57 * KB)
    np.testing.assert_allclose(log["temperature_K"], temperature, rtol=LOG_RTOL)


def test_the_seed_decides(small: Callable[..., Config], tmp_path: Path) -> None:
    runs = [simulate(small(seed=seed, out=tmp_path / str(i))) for i, seed in enumerate((1, 1, 2))]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


@pytest.mark.parametrize(
    "ensemble",
    [
        {"ensemble": "nvt"},
        {"ensemble": "nve"},
        {"thermostat": "bussi"},
        {"thermostat": "nose-hoover"},
        {"ensemble": "npt", "barostat": "mc", "chains": 2, "time": "60fs", "pressure": "100bar"},
    ],
    ids=lambda fields: "-".join(str(value) for value in fields.values()),
)
@pytest.mark.parametrize(
    ("engine", "platform"), [("pythonforce", "Reference"), ("pythonforce", "CPU"), ("ase", "auto")]
)
def test_ctrl_c_and_resume_change_nothing(
    engine: str,
    platform: str,
    ensemble: dict[str, Any],
    small: Callable[..., Config],
    springs: Callable[..., None],
    tmp_path: Path,
) -> None:
    config = small(engine=engine, platform=platform, **ensemble)
    whole = simulate(config)
    calls: list[int] = []
    springs(calls.append)
    simulate(config.model_copy(update={"out": tmp_path / "count"}))
    springs(lambda call: os.kill(os.getpid(), signal.SIGINT) if call == calls[-1] - 25 else None)
    stopped = config.model_copy(update={"out": tmp_path / "stopped"})
    with pytest.raises(Interrupted):
        simulate(stopped)
    checkpoint = read_checkpoint(stopped.out / "checkpoint")
    assert checkpoint is not None
    assert 0 < checkpoint.step < config.n_steps
    with pytest.raises(ValueError, match="not finished"):
        _ = Run(stopped.out).properties
    springs(lambda call: None)
    assert same(resume(stopped.out), whole)


def test_a_killed_run_goes_on_from_its_last_frame(small: Callable[..., Config], tmp_path: Path) -> None:
    whole = simulate(small())
    script = (
        "import os, runpy, signal, sys\n"
        "springs = runpy.run_path(sys.argv[1])\n"
        "events = [lambda call: None]\n"
        "springs['install'](setattr, lambda call: events[0](call))\n"
        "from polymd.simulation import Config, dynamics\n"
        "def die(self, row):\n"
        "    write(self, row)\n"
        "    if row['step'] == 30: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write = dynamics.LogWriter.write\n"
        "dynamics.LogWriter.write = die\n"
        "dynamics.simulate(Config(psmiles='*CC*', units=3, time='40fs', report='10fs', engine='pythonforce',"
        " out=sys.argv[2]))\n"
    )
    killed = tmp_path / "killed"
    command = [sys.executable, "-c", script, str(Path(__file__).parent / "conftest.py"), str(killed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    checkpoint = read_checkpoint(killed / "checkpoint")
    assert checkpoint is not None
    assert (checkpoint.step, checkpoint.frames) == (20, 3)
    assert len((killed / "log.csv").read_text().splitlines()) == 5
    assert same(resume(killed), whole)


def test_a_run_stopped_while_minimising_starts_again(
    small: Callable[..., Config], springs: Callable[..., None], tmp_path: Path
) -> None:
    whole = simulate(small())
    springs(lambda call: os.kill(os.getpid(), signal.SIGTERM) if call == 2 else None)
    config = small(out=tmp_path / "stopped")
    with pytest.raises(Interrupted):
        simulate(config)
    assert read_checkpoint(config.out / "checkpoint") is None
    springs(lambda call: None)
    assert same(resume(config.out), whole)


def test_a_finished_run_can_be_made_longer(small: Callable[..., Config], tmp_path: Path) -> None:
    whole = simulate(small(time="60fs"))
    short = simulate(small(time="40fs", out=tmp_path / "short"))
    assert same(resume(short.path, time="60fs"), whole)
    assert Run(short.path).settings["time"] == "60fs"
    with pytest.raises(ValueError, match="the run is at 60 fs"):
        resume(short.path, time="20fs")


def test_resuming_a_finished_run_changes_nothing(small: Callable[..., Config]) -> None:
    run = simulate(small())
    before = {
        name: (run.path / name).read_bytes() for name in ("trajectory.dcd", "log.csv", "properties.json")
    }
    resume(run.path)
    assert before == {name: (run.path / name).read_bytes() for name in before}


def test_an_explosion_stops_the_run_and_keeps_its_frames(
    small: Callable[..., Config], springs: Callable[..., None]
) -> None:
    with pytest.raises(SimulationError, match=r"flight_recorder\.dcd"):
        simulate(small(timestep="10fs", time="10ps", report="100fs"))
    assert (small().out / "flight_recorder.dcd").stat().st_size > 0


def test_a_potential_that_gives_no_number_is_a_clear_error(
    small: Callable[..., Config], springs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    force = openmm.PythonForce(no_number)
    monkeypatch.setattr(potentials, "python_force", lambda topology, model: force)
    with pytest.raises(SimulationError, match="no longer numbers"):
        simulate(small())


def no_number(state: openmm.State) -> tuple[float, NDArray[np.float64]]:
    """Neither energy nor forces."""
    return np.nan, np.full((20, 3), np.nan)


def test_a_folder_with_a_run_is_not_overwritten(small: Callable[..., Config]) -> None:
    run = simulate(small())
    before = (run.path / "log.csv").read_bytes()
    with pytest.raises(ValueError, match=r"already holds a run.*--resume"):
        simulate(small())
    assert (run.path / "log.csv").read_bytes() == before


def test_what_is_no_run_folder_is_refused(tmp_path: Path, small: Callable[..., Config]) -> None:
    with pytest.raises(ValueError, match=r"no run\.yaml"):
        resume(tmp_path)
    run = simulate(small())
    (run.path / "run.yaml").write_text("psmiles: '*CC*'\nunits: many\ntime: 2ps\n")
    with pytest.raises(ValueError, match=r"units: .*not 'many'"):
        resume(run.path)


def test_one_frame_has_values_without_errors(small: Callable[..., Config]) -> None:
    observables = simulate(small(time="10fs")).observables
    assert np.isfinite(observables["radius_of_gyration"].value)
    assert np.isnan(observables["radius_of_gyration"].error)


def test_a_backbone_of_one_atom_has_no_ends(small: Callable[..., Config]) -> None:
    properties = simulate(small(psmiles="*C(*)C", units=1)).properties
    assert "radius_of_gyration" in properties
    assert (
        not {"end_to_end_distance", "characteristic_ratio", "torsion_distribution", "torsion_map"}
        & properties.keys()
    )


def test_copolymers_run_from_a_start_as_asked_for(small: Callable[..., Config]) -> None:
    config = small(psmiles=["*CC*", "*CCO*"], units=4, solvent=0.0, method="growth")
    run = simulate(config)
    assert run.trajectory.n_atoms == 2 * (6 + 7) + 2
    assert read_settings(run.path).sequence == ["*CC*", "*CCO*"]
    assert run.properties["torsion_map"]["start"]


def test_several_chains_fill_a_box(small: Callable[..., Config]) -> None:
    run = simulate(small(chains=4, density=0.1))
    trajectory = run.trajectory
    assert trajectory.topology.n_chains == 4
    assert trajectory.n_atoms == 80
    np.testing.assert_allclose(run.log["density_g_cm3"], 0.1, rtol=LOG_RTOL)
    assert trajectory.unitcell_lengths.shape == (5, 3)


def test_npt_writes_the_box_that_changes(small: Callable[..., Config]) -> None:
    config = small(ensemble="npt", barostat="mc", chains=2, time="100fs", pressure="500bar")
    run = simulate(config)
    edges, density = run.trajectory.unitcell_lengths[:, 0] * 10.0, run.log["density_g_cm3"]
    assert np.ptp(edges) > 0.0
    np.testing.assert_allclose(density * edges**3, density[0] * edges[0] ** 3, rtol=FLOAT32_RTOL)
    assert run.observables["density"].unit == "g/cm3"
    assert run.settings["pressure"] == "500bar"


def test_heavy_hydrogens_move_in_the_engine(small: Callable[..., Config]) -> None:
    run = simulate(small(hydrogen_mass=3.0, ensemble="nve", timestep="0.2fs", time="4fs", report="1fs"))
    total = run.log["potential_energy_eV"] + run.log["kinetic_energy_eV"]
    assert np.ptp(total) < 0.02 * np.ptp(run.log["kinetic_energy_eV"])


def test_an_unknown_platform_is_refused(small: Callable[..., Config]) -> None:
    with pytest.raises(ValueError, match=r"unknown platform 'GPU'.*Reference"):
        simulate(small(platform="GPU"))
    assert not small().out.exists()
