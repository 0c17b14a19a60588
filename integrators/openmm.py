"""The choice of OpenMM integrators, with the same names and meaning as those of ASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymd.integrators.velocities import Ensemble, Thermostat, check_choice, degrees_of_freedom
from polymd.units import EV_KJ_MOL, KB

if TYPE_CHECKING:
    import openmm


def openmm_integrator(
    ensemble: Ensemble,
    temperature: float,
    timestep: float,
    seed: int,
    *,
    thermostat: Thermostat = "langevin",
    friction: float = 1.0,
    n_atoms: int | None = None,
) -> openmm.Integrator:
    """The OpenMM integrator of an ensemble.

    | ensemble, thermostat | integrator |
    |----------------------|------------|
    | `nve`         | velocity Verlet, below |
    | `langevin`    | `LangevinMiddleIntegrator`: Zhang et al., J. Phys. Chem. A 2019, 123, 6056 |
    | `bussi`       | `bussi_integrator` |
    | `nose-hoover` | `NoseHooverIntegrator`; its System needs a `CMMotionRemover` to count 3N - 3 freedoms |
    | `npt`         | that of the thermostat; the barostat is `BarostattedContext`, or a force of OpenMM |

    Velocity Verlet (Swope et al., J. Chem. Phys. 1982, 76, 637, eqs. 2-3):

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
        `nve`, `nvt` or `npt`.
    temperature
        K, not used by `nve`.
    timestep
        fs.
    seed
        0 or more; the same seed gives the same noise on one platform. Contexts of OpenMM's Reference and CPU
        platforms that live at the same time in one process share one stream of random numbers.
    thermostat
        `langevin`, `bussi` or `nose-hoover`, not used by `nve`.
    friction
        1/ps, how fast the thermostat acts: the friction of `langevin`, 1/τ of `bussi`, the frequency of the
        chain of `nose-hoover`.
    n_atoms
        Needed by `bussi`.

    Raises
    ------
    ValueError
        For an unknown ensemble or thermostat, a step, temperature or friction that is not positive, and
        `bussi` without `n_atoms`.
    """
    check_choice(ensemble, thermostat, temperature, timestep, friction)
    if ensemble == "nve":
        return _velocity_verlet(timestep)
    if thermostat == "langevin":
        return _langevin_middle(temperature, timestep, seed, friction)
    if thermostat == "bussi":
        if n_atoms is None:
            raise ValueError("bussi needs n_atoms, for its noise depends on the degrees of freedom")
        return bussi_integrator(n_atoms, temperature, timestep, seed, relaxation_time=1000.0 / friction)
    return _nose_hoover(temperature, timestep, friction)


def bussi_integrator(
    n_atoms: int, temperature: float, timestep: float, seed: int, *, relaxation_time: float = 1000.0
) -> openmm.CustomIntegrator:
    """Velocity Verlet after stochastic rescaling of all velocities by α.

    Bussi, Donadio and Parrinello, J. Chem. Phys. 2007, 126, 014101, eq. A7 (doi:10.1063/1.2408420):

        α² = c + (1 - c) k_B T (R² + S) / 2K + 2 R sqrt(c (1 - c) k_B T / 2K),   c = exp(-Δt/τ)

    | symbol | code              | meaning                                             |
    |--------|-------------------|-----------------------------------------------------|
    | K      | `twice_kinetic`/2 | kinetic energy                                      |
    | R      | `R`               | a normal deviate                                    |
    | S      | `S`               | sum of the squares of n - 1 more; n = 3N - 3        |
    | τ      | `relaxation_time` | fs                                                  |

    OpenMM has no such integrator. Its velocities are those of the positions' instant. The total momentum has
    to be zero.
    """
    import numpy as np
    from openmm import CustomIntegrator, unit

    integrator = CustomIntegrator(timestep * unit.femtosecond)
    integrator.setRandomNumberSeed(_openmm_seed(seed))
    integrator.addGlobalVariable("kT", KB * temperature * EV_KJ_MOL)
    integrator.addGlobalVariable("c", float(np.exp(-timestep / relaxation_time)))
    for name in ("twice_kinetic", "R", "S", "alpha"):
        integrator.addGlobalVariable(name, 0.0)
    integrator.addPerDofVariable("noise", 0.0)
    integrator.addPerDofVariable("counted", 0.0)
    counted = np.arange(3 * n_atoms) < degrees_of_freedom(n_atoms, "nvt", "bussi") - 1
    integrator.setPerDofVariableByName("counted", counted.reshape(-1, 3).astype(float))
    integrator.addUpdateContextState()
    integrator.addComputeSum("twice_kinetic", "m*v*v")
    integrator.addComputePerDof("noise", "gaussian")
    integrator.addComputeSum("S", "counted*noise^2")
    integrator.addComputeGlobal("R", "gaussian")
    integrator.addComputeGlobal(
        "alpha", "sqrt(c + (1-c)*ratio*(R^2+S) + 2*R*sqrt(c*(1-c)*ratio)); ratio=kT/twice_kinetic"
    )
    integrator.addComputePerDof("v", "alpha*v")
    _add_velocity_verlet(integrator)
    return integrator


def _openmm_seed(seed: int) -> int:
    return seed % (2**31 - 2) + 1  # OpenMM takes 0 as "any seed"


def _langevin_middle(
    temperature: float, timestep: float, seed: int, friction: float
) -> openmm.LangevinMiddleIntegrator:
    from openmm import LangevinMiddleIntegrator, unit

    integrator = LangevinMiddleIntegrator(
        temperature * unit.kelvin, friction / unit.picosecond, timestep * unit.femtosecond
    )
    integrator.setRandomNumberSeed(_openmm_seed(seed))
    return integrator


def _nose_hoover(temperature: float, timestep: float, frequency: float) -> openmm.NoseHooverIntegrator:
    from openmm import NoseHooverIntegrator, unit

    return NoseHooverIntegrator(
        temperature * unit.kelvin, frequency / unit.picosecond, timestep * unit.femtosecond
    )


def _velocity_verlet(timestep: float) -> openmm.CustomIntegrator:
    from openmm import CustomIntegrator, unit

    integrator = CustomIntegrator(timestep * unit.femtosecond)
    integrator.addUpdateContextState()
    _add_velocity_verlet(integrator)
    return integrator


def _add_velocity_verlet(integrator: openmm.CustomIntegrator) -> None:
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
    integrator.addComputePerDof("x", "x + dt*v")
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
