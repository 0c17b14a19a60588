"""The choice of OpenMM integrators, with the same names and meaning as those of ASE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from polymd.integrators.velocities import Ensemble, Thermostat, check_choice

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
    | `bussi`       | `BussiIntegrator`; call its own `step`, which draws the noise |
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
        from polymd.integrators.bussi_openmm import BussiIntegrator

        return BussiIntegrator(n_atoms, temperature, timestep, seed, relaxation_time=1000.0 / friction)
    return _nose_hoover(temperature, timestep, friction)


def openmm_seed(seed: int) -> int:
    return seed % (2**31 - 2) + 1  # OpenMM takes 0 as "any seed"


def _langevin_middle(
    temperature: float, timestep: float, seed: int, friction: float
) -> openmm.LangevinMiddleIntegrator:
    from openmm import LangevinMiddleIntegrator, unit

    integrator = LangevinMiddleIntegrator(
        temperature * unit.kelvin, friction / unit.picosecond, timestep * unit.femtosecond
    )
    integrator.setRandomNumberSeed(openmm_seed(seed))
    return integrator


def _nose_hoover(temperature: float, timestep: float, frequency: float) -> openmm.NoseHooverIntegrator:
    from openmm import NoseHooverIntegrator, unit

    return NoseHooverIntegrator(
        temperature * unit.kelvin, frequency / unit.picosecond, timestep * unit.femtosecond
    )


def _velocity_verlet(timestep: float) -> openmm.CustomIntegrator:
    from openmm import CustomIntegrator, unit

    from polymd.integrators.bussi_openmm import add_velocity_verlet

    integrator = CustomIntegrator(timestep * unit.femtosecond)
    integrator.addUpdateContextState()
    add_velocity_verlet(integrator)
    return integrator
