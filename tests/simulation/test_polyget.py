"""Whole runs on the shipped potential."""

from pathlib import Path

import numpy as np
import pytest

from polymd.diagnostics import torchforce_available
from polymd.simulation import Config, resume, simulate
from polymd.testing import ENGINES_EV, STATISTICAL_SIGMAS


def config(out: Path, **changes: object) -> Config:
    """Four units of poly(ethylene oxide), 40 fs."""
    fields: dict[str, object] = {
        "psmiles": "*CC(*)c1ccccc1",
        "units": 3,
        "time": "40fs",
        "seed": 1,
        "out": out,
    }
    return Config(**fields | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes", [{}, {"inner_potential": "polyget-fast"}], ids=["one step", "multiple time steps"]
)
@pytest.mark.parametrize("engine", ["pythonforce", "ase"])
def test_a_run_in_two_parts_is_the_run_in_one(
    engine: str, changes: dict[str, object], tmp_path: Path
) -> None:
    """Also although the second part builds its neighbour list, and looks at energies, at other times."""
    fields = {"engine": engine, "time": "60fs", "report": "12fs"} | changes
    whole = simulate(config(tmp_path / "whole", **fields))
    simulate(config(tmp_path / "parts", **fields | {"time": "24fs"}))
    parts = resume(tmp_path / "parts", time="60fs")
    assert np.array_equal(whole.trajectory.xyz, parts.trajectory.xyz)
    assert whole.log.drop(columns="speed_ns_day").equals(parts.log.drop(columns="speed_ns_day"))


def test_the_engines_start_from_the_same_energy_and_keep_it(tmp_path: Path) -> None:
    engines = ["pythonforce", "ase"] + ["torchforce"] * torchforce_available()[0]
    energies = {}
    for engine in engines:
        log = simulate(config(tmp_path / engine, engine=engine, ensemble="nve", timestep="0.5fs")).log
        total = log["potential_energy_eV"] + log["kinetic_energy_eV"]
        assert np.ptp(total) < 0.05 * np.ptp(log["kinetic_energy_eV"][1:])
        energies[engine] = log["potential_energy_eV"].to_numpy()
    if "torchforce" in energies:
        np.testing.assert_allclose(energies["torchforce"][:2], energies["pythonforce"][:2], atol=ENGINES_EV)


@pytest.mark.skipif(not torchforce_available()[0], reason=torchforce_available()[1])
def test_torchforce_runs_and_resumes(tmp_path: Path) -> None:
    simulate(config(tmp_path / "run", engine="torchforce", time="10fs"))
    log = resume(tmp_path / "run", time="20fs").log
    assert list(log["step"]) == [0, 10, 20]
    assert np.isfinite(log.drop(columns="speed_ns_day")).all(axis=None)


def test_nve_stays_near_the_temperature_asked_for(tmp_path: Path) -> None:
    """The chain starts in a minimum, so its first velocities are those of twice the temperature."""
    log = simulate(config(tmp_path / "run", ensemble="nve", time="500fs")).log
    late = log["temperature_K"][20:]
    spread = 300.0 * np.sqrt(2.0 / (3 * 30 - 3))
    assert abs(late.mean() - 300.0) < STATISTICAL_SIGMAS * spread
