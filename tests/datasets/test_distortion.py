"""Distorted geometries: the same molecule, its bonds changed within the stated bounds."""

import numpy as np
from ase.build import molecule
from scipy.spatial.distance import pdist

from polymd.datasets.sampling.distortion import JITTER, STRETCH, bonds, distort

BENZENE, BUTANE = molecule("C6H6"), molecule("trans-butane")


def test_bonds_of_butane() -> None:
    bonded = bonds(BUTANE.numbers, BUTANE.positions)
    assert (bonded == bonded.T).all()
    assert bonded.sum(axis=1).tolist() == [4 if z == 6 else 1 for z in BUTANE.numbers]


def test_same_seed_same_geometry() -> None:
    first, again, other = (
        distort(BUTANE.numbers, BUTANE.positions, np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bonds_change_within_the_bounds_and_angles_get_small() -> None:
    bonded = np.argwhere(np.triu(bonds(BUTANE.numbers, BUTANE.positions)))
    before = np.linalg.norm(np.diff(BUTANE.positions[bonded], axis=1)[:, 0], axis=1)
    change, closest = [], []
    for seed in range(300):
        positions = distort(BUTANE.numbers, BUTANE.positions, np.random.default_rng(seed))
        change.append(np.linalg.norm(np.diff(positions[bonded], axis=1)[:, 0], axis=1) - before)
        closest.append(pdist(positions[BUTANE.numbers == 1]).min())
    slack = 8.0 * JITTER
    assert 3 * STRETCH[0] - slack < np.min(change)
    assert np.max(change) < 3 * STRETCH[1] + slack
    assert np.max(change) > STRETCH[1] / 2
    assert np.percentile(closest, 10) < 1.3  # of 1.77 Å in butane


def test_rings_keep_their_shape() -> None:
    carbons = BENZENE.numbers == 6
    before = pdist(BENZENE.positions[carbons])
    for seed in range(30):
        positions = distort(BENZENE.numbers, BENZENE.positions, np.random.default_rng(seed))
        assert np.abs(pdist(positions[carbons]) - before).max() < 8.0 * JITTER
