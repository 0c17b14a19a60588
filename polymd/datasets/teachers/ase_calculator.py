"""Any ASE calculator as a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from polymd.datasets.teachers.base import Labels, Molecule, TeacherError


class ASETeacher:
    """Labels from an ASE calculator, one molecule after the other.

    A calculator that puts `forces_std (N,)` into its results, in eV/Å, gives the force std too.
    """

    def __init__(self, calculator: Any, level_of_theory: str) -> None:
        self._calculator = calculator
        self.level_of_theory = level_of_theory

    def label(self, molecules: Sequence[Molecule]) -> list[Labels]:
        """As `Teacher.label`."""
        return [self._one(*molecule) for molecule in molecules]

    def _one(self, numbers: Any, positions: Any) -> Labels:
        from ase import Atoms

        atoms = Atoms(numbers=numbers, positions=positions)
        atoms.calc = self._calculator
        try:
            energy, forces = float(atoms.get_potential_energy()), np.asarray(atoms.get_forces(), np.float64)
        except Exception as error:  # every calculator has its own
            raise TeacherError(f"{type(error).__name__}: {error}") from error
        std = self._calculator.results.get("forces_std")
        return Labels(energy, forces, None if std is None else np.asarray(std, np.float64))


def from_factory(name: str) -> ASETeacher:
    """Teacher of `module:factory`, a function without arguments that gives an ASE calculator."""
    module, _, attribute = name.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
        calculator = factory()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"teacher {name!r} cannot be made: {error}; give module:factory, a function that takes "
            "no arguments and gives an ASE calculator"
        ) from error
    if not hasattr(calculator, "get_property"):
        raise ValueError(f"teacher {name!r} gives a {type(calculator).__name__}, not an ASE calculator")
    return ASETeacher(calculator, f"{type(calculator).__name__} ({name})")
