"""A teacher of polymd as an ASE calculator."""

from __future__ import annotations

from typing import Any

from ase.calculators.calculator import Calculator, all_changes

from polymd.datasets.teachers.base import Teacher


class TeacherCalculator(Calculator):
    """Energy (eV) and forces (eV/Å) of a teacher."""

    implemented_properties = ["energy", "forces"]  # noqa: RUF012

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self._teacher = teacher

    def calculate(
        self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)
        labels = self._teacher.label([(self.atoms.numbers, self.atoms.positions)])[0]
        self.results = {"energy": labels.energy, "forces": labels.forces}
