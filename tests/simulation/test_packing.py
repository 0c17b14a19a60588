"""Several chains in a box."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from polymd.simulation.packing import box_length, place_chains
from polymd.units import G_CM3

CHAIN = np.stack([1.5 * np.arange(12), np.zeros(12), np.zeros(12)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_no_atom_touches_another_chain_or_image(seed: int) -> None:
    length = 25.0
    placed = place_chains([CHAIN] * 8, length, seed=seed)
    pairs = cKDTree(placed % length, boxsize=length).query_pairs(1.99)
    assert {(j - i, i // 12 == j // 12) for i, j in pairs} == {(1, True)}


def test_chains_stay_whole_and_rigid() -> None:
    placed = place_chains([CHAIN] * 3, 40.0, seed=1).reshape(3, 12, 3)
    for chain in placed:
        np.testing.assert_allclose(np.linalg.norm(chain - chain[0], axis=1), CHAIN[:, 0], atol=1e-9)


def test_the_seed_decides() -> None:
    first, again, other = (place_chains([CHAIN] * 3, 40.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_full_box_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match="lower density"):
        place_chains([CHAIN] * 200, 20.0, seed=1)
    with pytest.raises(ValueError, match=r"chain 1 of 1"):
        place_chains([CHAIN], 3.5, seed=1)  # 12 spheres of 2 Å across are larger than this box


def test_the_box_has_the_density_asked_for() -> None:
    length = box_length(1000.0, 0.5)
    assert 1000.0 / length**3 / G_CM3 == pytest.approx(0.5)
