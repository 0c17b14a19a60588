"""What the three-dimensional view is given."""

import base64
from dataclasses import replace
from pathlib import Path

import mdtraj
import numpy as np
import pytest

from polymd import Polymer
from polymd.report.run_folder import RunFolder, read_run_folder
from polymd.report.scene import scene
from polymd.testing import FLOAT32_RTOL


@pytest.fixture
def run(run_folder: Path) -> RunFolder:
    return read_run_folder(run_folder)


def test_atoms_bonds_and_units(run: RunFolder) -> None:
    polymer, drawn = Polymer("*CCO*", 4), scene(run)
    assert drawn["units"] == polymer.unit_index.tolist()
    assert sorted(map(sorted, drawn["bonds"])) == polymer.bonds.tolist()
    assert drawn["elements"].count("O") == 4
    assert drawn["times"] == pytest.approx([0.0, 0.01, 0.02, 0.03, 0.04])


def test_coordinates_keep_the_shape_of_the_chain(run: RunFolder) -> None:
    drawn = scene(run)
    integers = np.frombuffer(base64.b64decode(drawn["coordinates"]), "<i2")
    xyz = integers.reshape(5, -1, 3) * drawn["resolution"]
    pairs = np.array([[0, 7], [3, 12], [1, 29]])
    distances = np.linalg.norm(xyz[:, pairs[:, 0]] - xyz[:, pairs[:, 1]], axis=-1)
    expected = 10.0 * mdtraj.compute_distances(run.trajectory, pairs, periodic=False)
    assert distances == pytest.approx(expected, abs=2 * drawn["resolution"])
    spread = np.var(xyz[0], axis=0)
    assert spread[0] >= spread[1] >= spread[2]


def test_handedness_is_kept(run: RunFolder) -> None:
    drawn = scene(run)
    integers = np.frombuffer(base64.b64decode(drawn["coordinates"]), "<i2").reshape(5, -1, 3)
    for shown, stored in ((integers[0], run.trajectory.xyz[0]), (integers[4], run.trajectory.xyz[4])):
        triple = [np.linalg.det((x[[1, 2, 3]] - x[0]).astype(np.float64)) for x in (shown, stored)]
        assert np.sign(triple[0]) == np.sign(triple[1])


def test_long_trajectories_are_thinned_out(run: RunFolder) -> None:
    many = mdtraj.Trajectory(np.tile(run.trajectory.xyz, (200, 1, 1)), run.trajectory.topology)
    times = np.arange(1000.0)
    drawn = scene(replace(run, trajectory=many, frame_times=times))
    assert len(drawn["times"]) == 200
    assert drawn["times"][0] == 0.0
    assert drawn["times"][-1] == pytest.approx(0.999, rel=FLOAT32_RTOL)


def test_the_run_itself_is_not_moved(run: RunFolder) -> None:
    before = run.trajectory.xyz.copy()
    scene(run)
    assert np.array_equal(run.trajectory.xyz, before)
