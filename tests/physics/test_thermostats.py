"""physical_validation on every thermostat, and on two broken ones, which it must find."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from ase import units
from ase.md.verlet import VelocityVerlet

from polymd.integrators import ase_dynamics
from polymd.testing import ENSEMBLE_SIGMAS, EQUIPARTITION_SIGMAS, KINETIC_P
from polymd.units import KB

from . import fluid
from .ensembles import (
    FRICTION,
    TIMESTEP,
    Samples,
    State,
    ensemble_sigmas,
    equipartition_sigmas,
    kinetic_p,
    sample_ase,
    sample_openmm,
)

FRAMES = {sample_openmm: 500, sample_ase: 250}
COLD, WARM = 300.0, 340.0  # K, about the interval of most power for 40 atoms
Thermostat = Literal["langevin", "bussi", "nose-hoover"]


@pytest.mark.parametrize("thermostat", ["langevin", "bussi", "nose-hoover"])
@pytest.mark.parametrize("sample", [sample_openmm, sample_ase])
def test_a_thermostat_samples_the_canonical_ensemble(
    sample: Callable[[State, int, int], Samples], thermostat: Thermostat
) -> None:
    cold, warm = State(COLD, thermostat), State(WARM, thermostat)
    first, second = (sample(state, FRAMES[sample], seed) for seed, state in enumerate((cold, warm), 11))
    assert kinetic_p(first, cold) > KINETIC_P
    assert kinetic_p(second, warm) > KINETIC_P
    assert ensemble_sigmas(first, cold, second, warm) < ENSEMBLE_SIGMAS
    assert equipartition_sigmas(first, cold) < EQUIPARTITION_SIGMAS
    assert equipartition_sigmas(second, warm) < EQUIPARTITION_SIGMAS


def test_a_thermostat_that_is_3_percent_hot_is_found() -> None:
    state = State(COLD, "langevin")
    hot = sample_openmm(State(1.03 * COLD, "langevin"), 1000, 3)
    assert kinetic_p(hot, state) < KINETIC_P
    assert equipartition_sigmas(hot, state) > EQUIPARTITION_SIGMAS


class Rescaling(VelocityVerlet):
    """Velocities rescaled to the exact temperature at every step: not canonical."""

    def step(self, forces: Any = None) -> Any:
        """One step."""
        result = super().step(forces)
        target = 1.5 * (fluid.N - 1) * KB * self.temperature
        self.atoms.set_momenta(self.atoms.get_momenta() * np.sqrt(target / self.atoms.get_kinetic_energy()))
        return result


def test_velocity_rescaling_is_found() -> None:
    samples = []
    for seed, temperature in enumerate((COLD, WARM), 1):

        def rescaled(atoms: Any, temperature: float = temperature) -> Rescaling:
            dynamics = Rescaling(atoms, TIMESTEP * units.fs)
            dynamics.temperature = temperature
            return dynamics

        samples.append(sample_ase(State(temperature, "bussi"), 100, seed, rescaled))
    assert kinetic_p(samples[0], State(COLD, "bussi")) < KINETIC_P


def test_a_moving_centre_of_mass_is_refused() -> None:
    atoms = fluid.atoms()
    atoms.set_velocities(np.ones((fluid.N, 3)))
    for thermostat in ("bussi", "nose-hoover"):
        with pytest.raises(ValueError, match="centre of mass moves"):
            ase_dynamics(
                atoms,
                "nvt",
                COLD,
                TIMESTEP,
                np.random.default_rng(1),
                thermostat=thermostat,
                friction=FRICTION,
            )
