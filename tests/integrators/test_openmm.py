"""The OpenMM integrators on a system whose answer is known: independent harmonic oscillators."""

from typing import Literal

import numpy as np
import openmm
import pytest

from polymd.integrators import openmm_integrator
from polymd.observables import mean_with_error
from polymd.testing import STATISTICAL_SIGMAS, VERLET_ORDER_RTOL, VERLET_RTOL
from polymd.units import AMU_A2_FS2, EV_KJ_MOL, KB

N = 50
MASS = 12.0  # amu
STIFFNESS = 20.0  # eV/Å²
OMEGA = np.sqrt(STIFFNESS / (MASS * AMU_A2_FS2))  # 1/fs


def oscillators(ensemble: Literal["nve", "nvt"], timestep: float = 1.0, seed: int = 1) -> openmm.Context:
    """`N` oscillators starting at rest, 0.1 Å from their minimum, on the Reference platform."""
    system = openmm.System()
    force = openmm.CustomExternalForce(f"{STIFFNESS * EV_KJ_MOL * 50.0}*(x*x + y*y + z*z)")
    for i in range(N):
        system.addParticle(MASS)
        force.addParticle(i)
    system.addForce(force)
    integrator = openmm_integrator(ensemble, 300.0, timestep, seed, friction=10.0)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, integrator, platform)
    context.setPositions(np.full((N, 3), 0.01))
    return context


def energies(context: openmm.Context, steps: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Total energy (eV) after each of `steps` steps."""
    values = []
    for _ in range(steps):
        context.getIntegrator().step(1)
        state = context.getState(energy=True)
        values.append((state.getPotentialEnergy()._value + state.getKineticEnergy()._value) / EV_KJ_MOL)
    return np.array(values)


def test_velocity_verlet_keeps_its_exact_discrete_solution() -> None:
    """x_n = x_0 cos(n θ), v_n = -x_0 ω sqrt(1 - (ωΔt/2)²) sin(n θ), with cos θ = 1 - (ωΔt)²/2."""
    timestep, steps = 1.0, 200
    context = oscillators("nve", timestep)
    context.getIntegrator().step(steps)
    state = context.getState(positions=True, velocities=True)
    theta = np.arccos(1.0 - (OMEGA * timestep) ** 2 / 2.0)
    x = 0.1 * np.cos(steps * theta)
    v = -0.1 * OMEGA * np.sqrt(1.0 - (OMEGA * timestep / 2.0) ** 2) * np.sin(steps * theta)
    np.testing.assert_allclose(state.getPositions(asNumpy=True)._value * 10.0, x, rtol=VERLET_RTOL)
    np.testing.assert_allclose(state.getVelocities(asNumpy=True)._value / 100.0, v, rtol=VERLET_RTOL)


def test_the_logged_energy_of_nve_errs_with_the_square_of_the_step() -> None:
    spread = {dt: np.ptp(energies(oscillators("nve", dt), round(100 / dt))) for dt in (0.5, 1.0)}
    assert spread[1.0] / spread[0.5] == pytest.approx(4.0, rel=VERLET_ORDER_RTOL)


def test_nvt_holds_the_temperature() -> None:
    context = oscillators("nvt")
    context.getIntegrator().step(1000)
    kinetic = []
    for _ in range(2000):
        context.getIntegrator().step(5)
        kinetic.append(context.getState(energy=True).getKineticEnergy()._value / EV_KJ_MOL)
    temperature = mean_with_error(2.0 * np.array(kinetic) / (3 * N * KB), "K")
    assert abs(temperature.value - 300.0) < STATISTICAL_SIGMAS * temperature.error


@pytest.mark.parametrize("seed", [0, 7, 2**31 - 2])
def test_the_seed_of_nvt_decides(seed: int) -> None:
    """One context at a time: those of the Reference platform draw from one stream a process."""
    first, again, other = (energies(oscillators("nvt", seed=s), 20) for s in (seed, seed, seed + 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'npv'.*nve, nvt, npt"):
        openmm_integrator("npv", 300.0, 1.0, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not positive"):
        openmm_integrator("nvt", 300.0, 0.0, 1)
