"""Chains of known torsions."""

from collections.abc import Callable

import mdtraj
import numpy as np
import pytest
from numpy.typing import NDArray

from polymd.observables import torsion_distribution, torsion_pairs

Build = Callable[..., mdtraj.Trajectory]


def chain(torsions: list[float]) -> NDArray[np.float64]:
    """`(1, 1, n, 3)` a chain of 1.5 Å bonds and 112° angles with these torsions in degrees."""
    angle = np.radians(112.0)
    atoms = [np.array([-1.5, 0.0, 0.0]), np.zeros(3), 1.5 * np.array([-np.cos(angle), np.sin(angle), 0.0])]
    for torsion in np.radians(torsions):
        along = (atoms[-1] - atoms[-2]) / 1.5
        normal = np.cross(atoms[-2] - atoms[-3], along)
        normal /= np.linalg.norm(normal)
        local = [-np.cos(angle), np.sin(angle) * np.cos(torsion), np.sin(angle) * np.sin(torsion)]
        atoms.append(atoms[-1] + 1.5 * np.array(local) @ np.array([along, np.cross(normal, along), normal]))
    return np.array(atoms)[None, None]


@pytest.mark.parametrize("torsion", [-60.0, 62.0, 117.0, -3.0])
def test_signed_angle_lands_in_its_bin(trajectory: Build, torsion: float) -> None:
    histogram = torsion_distribution(trajectory(chain([torsion])), range(4), bins=360)
    centre = histogram.edges[:-1][histogram.counts == 1] + 0.5
    assert histogram.counts.sum() == 1
    assert abs(centre[0] - torsion) <= 0.501


def test_sign_is_that_of_mdtraj(trajectory: Build) -> None:
    angle = mdtraj.compute_dihedrals(trajectory(chain([62.0])), [[0, 1, 2, 3]])
    assert np.degrees(angle) == pytest.approx(62.0, abs=1e-3)


def test_counts_every_torsion_of_every_chain_and_frame(trajectory: Build) -> None:
    frame = np.concatenate([chain([180.0, 60.0]), chain([180.0, -60.0])], axis=1)
    traj = trajectory(np.concatenate([frame, frame, frame]))
    histogram = torsion_distribution(traj, range(5))
    assert histogram.counts.sum() == 3 * 2 * 2
    assert histogram.edges[[0, -1]].tolist() == [-180.0, 180.0]
    assert np.sum(histogram.density * np.diff(histogram.edges)) == pytest.approx(1.0)
    trans = histogram.counts[0] + histogram.counts[-1]
    assert trans == 6


def test_json(trajectory: Build) -> None:
    stored = torsion_distribution(trajectory(chain([60.0])), range(4), bins=4).as_dict()
    assert stored == {"edges": [-180.0, -90.0, 0.0, 90.0, 180.0], "counts": [0, 0, 1, 0], "unit": "degree"}


def test_bad_input(trajectory: Build) -> None:
    traj = trajectory(chain([60.0]))
    with pytest.raises(ValueError, match="4 atoms or more"):
        torsion_distribution(traj, [0, 1, 2])
    with pytest.raises(ValueError, match="bins=0"):
        torsion_distribution(traj, range(4), bins=0)


def test_pairs_are_neighbours(trajectory: Build) -> None:
    pairs = torsion_pairs(trajectory(chain([60.0, -170.0, 55.0])), range(6))
    np.testing.assert_allclose(pairs, [[[60.0, -170.0], [-170.0, 55.0]]], atol=0.01)
    with pytest.raises(ValueError, match="5"):
        torsion_pairs(trajectory(chain([60.0])), range(4))
