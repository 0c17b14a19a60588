"""Many molecules in one call against each alone."""

import numpy as np
import pytest

from polymd import testing
from polymd.potentials.backends import NumbaBackend
from polymd.potentials.replicas import Replicas

OPEN = np.zeros(3, dtype=bool)
NUMBERS = np.array([6, 1, 1, 1, 6, 1, 1, 1])


def grid(seed: int, n: int) -> np.ndarray:
    lattice = 1.4 * np.indices((2, 2, 2)).reshape(3, -1).T[:n]
    return lattice + np.random.default_rng(seed).normal(scale=0.1, size=(n, 3))


def test_copies_give_what_each_gives_alone() -> None:
    positions = np.stack([grid(seed, 8) for seed in range(5)])
    result = Replicas([NUMBERS] * 5).evaluate(positions)
    assert result.forces.shape == positions.shape
    alone = NumbaBackend(NUMBERS, "polyget")
    for copy in range(5):
        expected = alone.evaluate(positions[copy], np.zeros((3, 3)), OPEN)
        assert result.energies[copy] == pytest.approx(expected.energy, abs=testing.SYMMETRY_ATOL32)
        np.testing.assert_allclose(result.forces[copy], expected.forces, atol=testing.SYMMETRY_ATOL32)


def test_molecules_of_different_size() -> None:
    molecules = [NUMBERS, NUMBERS[:3], NUMBERS[:5]]
    positions = [grid(seed, len(numbers)) for seed, numbers in enumerate(molecules)]
    replicas = Replicas(molecules)
    result = replicas.evaluate(np.concatenate(positions))
    assert result.energies.shape == (3,)
    assert replicas.pointers.tolist() == [0, 8, 11, 16]
    for numbers, x, energy in zip(molecules, positions, result.energies, strict=True):
        expected = NumbaBackend(numbers, "polyget").evaluate(x, np.zeros((3, 3)), OPEN)
        assert energy == pytest.approx(expected.energy, abs=testing.SYMMETRY_ATOL32)


def test_the_answer_is_a_function_of_the_positions_alone() -> None:
    """Bit for bit, whatever the list was built from."""
    positions = np.stack([grid(seed, 8) for seed in range(3)])
    replicas = Replicas([NUMBERS] * 3)
    replicas.evaluate(positions + 0.05)
    fresh = Replicas([NUMBERS] * 3).evaluate(positions)
    np.testing.assert_array_equal(replicas.evaluate(positions).forces, fresh.forces)


@pytest.mark.parametrize(
    ("molecules", "message"), [([], "at least one"), ([[6], []], "at least one"), ([[92]], "element U")]
)
def test_bad_molecules_are_refused(molecules: list[list[int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Replicas(molecules)


def test_positions_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(7, 3\)"):
        Replicas([NUMBERS]).evaluate(np.zeros((7, 3)))
