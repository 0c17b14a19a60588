"""A run on ASE."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.integrators import ase_dynamics
from polymd.simulation.config import Config
from polymd.simulation.engine import Snapshot
from polymd.simulation.system import MolecularSystem

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class ASEEngine:
    """ASE's molecular dynamics behind the `Engine` protocol."""

    def __init__(self, system: MolecularSystem, config: Config) -> None:
        self._atoms: Any = system.to_ase()
        self._atoms.calc = _calculator(system, config)
        self._rng = np.random.default_rng(config.seed)
        self._dynamics: Any = ase_dynamics(
            self._atoms,
            config.ensemble,
            config.temperature,
            config.timestep,
            self._rng,
            friction=config.friction,
        )
        self.step_count = 0

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
            potential_energy=float(self._atoms.get_potential_energy()),
            kinetic_energy=float(self._atoms.get_kinetic_energy()),
        )

    def save(self) -> bytes:
        """Positions, momenta and the random generator, as JSON with exact floats."""
        return json.dumps(
            {
                "positions": self._atoms.get_positions().tolist(),
                "momenta": self._atoms.get_momenta().tolist(),
                "random": self._rng.bit_generator.state,
            }
        ).encode()

    def restore(self, state: bytes, step_count: int) -> None:
        """Load what `save` wrote."""
        data = json.loads(state)
        self._atoms.set_positions(np.array(data["positions"]))
        self._atoms.set_momenta(np.array(data["momenta"]))
        self._rng.bit_generator.state = data["random"]
        self.step_count = step_count


def _calculator(system: MolecularSystem, config: Config) -> Calculator:
    from polymd.potentials import PolyGETCalculator

    calculator: Calculator = PolyGETCalculator(config.potential)
    return calculator
