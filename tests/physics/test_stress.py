"""The analytic stress of both backends against finite strain of float64 energies."""

import numpy as np
import pytest
from ase import Atoms
from numpy.typing import NDArray

from polymd.potentials import PolyGETCalculator
from polymd.testing import STRESS_RTOL32, STRESS_RTOL64

from .potential_suite import crystal

STRAIN = 1e-4
STENCIL = ((1, 8.0 / 12.0), (2, -1.0 / 12.0))  # fourth order


def finite_strain(atoms: Atoms) -> NDArray[np.float64]:
    """Stress (6,) in Voigt order from energies at cells strained by multiples of 1e-4."""
    atoms = atoms.copy()
    atoms.calc = PolyGETCalculator(backend="torch")
    cell, stress = atoms.cell.array.copy(), []
    for a, b in ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)):
        slope = 0.0
        for multiple, weight in STENCIL:
            for sign in (1, -1):
                strain = np.eye(3)
                strain[a, b] += 0.5 * sign * multiple * STRAIN
                strain[b, a] += 0.5 * sign * multiple * STRAIN
                atoms.set_cell(cell @ strain, scale_atoms=True)
                slope += sign * weight * atoms.get_potential_energy() / STRAIN
        stress.append(slope / abs(np.linalg.det(cell)))
    return np.array(stress)


@pytest.mark.parametrize("edge", [1.0, 1.15])
def test_stress_is_the_slope_of_the_energy(edge: float) -> None:
    atoms = crystal()
    atoms.set_cell(atoms.cell.array * edge, scale_atoms=True)
    expected = finite_strain(atoms)
    for backend, limit in (("torch", STRESS_RTOL64), ("numba", STRESS_RTOL32)):
        atoms.calc = PolyGETCalculator(backend=backend)
        error = np.abs(atoms.get_stress() - expected).max() / np.abs(expected).max()
        print(f"{backend} {edge}: {error:.1e} of {np.abs(expected).max():.3g} eV/Å³")
        assert error < limit
