"""A run on ASE."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.integrators import ase_dynamics, make_barostat, mts_dynamics, restore_dynamics, save_dynamics
from polymd.simulation.config import Config
from polymd.simulation.engine import Snapshot
from polymd.simulation.system import MolecularSystem

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class ASEEngine:
    """ASE's molecular dynamics behind the `Engine` protocol."""

    def __init__(self, system: MolecularSystem, config: Config) -> None:
        self._atoms: Any = system.to_ase()
        self._atoms.calc = _calculator(system, config.potential)
        self._rng = np.random.default_rng(config.seed)
        self._system, self._config = system, config
        self.step_count = 0

    @cached_property
    def _dynamics(self) -> Any:
        """Made when the atoms have velocities, which some thermostats want."""
        config = self._config
        if config.inner_potential is not None:
            assert config.inner_steps is not None
            return mts_dynamics(
                self._atoms,
                _calculator(self._system, config.inner_potential),
                config.ensemble,
                config.temperature,
                config.timestep,
                config.inner_steps,
                self._rng,
                friction=config.friction,
            )
        barostat = None
        if config.ensemble == "npt":
            assert config.barostat is not None
            assert config.pressure is not None
            barostat = make_barostat(
                config.barostat,
                config.pressure,
                config.temperature,
                config.timestep,
                self._rng,
                anisotropic=config.anisotropic,
                molecules=self._system.molecules,
            )
        return ase_dynamics(
            self._atoms,
            config.ensemble,
            config.temperature,
            config.timestep,
            self._rng,
            thermostat=config.thermostat or "langevin",
            friction=config.friction,
            barostat=barostat,
        )

    def minimise(self, max_iterations: int, stop: Callable[[], bool]) -> None:
        """ASE's L-BFGS to 0.2 eV/Å on the largest force."""
        from ase.optimize import LBFGS

        optimiser: Any = LBFGS(self._atoms, logfile=os.devnull)
        for _ in optimiser.irun(fmax=0.2, steps=max_iterations):
            if stop():
                break

    def set_velocities(self, velocities: NDArray[np.float64]) -> None:
        """Take (N, 3) velocities in Å/fs."""
        from ase import units

        self._atoms.set_velocities(velocities / units.fs)

    def advance(self, steps: int) -> None:
        """Do this many steps."""
        for _ in range(steps):
            self._dynamics.step()
        self.step_count += steps

    def snapshot(self) -> Snapshot:
        """The present positions and energies."""
        return Snapshot(
            step=self.step_count,
            positions=self._atoms.get_positions(),
            cell=self._atoms.cell.array.copy() if self._atoms.pbc.any() else None,
            potential_energy=float(self._atoms.get_potential_energy()),
            kinetic_energy=float(self._atoms.get_kinetic_energy()),
        )

    def save(self) -> bytes:
        """Positions, momenta, cell, thermostat, barostat and random generator, as JSON with exact floats."""
        return json.dumps(save_dynamics(self._dynamics, self._rng)).encode()

    def restore(self, state: bytes, step_count: int) -> None:
        """Load what `save` wrote."""
        data = json.loads(state)
        self._atoms.set_momenta(np.array(data["momenta"]))
        restore_dynamics(self._dynamics, self._rng, data)
        self.step_count = step_count


def _calculator(system: MolecularSystem, potential: str) -> Calculator:
    from polymd.potentials import PolyGETCalculator

    calculator: Calculator = PolyGETCalculator(potential)
    return calculator
