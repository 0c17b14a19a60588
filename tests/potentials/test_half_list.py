"""Half lists: their pairs, and an order that hangs on the positions alone."""

import numpy as np
import pytest

from polymd.neighbors import neighbor_list
from polymd.potentials import half_list
from polymd.potentials.half_list import HalfList, spatial_order

PBC = np.ones(3, dtype=bool)


def system(n: int = 60, side: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    return np.random.default_rng(2).uniform(0, side, (n, 3)), np.eye(3) * side


@pytest.mark.parametrize("sorted_atoms", [1, 10_000])
@pytest.mark.parametrize("side", [4.0, 12.0])
def test_each_pair_once(monkeypatch: pytest.MonkeyPatch, sorted_atoms: int, side: float) -> None:
    monkeypatch.setattr(half_list, "SORTED_ATOMS", sorted_atoms)
    positions, cell = system(40, side)
    pairs, vectors = HalfList(5.0).update(positions, cell, PBC)
    i, j, d = neighbor_list("ijd", positions, cell, PBC, 5.0)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    assert len(both) == len(i)
    for found, expected in zip(np.lexsort(both.T[::-1]), np.lexsort((j, i)), strict=True):
        assert tuple(both[found]) == (i[expected], j[expected])
    np.testing.assert_allclose(np.sort(np.tile(np.linalg.norm(vectors, axis=1), 2)), np.sort(d), atol=1e-5)


@pytest.mark.parametrize("sorted_atoms", [1, 10_000])
def test_order_does_not_depend_on_the_age_of_the_list(
    monkeypatch: pytest.MonkeyPatch, sorted_atoms: int
) -> None:
    monkeypatch.setattr(half_list, "SORTED_ATOMS", sorted_atoms)
    positions, cell = system()
    old = HalfList(5.0)
    old.update(positions[:, [1, 2, 0]] * 0.98, cell, PBC)
    old.update(positions + 0.1, cell, PBC)
    for kept, new in zip(
        old.update(positions, cell, PBC), HalfList(5.0).update(positions, cell, PBC), strict=True
    ):
        np.testing.assert_array_equal(kept, new)


def test_neighbours_in_space_are_neighbours_in_order() -> None:
    positions, cell = system(3000, 40.0)
    order = spatial_order(positions, cell, PBC)
    assert sorted(order) == list(range(3000))
    steps = [np.linalg.norm(np.diff(x, axis=0), axis=1).mean() for x in (positions, positions[order])]
    assert steps[1] < 0.5 * steps[0]
    moved = positions + 3 * cell[0]
    np.testing.assert_array_equal(spatial_order(moved, cell, PBC), order)
