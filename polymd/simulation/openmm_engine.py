"""A run on OpenMM, with the potential as a TorchForce or a PythonForce."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.integrators import BarostattedContext, make_barostat, mts_integrator, openmm_integrator
from polymd.integrators.barostats import Float
from polymd.simulation.config import Config
from polymd.simulation.engine import Snapshot
from polymd.simulation.errors import SimulationError
from polymd.simulation.system import MolecularSystem
from polymd.units import EV_KJ_MOL

if TYPE_CHECKING:
    import openmm

_TOLERANCE = 0.05 * EV_KJ_MOL * 10.0  # kJ/mol/nm
_PIECE = 50  # iterations
_CENTRE_STEPS = 100  # between two removals of a momentum that is zero but for rounding
_PROPERTIES = {
    "CUDA": {"Precision": "mixed", "DeterministicForces": "true"},
    "OpenCL": {"Precision": "mixed"},
    "CPU": {"Threads": "1"},
}


class OpenMMEngine:
    """An OpenMM `Context` behind the `Engine` protocol."""

    def __init__(self, system: MolecularSystem, config: Config) -> None:
        import openmm
        from openmm import unit

        integrator = _integrator(system, config)
        platform = openmm.Platform.getPlatformByName(config.platform)
        properties = _PROPERTIES.get(config.platform, {})
        self._context = openmm.Context(openmm_system(system, config), integrator, platform, properties)
        self._context.setPositions(system.positions * unit.angstrom)
        self._integrator = integrator
        self._periodic = system.box is not None
        self._looks_draw = config.inner_potential is not None
        self._rng = np.random.default_rng(config.seed)
        self._barostat = _barostat(self._context, integrator, system, config, self._rng)
        self.step_count = 0

    def minimise(self, max_iterations: int, stop: Callable[[], bool]) -> None:
        """OpenMM's L-BFGS `LocalEnergyMinimizer` to a root mean square force of 0.05 eV/Å.

        It runs in pieces, because its own reporter would keep Python's lock, which TorchForce cannot bear.
        """
        import openmm

        for _ in range(0, max_iterations, _PIECE):
            with _nan_is_a_simulation_error():
                openmm.LocalEnergyMinimizer.minimize(self._context, _TOLERANCE, _PIECE)
            forces = self._context.getState(forces=True).getForces(asNumpy=True)._value
            if stop() or np.sqrt(np.mean(forces**2)) < _TOLERANCE:
                break

    def set_velocities(self, velocities: NDArray[np.float64]) -> None:
        """Take (N, 3) velocities in Å/fs."""
        self._context.setVelocities(velocities * 100.0)  # Å/fs to nm/ps

    def advance(self, steps: int) -> None:
        """Do this many steps; a NaN that OpenMM notices becomes a `SimulationError`."""
        with _nan_is_a_simulation_error():
            (self._barostat or self._integrator).step(steps)
        self.step_count += steps

    def snapshot(self) -> Snapshot:
        """The present positions and energies.

        For the kinetic energy of a `CustomIntegrator` OpenMM draws random numbers: they are put back.
        """
        from openmm import unit

        saved = self._context.createCheckpoint() if self._looks_draw else None
        state = self._context.getState(positions=True, energy=True)
        if saved is not None:
            self._context.loadCheckpoint(saved)
        cell = state.getPeriodicBoxVectors(asNumpy=True).value_in_unit(unit.angstrom)
        return Snapshot(
            step=self.step_count,
            positions=np.asarray(state.getPositions(asNumpy=True).value_in_unit(unit.angstrom)),
            cell=np.asarray(cell) if self._periodic else None,
            potential_energy=state.getPotentialEnergy()._value / EV_KJ_MOL,
            kinetic_energy=state.getKineticEnergy()._value / EV_KJ_MOL,
        )

    def save(self) -> bytes:
        """OpenMM's checkpoint (positions, velocities, box, thermostat, random numbers) and the barostat."""
        state: dict[str, Any] = {"context": base64.b64encode(self._context.createCheckpoint()).decode()}
        if hasattr(self._integrator, "rng"):
            state["thermostat"] = self._integrator.rng.bit_generator.state
        if self._barostat is not None:
            state["random"] = self._rng.bit_generator.state
            state["barostat"] = self._barostat.barostat.state()
        return json.dumps(state).encode()

    def restore(self, state: bytes, step_count: int) -> None:
        """Load a checkpoint of the same platform and OpenMM."""
        import openmm

        try:
            data = json.loads(state)
            self._context.loadCheckpoint(base64.b64decode(data["context"]))
        except (openmm.OpenMMException, ValueError) as error:
            raise SimulationError(
                f"OpenMM {openmm.__version__} cannot read this checkpoint ({error}); "
                "resume with the OpenMM and platform that run.yaml names"
            ) from error
        if hasattr(self._integrator, "rng"):
            self._integrator.rng.bit_generator.state = data["thermostat"]
        if self._barostat is not None:
            self._rng.bit_generator.state = data["random"]
            self._barostat.barostat.restore(data["barostat"])
            self._barostat.steps_done = step_count
        self.step_count = step_count


