"""The choice of OpenMM integrators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymd.integrators.velocities import Ensemble

if TYPE_CHECKING:
    import openmm


def openmm_integrator(
    ensemble: Ensemble, temperature: float, timestep: float, seed: int, *, friction: float = 1.0
) -> openmm.Integrator:
    """The OpenMM integrator of an ensemble.

    `nvt`: `LangevinMiddleIntegrator` (Zhang et al., J. Phys. Chem. A 2019, 123, 6056,
    doi:10.1021/acs.jpca.9b02771), which samples configurations well at 1 fs without constraints.

    `nve`: velocity Verlet (Swope et al., J. Chem. Phys. 1982, 76, 637, eqs. 2-3),

        v ← v + ½ Δt F/m,   x ← x + Δt v,   v ← v + ½ Δt F/m.

    OpenMM's own `VerletIntegrator` is leapfrog: its velocities live half a step before its positions. Here
    both belong to the same instant, so that the logged kinetic and potential energy add up to the conserved
    one and a state can be handed to another program. One force evaluation a step either way.

    | symbol | code       | unit |
    |--------|------------|------|
    | Δt     | `timestep` | fs   |
    | γ      | `friction` | 1/ps |

    Parameters
    ----------
    ensemble
        `nve` or `nvt`.
    temperature
        K, used by `nvt`.
    timestep
        fs.
    seed
        0 or more; the same seed gives the same noise on one platform. Contexts of OpenMM's Reference and CPU
        platforms that live at the same time in one process share one stream of random numbers.
    friction
        1/ps, used by `nvt`.

    Raises
    ------
    ValueError
        For an unknown ensemble or a step that is not positive.
    """
    if timestep <= 0:
        raise ValueError(f"timestep {timestep} fs is not positive; 1 fs is right for flexible C-H bonds")
    if ensemble == "nvt":
        return _langevin_middle(temperature, timestep, seed, friction)
    if ensemble == "nve":
        return _velocity_verlet(timestep)
    raise ValueError(f"unknown ensemble {ensemble!r}; known: nve, nvt")


def _langevin_middle(
    temperature: float, timestep: float, seed: int, friction: float
) -> openmm.LangevinMiddleIntegrator:
    from openmm import LangevinMiddleIntegrator, unit

    integrator = LangevinMiddleIntegrator(
        temperature * unit.kelvin, friction / unit.picosecond, timestep * unit.femtosecond
    )
    integrator.setRandomNumberSeed(seed % (2**31 - 2) + 1)  # OpenMM takes 0 as "any seed"
    return integrator


def _velocity_verlet(timestep: float) -> openmm.CustomIntegrator:
    from openmm import CustomIntegrator, unit

    integrator = CustomIntegrator(timestep * unit.femtosecond)
    integrator.addUpdateContextState()
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
    integrator.addComputePerDof("x", "x + dt*v")
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
    return integrator
