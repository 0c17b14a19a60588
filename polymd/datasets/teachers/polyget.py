"""PolyGET, the student, as a teacher: it moves molecules, and its committee picks the frames to label."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from polymd.datasets.side_by_side import side_by_side
from polymd.datasets.teachers.base import Labels, Molecule, TeacherError

ATOMS_AT_ONCE = 2000


class PolyGETTeacher:
    """A PolyGET model on its fast engine, many molecules a call.

    With `committee` the labels have `forces_std`, for the price of the members; ValueError where the model
    has none.
    """

    def __init__(self, model: str, *, committee: bool = False) -> None:
        from polymd.potentials.committee import load_committee
        from polymd.potentials.registry import load_engine

        self._model = model
        self._engine = load_engine(model)
        self._committee = load_committee(model) if committee else None
        self.level_of_theory = f"PolyGET ({model})"

    def label(self, molecules: Sequence[Molecule]) -> list[Labels]:
        """As `Teacher.label`."""
        from polymd.potentials.registry import check_elements

        try:
            check_elements({int(z) for numbers, _ in molecules for z in np.unique(numbers)}, self._model)
        except ValueError as error:
            raise TeacherError(str(error)) from error
        labels: list[Labels] = []
        batch: list[Molecule] = []
        for molecule in molecules:
            if batch and sum(len(z) for z, _ in batch) + len(molecule[0]) > ATOMS_AT_ONCE:
                labels += self._evaluate(batch)
                batch = []
            batch.append(molecule)
        return labels + (self._evaluate(batch) if batch else [])

    def _evaluate(self, molecules: list[Molecule]) -> list[Labels]:
        from polymd.potentials.half_list import pair_forces

        numbers, pairs, vectors, pointers = side_by_side(molecules, self._engine.cutoff)
        result = self._engine.compute(numbers, pairs, vectors)
        forces = pair_forces(len(numbers), pairs, result.gradient)
        std = None
        if self._committee is not None:
            _, near, between, _ = side_by_side(molecules, self._committee.cutoff)
            std = self._committee.forces_std(numbers, near, between, forces)
        return [
            Labels(
                float(result.energies[first:end].sum()),
                forces[first:end],
                None if std is None else std[first:end],
            )
            for first, end in itertools.pairwise(pointers)
        ]