def _integrator(system: MolecularSystem, config: Config) -> openmm.Integrator:
    if config.inner_potential is not None:
        assert config.inner_steps is not None
        return mts_integrator(
            config.ensemble,
            config.temperature,
            config.timestep,
            config.inner_steps,
            config.seed,
            friction=config.friction,
        )
    return openmm_integrator(
        config.ensemble,
        config.temperature,
        config.timestep,
        config.seed,
        thermostat=config.thermostat or "langevin",
        friction=config.friction,
        n_atoms=system.n_atoms,
    )


def _barostat(
    context: openmm.Context,
    integrator: openmm.Integrator,
    system: MolecularSystem,
    config: Config,
    rng: np.random.Generator,
) -> BarostattedContext | None:
    if config.barostat is None or config.pressure is None:
        return None
    barostat = make_barostat(
        config.barostat,
        config.pressure,
        config.temperature,
        config.timestep,
        rng,
        anisotropic=config.anisotropic,
        molecules=system.molecules,
    )
    return BarostattedContext(context, integrator, barostat, _stress(system, config))


def _stress(system: MolecularSystem, config: Config) -> Callable[[Float, Float], Float]:
    """The potential's analytic stress, which OpenMM's forces do not hand on."""
    from polymd.potentials.backends import make_backend

    backend = make_backend(system.atomic_numbers, config.potential, "auto")

    def stress(positions: Float, cell: Float) -> Float:
        virial = backend.evaluate(positions, cell, np.ones(3, dtype=np.bool_)).virial
        return np.asarray((virial + virial.T) / (2.0 * abs(np.linalg.det(cell))), dtype=np.float64)

    return stress


@contextmanager
def _nan_is_a_simulation_error() -> Iterator[None]:
    """Turn OpenMM's complaint about numbers that are none into ours; other errors stay what they are."""
    import openmm

    try:
        yield
    except openmm.OpenMMException as error:
        if "NaN" not in str(error):
            raise
        raise SimulationError(f"energy or positions are no longer numbers: {error}") from error


def openmm_system(system: MolecularSystem, config: Config) -> openmm.System:
    """Masses and the potential, no constraints. The chain of Nosé and Hoover counts 3N - 3 degrees of freedom
    where it finds a `CMMotionRemover`.
    """
    import openmm

    result = openmm.System()
    for mass in system.masses:
        result.addParticle(float(mass))
    if system.box is not None:
        result.setDefaultPeriodicBoxVectors(*system.topology.getPeriodicBoxVectors())
    for force in _forces(system.topology, config):
        result.addForce(force)
    if config.thermostat == "nose-hoover":
        result.addForce(openmm.CMMotionRemover(_CENTRE_STEPS))
    return result


def _forces(topology: Any, config: Config) -> tuple[openmm.Force, ...]:
    from polymd import potentials

    if config.inner_potential is not None:
        return potentials.mts_forces(topology, config.potential, config.inner_potential)
    make = potentials.torch_force if config.engine == "torchforce" else potentials.python_force
    return (make(topology, config.potential),)
