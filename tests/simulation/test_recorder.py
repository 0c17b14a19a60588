"""The flight recorder stops a run whose physics broke."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mdtraj
import numpy as np
import pytest

from polymd.simulation import Config, SimulationError
from polymd.simulation.engine import Snapshot
from polymd.simulation.recorder import FlightRecorder
from polymd.simulation.system import MolecularSystem, build_system
from polymd.trajectories import read_dcd
from polymd.units import KB


@pytest.fixture
def system(small: Callable[..., Config]) -> MolecularSystem:
    """Three units of polyethylene."""
    return build_system(small())


def calm(system: MolecularSystem) -> Snapshot:
    """A sound snapshot at 300 K."""
    return Snapshot(7, system.positions, None, -1.0, 1.5 * system.n_atoms * KB * 300.0)


def test_a_sound_run_passes(system: MolecularSystem, small: Callable[..., Config]) -> None:
    FlightRecorder(system, small()).check(calm(system))


def test_each_failure_says_what_and_when(system: MolecularSystem, small: Callable[..., Config]) -> None:
    snapshot = calm(system)
    stretched = system.positions.copy()
    i, j = system.bonds[0]
    stretched[j] += 3.0 * (stretched[j] - stretched[i])
    broken = system.positions.copy()
    broken[3, 1] = np.nan
    for bad, words in (
        (replace(snapshot, potential_energy=np.nan), "no longer numbers at 7 fs"),
        (replace(snapshot, positions=broken), "no longer numbers"),
        (replace(snapshot, positions=stretched), r"bond [CH]\d+-[CH]\d+ is \d\.\d\d Å long at 7 fs"),
        (replace(snapshot, kinetic_energy=10.0 * snapshot.kinetic_energy), "temperature is 3000 K"),
    ):
        with pytest.raises(SimulationError, match=words):
            FlightRecorder(system, small()).check(bad)


def test_the_last_finite_frames_are_kept(
    system: MolecularSystem, small: Callable[..., Config], tmp_path: Path
) -> None:
    recorder = FlightRecorder(system, small())
    for step in range(30):
        recorder.check(replace(calm(system), step=step, positions=system.positions + step))
    with pytest.raises(SimulationError):
        recorder.check(replace(calm(system), positions=system.positions * np.nan))
    assert recorder.dump(tmp_path / "last.dcd") == 19
    frames = read_dcd(tmp_path / "last.dcd", mdtraj.Topology.from_openmm(system.topology))
    np.testing.assert_allclose(frames.xyz[-1] * 10.0, system.positions + 29, atol=1e-4)
