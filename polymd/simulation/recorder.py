"""The flight recorder: watches a run, stops it when the physics breaks, keeps the last frames."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import numpy as np

from polymd.integrators import degrees_of_freedom
from polymd.simulation.config import Config
from polymd.simulation.engine import Snapshot
from polymd.simulation.errors import SimulationError
from polymd.simulation.system import MolecularSystem

STRETCH_LIMIT = 1.7  #: bond length over the sum of covalent radii at which a bond counts as broken
HEAT_LIMIT = 5.0  #: temperature over the target at which a run counts as exploding
HEAT_FLOOR = 1000.0  #: K under which no temperature counts as exploding
_KEPT = 20  # frames


class FlightRecorder:
    """Checks snapshots and keeps the last 20.

    The limits are far outside what a sound run does: C-C breaks at about 1.7 times its length of 1.54 Å,
    and the temperature of N atoms fluctuates by sqrt(2 / 3N) of itself.
    """

    def __init__(self, system: MolecularSystem, config: Config) -> None:
        from ase.data import covalent_radii

        self._system = system
        self._bonds = system.bonds
        self._limits = STRETCH_LIMIT * covalent_radii[system.atomic_numbers[system.bonds]].sum(axis=1)
        self._hottest = max(HEAT_LIMIT * config.temperature, HEAT_FLOOR)
        self._dof = degrees_of_freedom(system.n_atoms, config.ensemble, config.thermostat)
        self._timestep = config.timestep
        self._frames: deque[Snapshot] = deque(maxlen=_KEPT)

    def check(self, snapshot: Snapshot) -> None:
        """Remember a snapshot.

        Raises
        ------
        SimulationError
            When an energy or position is not finite, a bond is broken or the temperature explodes.
        """
        self._frames.append(snapshot)
        problem = self._problem(snapshot)
        if problem:
            raise SimulationError(
                f"{problem} at {snapshot.step * self._timestep:g} fs; the potential may not know this "
                "chemistry: try a shorter timestep, a lower temperature, another seed or another potential"
            )

    def _problem(self, snapshot: Snapshot) -> str | None:
        energies = (snapshot.potential_energy, snapshot.kinetic_energy)
        if not np.isfinite(energies).all() or not np.isfinite(snapshot.positions).all():
            return "energy or positions are no longer numbers"
        lengths = np.linalg.norm(
            snapshot.positions[self._bonds[:, 0]] - snapshot.positions[self._bonds[:, 1]], axis=1
        )
        if (lengths > self._limits).any():
            worst = int(np.argmax(lengths / self._limits))
            i, j = self._bonds[worst]
            return f"bond {self._label(i)}-{self._label(j)} is {lengths[worst]:.2f} Å long"
        temperature = snapshot.temperature(self._dof)
        if temperature > self._hottest:
            return f"temperature is {temperature:.0f} K, over the limit of {self._hottest:.0f} K"
        return None

    def _label(self, atom: int) -> str:
        from ase.data import chemical_symbols

        return f"{chemical_symbols[self._system.atomic_numbers[atom]]}{atom}"

    def dump(self, path: Path) -> int:
        """Write the kept frames that are finite as a DCD; returns how many."""
        from polymd.simulation.trajectory import TrajectoryWriter

        writer = TrajectoryWriter(path, self._system.topology, timestep=self._timestep, interval=1)
        for snapshot in self._frames:
            if np.isfinite(snapshot.positions).all():
                writer.write(snapshot.positions, snapshot.cell)
        writer.close()
        return writer.frames
