"""physical_validation on every barostat: dynamics of a fluid, and its kinetic energy left alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import openmm
import pytest

from polymd.integrators import openmm_integrator
from polymd.observables import mean_with_error
from polymd.testing import ENSEMBLE_SIGMAS, EQUIPARTITION_SIGMAS, KINETIC_P, STATISTICAL_SIGMAS
from polymd.units import BAR

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

FRAMES = {sample_openmm: 400, sample_ase: 250}


@pytest.mark.parametrize("barostat", ["scr", "mc"])
@pytest.mark.parametrize("sample", [sample_openmm, sample_ase])
def test_a_barostat_samples_the_isothermal_isobaric_ensemble(
    sample: Callable[[State, int, int], Samples], barostat: Literal["scr", "mc"]
) -> None:
    """Two states that differ in temperature and pressure."""
    one = State(barostat=barostat)
    two = replace(one, temperature=330.0, pressure=1.06 * one.pressure)
    first, second = (sample(state, FRAMES[sample], seed) for seed, state in enumerate((one, two), 1))
    assert kinetic_p(first, one) > KINETIC_P
    assert ensemble_sigmas(first, one, second, two) < ENSEMBLE_SIGMAS
    assert equipartition_sigmas(first, one) < EQUIPARTITION_SIGMAS


def test_openmm_s_own_barostat_sees_the_same_volume() -> None:
    """A changed box reaches a PythonForce; and both programs mean the same by pressure."""
    ours = sample_openmm(State(barostat="mc"), 400, 3).volume
    integrator = openmm_integrator("npt", 300.0, TIMESTEP, 3, friction=FRICTION)
    context = fluid.context(integrator, openmm.MonteCarloBarostat(fluid.PRESSURE / BAR, 300.0, 4))
    theirs = []
    for _ in range(500):
        integrator.step(12)
        theirs.append(float(context.getState().getPeriodicBoxVolume()._value) * 1e3)
    first, second = mean_with_error(ours, "Å3"), mean_with_error(theirs[100:], "Å3")
    assert np.ptp(theirs) > 0.0
    assert abs(first.value - second.value) < STATISTICAL_SIGMAS * np.hypot(first.error, second.error)
