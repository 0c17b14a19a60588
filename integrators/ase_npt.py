"""Constant pressure in ASE: a barostat between the steps of any dynamics."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from ase.md.md import MolecularDynamics

from polymd.integrators.barostats import Barostat, Float


class AtomsCell:
    """ASE atoms as the `PeriodicSystem` of a barostat."""

    def __init__(self, atoms: Atoms) -> None:
        self.atoms = atoms

    def geometry(self) -> tuple[Float, Float]:
        """Positions and cell."""
        return self.atoms.get_positions(), self.atoms.cell.array.copy()

    def energy(self) -> float:
        """Potential energy, eV."""
        return float(self.atoms.get_potential_energy())

    def stress(self) -> Float:
        """Stress (3, 3), eV/Å³."""
        stress: Float = self.atoms.get_stress(voigt=False)
        return stress

    def move(self, positions: Float, cell: Float) -> None:
        """Put atoms and cell."""
        self.atoms.set_cell(cell)
        self.atoms.set_positions(positions)


class ConstantPressure(MolecularDynamics):
    """Dynamics with a barostat.

    Parameters
    ----------
    dynamics
        Moves the atoms at constant temperature; has to take positions and momenta from its atoms anew at each
        step, as those of `ase_dynamics` do.
    barostat
        Changes the cell every `barostat.interval` steps.

    Attributes
    ----------
    steps_done
        Steps since the start of the run, which decide when the barostat acts.
    """

    def __init__(self, dynamics: MolecularDynamics, barostat: Barostat) -> None:
        super().__init__(dynamics.atoms, dynamics.dt)
        self.dynamics: Any = dynamics
        self.barostat = barostat
        self.steps_done = 0
        self._system = AtomsCell(dynamics.atoms)

    def step(self) -> None:
        """One step, and the barostat when it is due."""
        self.dynamics.step()
        self.steps_done += 1
        if self.steps_done % self.barostat.interval == 0:
            self.barostat.apply(self._system)
