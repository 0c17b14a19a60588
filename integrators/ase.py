"""The choice of ASE integrators, with the same names and meaning as those of OpenMM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from polymd.integrators.velocities import Ensemble, Thermostat, check_choice, degrees_of_freedom

if TYPE_CHECKING:
    from ase import Atoms
    from ase.md.md import MolecularDynamics

    from polymd.integrators.barostats import Barostat

_AT_REST = 1e-6  # of the momenta: their sum over the sum of their sizes


def ase_dynamics(
    atoms: Atoms,
    ensemble: Ensemble,
    temperature: float,
    timestep: float,
    rng: np.random.Generator,
    *,
    thermostat: Thermostat = "langevin",
    friction: float = 1.0,
    barostat: Barostat | None = None,
) -> MolecularDynamics:
    """Dynamics of an ensemble.

    | ensemble, thermostat | dynamics |
    |----------------------|----------|
    | `nve`         | `ase.md.verlet.VelocityVerlet` |
    | `langevin`    | `LangevinMiddle`, all atoms thermostatted, the centre of mass too |
    | `bussi`       | `ase.md.bussi.Bussi`: Bussi et al., J. Chem. Phys. 2007, 126, 014101, eq. A7 |
    | `nose-hoover` | `NoseHooverChain`: Martyna, Klein and Tuckerman, J. Chem. Phys. 1992, 97, 2635 |
    | `npt`         | `ConstantPressure` around the thermostat |

    `bussi` and `nose-hoover` scale all velocities alike and count 3N - 3 degrees of freedom: the total
    momentum has to be zero, as `maxwell_boltzmann` gives it.

    Parameters
    ----------
    atoms
        With a calculator and, but for `langevin` and `nve`, with velocities; moved in place.
    ensemble
        `nve`, `nvt` or `npt`.
    temperature
        K, not used by `nve`.
    timestep
        fs.
    rng
        Its state is part of the state of the dynamics: see `save_dynamics`.
    thermostat
        `langevin`, `bussi` or `nose-hoover`, not used by `nve`.
    friction
        1/ps, how fast the thermostat acts: the friction of `langevin`, 1/τ of `bussi`, the frequency of the
        chain of `nose-hoover`.
    barostat
        Of `make_barostat`, for `npt`.

    Raises
    ------
    ValueError
        For an unknown ensemble or thermostat, a step, temperature or friction that is not positive, a total
        momentum that is not zero, and `npt` without barostat.
    """
    check_choice(ensemble, thermostat, temperature, timestep, friction)
    if (ensemble == "npt") != (barostat is not None):
        raise ValueError(
            f"ensemble {ensemble!r} and barostat {barostat}: npt, and only npt, takes a barostat"
        )
    if ensemble == "nve":
        from ase import units
        from ase.md.verlet import VelocityVerlet

        return VelocityVerlet(atoms, timestep * units.fs)
    dynamics = _thermostatted(atoms, temperature, timestep, rng, thermostat, friction)
    if barostat is None:
        return dynamics
    from polymd.integrators.ase_npt import ConstantPressure

    return ConstantPressure(dynamics, barostat)


def _thermostatted(
    atoms: Atoms,
    temperature: float,
    timestep: float,
    rng: np.random.Generator,
    thermostat: Thermostat,
    friction: float,
) -> MolecularDynamics:
    from ase import units

    step, rate = timestep * units.fs, friction / (1000.0 * units.fs)
    if thermostat == "langevin":
        from polymd.integrators.langevin_middle import LangevinMiddle

        return LangevinMiddle(atoms, step, temperature_K=temperature, friction=rate, rng=rng)
    _check_at_rest(atoms)
    if thermostat == "bussi":
        from ase.md.bussi import Bussi

        dynamics = Bussi(atoms, step, temperature_K=temperature, taut=1.0 / rate, rng=rng)
        dynamics.ndof = degrees_of_freedom(len(atoms), "nvt", thermostat)
        dynamics.target_kinetic_energy = 0.5 * dynamics.temp * dynamics.ndof
        return dynamics
    from polymd.integrators.nose_hoover import NoseHooverChain

    return NoseHooverChain(atoms, step, temperature_K=temperature, tdamp=1.0 / rate)


def _check_at_rest(atoms: Atoms) -> None:
    momenta = atoms.get_momenta()
    if len(atoms) > 1 and np.linalg.norm(momenta.sum(axis=0)) > _AT_REST * np.abs(momenta).sum():
        raise ValueError(
            "the centre of mass moves, and this thermostat never changes its direction; stop it with "
            "ase.md.velocitydistribution.Stationary(atoms), or use the langevin thermostat"
        )


def save_dynamics(dynamics: MolecularDynamics, rng: np.random.Generator) -> dict[str, Any]:
    """All that is needed to go on exactly: positions, momenta, cell, thermostat, barostat and the random
    generator, ready for JSON, whose decimal numbers read back to the last bit.
    """
    atoms, outer = dynamics.atoms, cast(Any, dynamics)
    inner = getattr(dynamics, "dynamics", dynamics)
    state = {
        "positions": atoms.get_positions().tolist(),
        "momenta": atoms.get_momenta().tolist(),
        "cell": atoms.cell.array.tolist(),
        "random": rng.bit_generator.state,
    }
    if hasattr(inner, "state"):
        state["thermostat"] = inner.state()
    if hasattr(dynamics, "barostat"):
        state["steps_done"], state["barostat"] = outer.steps_done, outer.barostat.state()
    return state


def restore_dynamics(dynamics: MolecularDynamics, rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Load what `save_dynamics` gave into dynamics made in the same way."""
    atoms, outer = dynamics.atoms, cast(Any, dynamics)
    atoms.set_cell(np.array(state["cell"]))
    atoms.set_positions(np.array(state["positions"]))
    atoms.set_momenta(np.array(state["momenta"]))
    rng.bit_generator.state = state["random"]
    inner = getattr(dynamics, "dynamics", dynamics)
    if hasattr(inner, "restore"):
        inner.restore(state["thermostat"])
    if hasattr(dynamics, "barostat"):
        outer.steps_done = state["steps_done"]
        outer.barostat.restore(state["barostat"])
