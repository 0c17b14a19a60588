"""Density functional theory through PySCF, with density fitting.

ωB97M-D3(BJ): N. Mardirossian, M. Head-Gordon, J. Chem. Phys. 144, 214110 (2016); A. Najibi, L. Goerigk,
J. Chem. Theory Comput. 14, 5725 (2018). r2SCAN: J. W. Furness et al., J. Phys. Chem. Lett. 11, 8208 (2020).
def2: F. Weigend, R. Ahlrichs, Phys. Chem. Chem. Phys. 7, 3297 (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from ase.units import Bohr, Hartree

from polymd.datasets.teachers.base import Labels, Molecule, TeacherError, import_optional

NAMES = {"wb97m-d3bj": "wB97M-D3(BJ)", "r2scan-d3bj": "r2SCAN-D3(BJ)"}


class DFT:
    """A functional with its D3(BJ) dispersion in a def2 basis, restricted, with density fitting."""

    def __init__(self, functional: str, basis: str = "def2-tzvpp") -> None:
        self._pyscf = import_optional("pyscf", "pyscf", "dft")
        import_optional("pyscf.dispersion", "pyscf-dispersion", "dft")
        self._functional, self._basis = functional, basis
        name = f"{NAMES[functional]}/def2-{basis.removeprefix('def2-').upper()}"
        self.level_of_theory = f"{name} with density fitting (PySCF {self._pyscf.__version__})"

    def label(self, molecules: Sequence[Molecule]) -> list[Labels]:
        """As `Teacher.label`."""
        return [self._one(*molecule) for molecule in molecules]

    def _one(self, numbers: Any, positions: Any) -> Labels:
        dft = import_optional("pyscf.dft", "pyscf", "dft")
        atoms = [(chemical_symbols[z], tuple(x)) for z, x in zip(numbers.tolist(), positions, strict=True)]
        try:
            mol = self._pyscf.M(atom=atoms, basis=self._basis, unit="Angstrom", verbose=0)
            field = dft.RKS(mol, xc=self._functional).density_fit()
            energy = field.kernel()
            if not field.converged:
                raise TeacherError("the self-consistent field did not converge")
            gradient = field.nuc_grad_method()
            gradient.grid_response = True
            forces = -np.asarray(gradient.kernel())
        except (RuntimeError, ValueError, KeyError, np.linalg.LinAlgError) as error:
            raise TeacherError(f"PySCF: {error}") from error
        return Labels(float(energy) * Hartree, forces * (Hartree / Bohr))
