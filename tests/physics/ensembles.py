"""Samples of the soft-sphere fluid by every integrator of polymd, for physical_validation."""

import warnings
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import openmm
from numpy.typing import NDArray

from polymd.integrators import (
    BarostattedContext,
    ase_dynamics,
    degrees_of_freedom,
    make_barostat,
    maxwell_boltzmann,
    openmm_integrator,
)
from polymd.units import AMU_A2_FS2, BAR, EV_KJ_MOL, KB

from . import fluid

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pymbar warns where there is no JAX
    import physical_validation as pv

Float = NDArray[np.float64]
TIMESTEP = 3.0  # fs
FRICTION = 30.0  # 1/ps, for kinetic energies that forget within some frames
EVERY = 20  # steps
UNITS = pv.data.UnitData(
    kb=KB,
    energy_conversion=EV_KJ_MOL,
    length_conversion=0.1,
    volume_conversion=1e-3,
    temperature_conversion=1.0,
    pressure_conversion=1.0 / BAR,
    time_conversion=1e-3,
    energy_str="eV",
)


@dataclass(frozen=True)
class State:
    """What a run should sample, and how: temperature (K), thermostat, and for NPT pressure (eV/Å³)."""

    temperature: float = 300.0
    thermostat: Literal["langevin", "bussi", "nose-hoover"] = "langevin"
    barostat: Literal["scr", "mc"] | None = None
    pressure: float = fluid.PRESSURE
    anisotropic: bool = False


@dataclass
class Samples:
    """Kinetic and potential energy (eV), volume (Å³), velocities (F, N, 3) Å/fs of atoms of masses (N,)."""

    masses: Float
    kinetic: list[float] = field(default_factory=list)
    potential: list[float] = field(default_factory=list)
    volume: list[float] = field(default_factory=list)
    velocities: list[Float] = field(default_factory=list)

    def add(self, potential: float, volume: float, velocities: Float) -> None:
        """One frame."""
        self.kinetic.append(0.5 * AMU_A2_FS2 * float((self.masses[:, None] * velocities**2).sum()))
        self.potential.append(potential)
        self.volume.append(volume)
        self.velocities.append(velocities)


def barostat_of(state: State, rng: np.random.Generator) -> Any:
    """The barostat of a state, acting every 4 steps, for the fluid is softer and quicker than any polymer."""
    assert state.barostat is not None
    result = make_barostat(
        state.barostat, state.pressure, state.temperature, TIMESTEP, rng, anisotropic=state.anisotropic
    )
    result.interval = 4
    if state.barostat == "scr":
        result._rate *= 4 / 20
    return result


def sample_ase(state: State, n: int, seed: int, dynamics: Any = None) -> Samples:
    """Frames from ASE; `dynamics(atoms)` replaces the integrator."""
    rng = np.random.default_rng(seed)
    atoms = fluid.atoms()
    from ase import units

    atoms.set_velocities(maxwell_boltzmann(fluid.MASSES, state.temperature, seed=seed) / units.fs)
    if dynamics is None:
        run = ase_dynamics(
            atoms,
            "npt" if state.barostat else "nvt",
            state.temperature,
            TIMESTEP,
            rng,
            thermostat=state.thermostat,
            friction=FRICTION,
            barostat=barostat_of(state, rng) if state.barostat else None,
        )
    else:
        run = dynamics(atoms)
    samples = Samples(fluid.MASSES)
    for frame in range(n + n // 5):
        for _ in range(EVERY):
            run.step()  # type: ignore[attr-defined]
        if frame >= n // 5:
            samples.add(atoms.get_potential_energy(), atoms.get_volume(), atoms.get_velocities() * units.fs)
    return samples


def sample_openmm(state: State, n: int, seed: int) -> Samples:
    """Frames from OpenMM."""
    integrator = openmm_integrator(
        "npt" if state.barostat else "nvt",
        state.temperature,
        TIMESTEP,
        seed,
        thermostat=state.thermostat,
        friction=FRICTION,
        n_atoms=fluid.N,
    )
    extra = [openmm.CMMotionRemover(100)] if state.thermostat == "nose-hoover" else []
    context = fluid.context(integrator, *extra)
    context.setVelocities(100.0 * maxwell_boltzmann(fluid.MASSES, state.temperature, seed=seed))
    run: Any = integrator
    if state.barostat:
        run = BarostattedContext(
            context, integrator, barostat_of(state, np.random.default_rng(seed)), fluid.stress
        )
    samples = Samples(fluid.MASSES)
    for frame in range(n + n // 5):
        run.step(EVERY)
        if frame >= n // 5:
            now = context.getState(energy=True, velocities=True)
            volume = float(now.getPeriodicBoxVolume()._value) * 1e3
            velocities = now.getVelocities(asNumpy=True)._value / 100.0
            samples.add(now.getPotentialEnergy()._value / EV_KJ_MOL, volume, velocities)
    return samples


def simulation_data(samples: Samples, state: State) -> Any:
    """Samples as physical_validation takes them."""
    n = len(samples.masses)
    dof = degrees_of_freedom(n, "nvt", state.thermostat)
    system = pv.data.SystemData(
        natoms=n,
        nconstraints=0,
        ndof_reduction_tra=3 * n - dof,
        ndof_reduction_rot=0,
        mass=samples.masses,
        molecule_idx=np.arange(n),
        nconstraints_per_molecule=np.zeros(n),
    )
    ensemble = pv.data.EnsembleData(
        "NPT" if state.barostat else "NVT",
        natoms=n,
        volume=None if state.barostat else samples.volume[0],
        pressure=state.pressure if state.barostat else None,
        temperature=state.temperature,
    )
    potential, kinetic = np.array(samples.potential), np.array(samples.kinetic)
    observables = pv.data.ObservableData(
        kinetic_energy=kinetic,
        potential_energy=potential,
        total_energy=kinetic + potential,
        volume=np.array(samples.volume) if state.barostat else None,
    )
    velocities = np.array(samples.velocities)
    trajectory = pv.data.TrajectoryData(position=np.zeros_like(velocities), velocity=velocities)
    return pv.data.SimulationData(UNITS, TIMESTEP * EVERY, system, ensemble, observables, trajectory)


def kinetic_p(samples: Samples, state: State) -> float:
    """p of the Kolmogorov-Smirnov test of the kinetic energy."""
    return float(pv.kinetic_energy.distribution(simulation_data(samples, state), strict=True, verbosity=0))


def ensemble_sigmas(first: Samples, one: State, second: Samples, two: State) -> float:
    """Standard deviations by which the ratio of two distributions misses the Boltzmann factors, the worst."""
    data = simulation_data(first, one), simulation_data(second, two)
    return float(np.max(np.abs(pv.ensemble.check(*data, verbosity=0))))


def equipartition_sigmas(samples: Samples, state: State) -> float:
    """Standard errors by which light or heavy atoms miss their temperature, the worst of the two."""
    masses, n = samples.masses, len(samples.masses)
    dof = degrees_of_freedom(n, "nvt", state.thermostat)
    kinetic = AMU_A2_FS2 * masses[:, None] * np.array(samples.velocities) ** 2
    worst = 0.0
    for mass in np.unique(masses):
        # the centre of mass takes its share m_i/M of 3N - dof from atom i
        group = mass == masses
        own = 3 * group.sum() - (3 * n - dof) * mass * group.sum() / masses.sum()
        from polymd.observables import mean_with_error

        temperature = mean_with_error(kinetic[:, group].sum(axis=(1, 2)) / (own * KB), "K")
        worst = max(worst, abs(temperature.value - state.temperature) / temperature.error)
    return worst
