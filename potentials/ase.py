"""PolyGET as an ASE calculator."""

from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.stress import full_3x3_to_voigt_6_stress

from polymd.potentials.backends import BACKENDS, Backend, make_backend
from polymd.potentials.committee import load_committee
from polymd.potentials.half_list import HalfList
from polymd.potentials.registry import find


class PolyGETCalculator(Calculator):
    """Energy, atomic energies, forces and stress of ASE atoms, in ASE's units.

    Parameters
    ----------
    model
        name of a shipped or user model (`polymd.potentials.available()`) or a path to a .safetensors file.
    backend
        `numba` (float32, fast), `torch` (float64, the reference) or `auto` (numba).
    committee
        adds `forces_std` (N,) to the results: the expected length of the model's force error vector on
        each atom, eV/Å, from the disagreement of a calibrated committee (`polymd.potentials.committee`).
        Energy and forces stay those of the model. The members run in float32 with either backend.

    Raises
    ------
    ValueError
        for an unknown model or backend, for a committee that is not there and, when first used, for elements
        that the model does not know.
    """

    implemented_properties = [  # noqa: RUF012
        "energy",
        "free_energy",
        "energies",
        "forces",
        "stress",
        "forces_std",
    ]

    def __init__(self, model: str = "polyget", *, backend: str = "auto", committee: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        find(model)
        if backend not in BACKENDS:
            raise ValueError(f'unknown backend "{backend}"; known: {", ".join(BACKENDS)}')
        self.model, self.backend_name = model, backend
        self._backend: Backend | None = None
        self._committee = load_committee(model) if committee else None

    def calculate(
        self, atoms: Atoms | None = None, properties: Any = ("energy",), system_changes: Any = all_changes
    ) -> None:
        super().calculate(atoms, properties, system_changes)  # type: ignore[no-untyped-call]
        assert self.atoms is not None
        if self._backend is None or "numbers" in system_changes:
            self._backend = make_backend(self.atoms.numbers, self.model, self.backend_name)
            if self._committee is not None:
                self._pairs = HalfList(self._committee.cutoff)
        geometry = self.atoms.positions, np.asarray(self.atoms.cell), self.atoms.pbc
        result = self._backend.evaluate(*geometry)
        self.results = {
            "energy": result.energy,
            "free_energy": result.energy,
            "energies": result.energies,
            "forces": result.forces,
        }
        if self._committee is not None:
            numbers = self.atoms.numbers.astype(np.int64)
            self.results["forces_std"] = self._committee.forces_std(
                numbers, *self._pairs.update(*geometry), result.forces
            )
        if self.atoms.cell.rank == 3:
            stress = (result.virial + result.virial.T) / (2 * self.atoms.get_volume())
            self.results["stress"] = full_3x3_to_voigt_6_stress(stress)
