import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polymd.potentials.repulsion import HYDROGEN_REACH, RADII, longest_reach, zbl_pair, zbl_pairs
from polymd.potentials.repulsion_module import ZBL

ELEMENT = st.sampled_from([1, 6, 7, 8, 9, 14, 16, 17])


@settings(deadline=None)
@given(ELEMENT, ELEMENT, st.floats(0.1, 3.0))
def test_both_codes_agree_and_the_slope_is_the_derivative(z_i: int, z_j: int, d: float) -> None:
    reach = RADII[z_i] + RADII[z_j]
    energy, slope = zbl_pair(float(z_i), float(z_j), d, reach)
    distance = torch.tensor([d], dtype=torch.float64, requires_grad=True)
    expected = ZBL()(torch.tensor([z_i]), torch.tensor([z_j]), distance)
    assert energy == pytest.approx(expected.item(), rel=1e-12, abs=1e-12)
    (gradient,) = torch.autograd.grad(expected.sum(), distance)
    assert slope == pytest.approx(gradient.item(), rel=1e-9, abs=1e-9)


def test_bare_coulomb_close_by_and_silent_beyond_the_radii() -> None:
    energy, _ = zbl_pair(6.0, 6.0, 1e-4, 1.52)
    assert energy == pytest.approx(14.399645 * 36 / 1e-4, rel=0.01)
    assert zbl_pair(6.0, 6.0, 1.52, 1.52) == (0.0, 0.0)


def test_only_hydrogens_have_a_wall_and_it_is_smooth() -> None:
    assert zbl_pair(1.0, 1.0, HYDROGEN_REACH, 0.62) == (0.0, 0.0)
    energy, slope = zbl_pair(1.0, 1.0, HYDROGEN_REACH - 1e-4, 0.62)
    assert 0.0 < energy < 1e-10
    assert -1e-6 < slope < 0.0
    assert zbl_pair(1.0, 1.0, 0.8, 0.62)[0] > 3.0
    assert zbl_pair(1.0, 6.0, 1.2, 1.07) == (0.0, 0.0)


def test_longest_reach_covers_the_wall_of_small_atoms() -> None:
    assert longest_reach(np.array([1, 8, 1])) == HYDROGEN_REACH
    assert longest_reach(np.array([1, 14])) == 2 * RADII[14]


def test_lists_of_pairs_add_up() -> None:
    numbers = np.array([6, 1, 8])
    pairs = np.array([[0, 1], [0, 2]], np.int32)
    d = np.array([0.6, 0.9], np.float32)
    energies, slopes = np.zeros(3), np.ones(2, np.float32)
    zbl_pairs(numbers, pairs, d, RADII, energies, slopes)
    first = zbl_pair(6.0, 1.0, float(d[0]), RADII[6] + RADII[1])
    second = zbl_pair(6.0, 8.0, float(d[1]), RADII[6] + RADII[8])
    np.testing.assert_allclose(energies, [(first[0] + second[0]) / 2, first[0] / 2, second[0] / 2])
    np.testing.assert_allclose(slopes, [1 + first[1], 1 + second[1]], rtol=1e-6)
