"""Thermal velocities."""

import numpy as np
import pytest

from polymd.integrators import degrees_of_freedom, maxwell_boltzmann
from polymd.testing import STATISTICAL_SIGMAS
from polymd.units import AMU_A2_FS2, KB

MASSES = np.tile([12.011, 1.008, 15.999], 2000)


def test_the_temperature_is_the_one_asked_for() -> None:
    velocities = maxwell_boltzmann(MASSES, 350.0, seed=3)
    dof = degrees_of_freedom(len(MASSES), "nve")
    temperature = (MASSES[:, None] * velocities**2).sum() * AMU_A2_FS2 / (dof * KB)
    assert abs(temperature - 350.0) < STATISTICAL_SIGMAS * 350.0 * np.sqrt(2.0 / dof)


def test_light_and_heavy_atoms_share_the_energy() -> None:
    velocities = maxwell_boltzmann(MASSES, 300.0, seed=4)
    for mass in np.unique(MASSES):
        chosen = velocities[mass == MASSES]
        temperature = mass * (chosen**2).mean() * AMU_A2_FS2 / KB
        assert abs(temperature - 300.0) < STATISTICAL_SIGMAS * 300.0 * np.sqrt(2.0 / chosen.size)


def test_the_centre_of_mass_rests() -> None:
    velocities = maxwell_boltzmann(MASSES, 300.0, seed=5)
    np.testing.assert_allclose(MASSES @ velocities, 0.0, atol=1e-9)


def test_the_seed_decides() -> None:
    first, again, other = (maxwell_boltzmann(MASSES, 300.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_zero_kelvin_is_rest_and_less_is_refused() -> None:
    assert not maxwell_boltzmann(MASSES, 0.0, seed=1).any()
    with pytest.raises(ValueError, match=r"-1.*negative"):
        maxwell_boltzmann(MASSES, -1.0, seed=1)


def test_degrees_of_freedom() -> None:
    assert degrees_of_freedom(10, "nvt") == 30
    assert degrees_of_freedom(10, "nve") == 27
    assert degrees_of_freedom(1, "nve") == 3
