"""Rods, dumbbells and ideal chains."""

import math
from collections.abc import Callable

import mdtraj
import numpy as np
import pytest
from numpy.typing import NDArray

from polymd.observables import (
    characteristic_ratio,
    end_to_end_distance,
    end_to_end_distance_series,
    radius_of_gyration,
    radius_of_gyration_series,
)
from polymd.testing import FLOAT32_RTOL, STATISTICAL_SIGMAS

Build = Callable[..., mdtraj.Trajectory]


def freely_rotating_chains(samples: int, bonds: int, cosine: float, seed: int) -> NDArray[np.float64]:
    """`(samples, bonds + 1, 3)` chains of unit bonds whose neighbours have this cosine, torsions free."""
    generator = np.random.default_rng(seed)
    torsions = generator.uniform(0.0, 2.0 * np.pi, (samples, bonds))
    sine = math.sqrt(1.0 - cosine**2)
    bond, first, second = (np.tile(axis, (samples, 1)) for axis in np.eye(3))
    steps = np.empty((samples, bonds, 3))
    for i in range(bonds):
        steps[:, i] = bond
        normal = first * np.cos(torsions[:, i, None]) + second * np.sin(torsions[:, i, None])
        bond, first = cosine * bond + sine * normal, cosine * normal - sine * bond
        second = np.cross(bond, first)
    return np.concatenate([np.zeros((samples, 1, 3)), np.cumsum(steps, axis=1)], axis=1)


def rod(atoms: int, length: float) -> NDArray[np.float64]:
    return np.outer(np.arange(atoms) * length, [2 / 3, 1 / 3, 2 / 3])[None, None]


def test_rod(trajectory: Build) -> None:
    atoms, length = 21, 1.5
    traj, backbone = trajectory(rod(atoms, length)), np.arange(atoms)
    gyration = length * math.sqrt((atoms**2 - 1) / 12)
    assert radius_of_gyration(traj).value == pytest.approx(gyration, rel=FLOAT32_RTOL)
    assert end_to_end_distance(traj, backbone).value == pytest.approx(20 * length, rel=FLOAT32_RTOL)
    assert characteristic_ratio(traj, backbone).value == pytest.approx(20.0, rel=FLOAT32_RTOL)


def test_one_frame_has_no_error(trajectory: Build) -> None:
    estimate = radius_of_gyration(trajectory(rod(3, 1.0)))
    assert math.isnan(estimate.error)
    assert estimate.unit == "Å"


def test_masses_count_about_their_centre(trajectory: Build) -> None:
    dumbbell = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0]])[None, None]
    light, heavy = 1.007947, 126.90447
    reduced = light * heavy / (light + heavy)
    expected = 2.0 * math.sqrt(reduced / (light + heavy))
    traj = trajectory(dumbbell, ["H", "I"])
    assert radius_of_gyration(traj).value == pytest.approx(expected, rel=1e-4)


def test_several_chains_are_averaged_each_about_itself(trajectory: Build) -> None:
    short, long = rod(5, 1.0), rod(5, 3.0)
    traj = trajectory(np.concatenate([short, long + 500.0], axis=1))
    assert radius_of_gyration_series(traj) == pytest.approx([2.0 * math.sqrt(2.0)], rel=FLOAT32_RTOL)
    assert end_to_end_distance_series(traj, [0, 4]) == pytest.approx([8.0], rel=FLOAT32_RTOL)


def test_positions_far_from_the_origin(trajectory: Build) -> None:
    near = trajectory(rod(9, 1.0))
    near.xyz += 100.0
    assert radius_of_gyration(near).value == pytest.approx(math.sqrt(80 / 12), rel=1e-4)


@pytest.mark.parametrize("cosine", [0.0, 1 / 3])
def test_ideal_chains(trajectory: Build, cosine: float) -> None:
    bonds = 50
    chains = freely_rotating_chains(4000, bonds, cosine, seed=0)
    estimate = characteristic_ratio(trajectory(chains[:, None]), np.arange(bonds + 1))
    finite = 2 * cosine * (1 - cosine**bonds) / (bonds * (1 - cosine) ** 2)
    expected = (1 + cosine) / (1 - cosine) - finite
    assert abs(estimate.value - expected) < STATISTICAL_SIGMAS * estimate.error
    assert estimate.error < 0.03 * expected


def test_radius_of_gyration_of_ideal_chains(trajectory: Build) -> None:
    bonds = 50
    chains = freely_rotating_chains(4000, bonds, 0.0, seed=1)
    squared = np.square(radius_of_gyration_series(trajectory(chains[:, None])))
    expected = bonds * (bonds + 2) / (6 * (bonds + 1))  # b² n(n + 2)/(6(n + 1)) for n bonds of length b
    assert abs(squared.mean() - expected) < STATISTICAL_SIGMAS * squared.std() / math.sqrt(4000)


def test_side_groups_do_not_count_for_the_backbone(trajectory: Build) -> None:
    positions = rod(4, 1.0)
    positions[0, 0, 1] = [9.0, 9.0, 9.0]
    assert end_to_end_distance(trajectory(positions), [0, 2]).value == pytest.approx(2.0, rel=FLOAT32_RTOL)


@pytest.mark.parametrize("backbone", [[0], [0, 4], [-1, 2], [[0, 1]]])
def test_bad_backbone(trajectory: Build, backbone: list[int]) -> None:
    with pytest.raises(ValueError, match=r"Polymer\.backbone"):
        end_to_end_distance(trajectory(rod(4, 1.0)), backbone)


def test_chains_of_different_length(trajectory: Build) -> None:
    traj = trajectory(rod(4, 1.0))
    traj = traj.stack(trajectory(rod(3, 1.0)))
    with pytest.raises(ValueError, match=r"chains of \[3, 4\] atoms"):
        radius_of_gyration(traj)
