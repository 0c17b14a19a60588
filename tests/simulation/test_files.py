"""Trajectory, log and checkpoint: written, cut back, read."""

from pathlib import Path

import mdtraj
import numpy as np
import pytest
from openmm import Vec3, unit
from openmm.app import Element, Topology

from polymd.simulation.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from polymd.simulation.log import LogWriter
from polymd.simulation.trajectory import TrajectoryWriter
from polymd.testing import FLOAT32_RTOL
from polymd.trajectories import read_dcd

FRAMES = np.random.default_rng(1).normal(scale=20.0, size=(6, 5, 3))


def topology(box: bool) -> Topology:
    """Five carbons, with or without a box of 30 Å."""
    result = Topology()
    residue = result.addResidue("UNK", result.addChain())
    for _ in range(5):
        result.addAtom("C", Element.getBySymbol("C"), residue)
    if box:
        result.setPeriodicBoxVectors((Vec3(3, 0, 0), Vec3(0, 3, 0), Vec3(0, 0, 3)) * unit.nanometer)
    return result


def write(path: Path, box: bool, frames: np.ndarray, keep: int = 0) -> None:  # type: ignore[type-arg]
    """Append frames to a trajectory cut back to `keep`."""
    writer = TrajectoryWriter(path, topology(box), timestep=1.0, interval=10, frames=keep)
    for frame in frames:
        writer.write(frame)
    writer.close()


@pytest.mark.parametrize("box", [False, True])
def test_a_trajectory_is_read_back_as_mdtraj_reads_it(tmp_path: Path, box: bool) -> None:
    path = tmp_path / "trajectory.dcd"
    write(path, box, FRAMES)
    atoms = mdtraj.Topology.from_openmm(topology(box))
    ours, theirs = read_dcd(path, atoms), mdtraj.load_dcd(str(path), top=atoms)
    np.testing.assert_allclose(ours.xyz * 10.0, FRAMES, rtol=FLOAT32_RTOL)
    np.testing.assert_allclose(ours.xyz, theirs.xyz, rtol=FLOAT32_RTOL)
    assert (ours.unitcell_lengths is None) == (not box)
    if box:
        np.testing.assert_allclose(ours.unitcell_lengths, theirs.unitcell_lengths)
        np.testing.assert_allclose(ours.unitcell_angles, theirs.unitcell_angles)


@pytest.mark.parametrize("box", [False, True])
def test_a_trajectory_cut_back_and_continued_is_the_same_file(tmp_path: Path, box: bool) -> None:
    whole, cut = tmp_path / "whole.dcd", tmp_path / "cut.dcd"
    write(whole, box, FRAMES)
    write(cut, box, FRAMES[[0, 1, 5, 4]])
    with cut.open("ab") as file:
        file.write(b"half a frame")
    write(cut, box, FRAMES[2:], keep=2)
    a, b = whole.read_bytes(), cut.read_bytes()
    date = slice(180, 260)  # the title that holds the date of writing
    assert a[: date.start] + a[date.stop :] == b[: date.start] + b[date.stop :]


def test_a_frame_cut_short_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.dcd"
    write(path, False, FRAMES)
    path.write_bytes(path.read_bytes()[:-7])
    assert read_dcd(path, mdtraj.Topology.from_openmm(topology(False))).n_frames == 5


def test_what_is_no_trajectory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trajectory.dcd"
    path.write_bytes(b"no")
    with pytest.raises(ValueError, match="not a DCD"):
        read_dcd(path, mdtraj.Topology.from_openmm(topology(False)))
    write(path, False, FRAMES)
    with pytest.raises(ValueError, match="5 atoms, its topology 0"):
        read_dcd(path, mdtraj.Topology())
    with pytest.raises(ValueError, match="shorter than the 9 frames"):
        write(path, False, FRAMES, keep=9)


def row(step: int) -> dict[str, float | None]:
    """A log row."""
    names = ("time_fs", "potential_energy_eV", "kinetic_energy_eV", "temperature_K", "density_g_cm3")
    return {"step": step, "speed_ns_day": None} | dict.fromkeys(names, 0.1 * step)


def test_a_log_cut_back_and_continued_is_the_same_file(tmp_path: Path) -> None:
    for name, steps, rows in (("a", (1, 2, 3), 0), ("b", (1, 2, 9, 9), 0), ("b", (3,), 2)):
        log = LogWriter(tmp_path / name, periodic=False, rows=rows)
        for step in steps:
            log.write(row(step))
        log.close()
    assert (tmp_path / "a").read_text() == (tmp_path / "b").read_text()
    assert "density" not in (tmp_path / "a").read_text()
    with pytest.raises(ValueError, match="shorter than the 7 rows"):
        LogWriter(tmp_path / "a", periodic=False, rows=7)


def test_the_log_keeps_its_columns_in_order(tmp_path: Path) -> None:
    log = LogWriter(tmp_path / "log.csv", periodic=True)
    log.write(row(10))
    log.close()
    assert (tmp_path / "log.csv").read_text().splitlines() == [
        "step,time_fs,potential_energy_eV,kinetic_energy_eV,temperature_K,density_g_cm3,speed_ns_day",
        "10,1,1,1,1,1,",
    ]


def test_a_checkpoint_is_replaced_whole(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    for step in (1, 2):
        write_checkpoint(tmp_path, Checkpoint(step, 3, b"\x00state\x00"))
        assert read_checkpoint(tmp_path) == Checkpoint(step, 3, b"\x00state\x00")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]
