"""What every potential must obey. A test class inherits `PotentialSuite` and names its calculator and
tolerances.
"""

from collections.abc import Callable

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.fd import calculate_numerical_stress
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Float = NDArray[np.float64]


def chain() -> Atoms:
    """A bent PEO-like fragment with N, S and Cl, 15 atoms, slightly distorted."""
    symbols = "COCCNHHHHHHHSClH"
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(3) * 1.45] * 3, indexing="ij"), -1).reshape(-1, 3)[:15]
    return Atoms(symbols, grid + rng.normal(scale=0.06, size=(15, 3)))


def crystal() -> Atoms:
    """The same atoms in a triclinic cell shorter than twice the cutoff."""
    atoms = chain()
    atoms.set_cell([[5.6, 0.0, 0.0], [1.1, 5.2, 0.0], [-0.7, 0.9, 5.4]])
    atoms.pbc = True
    return atoms


class PotentialSuite:
    """Inherit, and give `make`, `cutoff` and the four limits."""

    make: Callable[[], Calculator]
    cutoff: float
    symmetry: float  # eV and eV/Å
    force_step: float  # Å
    force_limit: float  # relative to the largest force
    cutoff_limit: float  # eV/Å

    @pytest.fixture
    def calculator(self) -> Calculator:
        return type(self).make()

    def evaluate(self, calculator: Calculator, atoms: Atoms) -> tuple[float, Float]:
        atoms = atoms.copy()
        atoms.calc = calculator
        return atoms.get_potential_energy(), atoms.get_forces()

    @pytest.mark.parametrize("system", [chain, crystal])
    def test_forces_are_minus_the_energy_gradient(
        self, calculator: Calculator, system: Callable[[], Atoms]
    ) -> None:
        atoms, h = system(), self.force_step
        forces = self.evaluate(calculator, atoms)[1]
        for index in (0, 4, 12):
            for axis in range(3):
                energies = []
                for sign in (1, -1):
                    moved = atoms.copy()
                    moved.positions[index, axis] += sign * h
                    energies.append(self.evaluate(calculator, moved)[0])
                numerical = -(energies[0] - energies[1]) / (2 * h)
                limit = self.force_limit * float(np.abs(forces).max())
                assert numerical == pytest.approx(forces[index, axis], abs=limit)

    def test_stress_is_the_strain_derivative(self, calculator: Calculator) -> None:
        atoms = crystal()
        atoms.calc = calculator
        numerical = calculate_numerical_stress(atoms, eps=self.force_step / 2, voigt=True)
        stress = atoms.get_stress()
        np.testing.assert_allclose(stress, numerical, atol=self.force_limit * float(np.abs(stress).max()))

    def test_translation(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, chain())
        moved = chain()
        moved.translate([11.0, -7.0, 3.0])
        e, f = self.evaluate(calculator, moved)
        assert e == pytest.approx(energy, abs=self.symmetry)
        np.testing.assert_allclose(f, forces, atol=self.symmetry)

    def test_rotation_and_reflection(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, chain())
        for sign in (1, -1):
            matrix = sign * Rotation.random(rng=np.random.default_rng(5)).as_matrix()
            turned = chain()
            turned.positions = turned.positions @ matrix.T
            e, f = self.evaluate(calculator, turned)
            assert e == pytest.approx(energy, abs=self.symmetry)
            np.testing.assert_allclose(f, forces @ matrix.T, atol=self.symmetry)

    def test_permutation(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, chain())
        order = np.random.default_rng(1).permutation(15)
        e, f = self.evaluate(calculator, chain()[order])
        assert e == pytest.approx(energy, abs=self.symmetry)
        np.testing.assert_allclose(f, forces[order], atol=self.symmetry)

    def test_no_net_force_or_torque(self, calculator: Calculator) -> None:
        atoms = chain()
        forces = self.evaluate(calculator, atoms)[1]
        np.testing.assert_allclose(forces.sum(axis=0), 0, atol=10 * self.symmetry)
        np.testing.assert_allclose(np.cross(atoms.positions, forces).sum(axis=0), 0, atol=50 * self.symmetry)

    def test_two_far_chains_are_independent(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, chain())
        far = chain()
        far.translate([40.0, 0.0, 0.0])
        e, f = self.evaluate(calculator, chain() + far)
        assert e == pytest.approx(2 * energy, abs=2 * self.symmetry)
        np.testing.assert_allclose(f, np.vstack([forces, forces]), atol=self.symmetry)

    def test_images_and_supercells(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, crystal())
        moved = crystal()
        moved.positions += np.random.default_rng(0).integers(-2, 3, (15, 3)) @ np.asarray(moved.cell)
        e, f = self.evaluate(calculator, moved)
        assert e == pytest.approx(energy, abs=self.symmetry)
        np.testing.assert_allclose(f, forces, atol=self.symmetry)
        e, f = self.evaluate(calculator, crystal().repeat((2, 1, 1)))
        assert e == pytest.approx(2 * energy, abs=2 * self.symmetry)
        np.testing.assert_allclose(f, np.vstack([forces, forces]), atol=self.symmetry)

    def test_a_large_box_is_open_space(self, calculator: Calculator) -> None:
        energy, forces = self.evaluate(calculator, chain())
        boxed = chain()
        boxed.set_cell(np.diag([40.0, 41.0, 42.0]))
        boxed.pbc = True
        e, f = self.evaluate(calculator, boxed)
        assert e == pytest.approx(energy, abs=self.symmetry)
        np.testing.assert_allclose(f, forces, atol=self.symmetry)

    def test_smooth_where_a_pair_crosses_the_cutoff(self, calculator: Calculator) -> None:
        results = []
        for offset in (-1e-4, 1e-4):
            atoms = chain() + Atoms("OH", [[0, 0, 0], [0, 0, 0.96]])
            direction = np.array([-0.8, -0.6, 0.0])
            atoms.positions[15:] += atoms.positions[0] + direction * (self.cutoff + offset)
            results.append(self.evaluate(calculator, atoms))
        np.testing.assert_allclose(results[0][1], results[1][1], atol=self.cutoff_limit)

    @pytest.mark.parametrize("symbol", ["H", "C", "N", "O", "F", "Si", "S", "Cl"])
    def test_atoms_cannot_fuse(self, calculator: Calculator, symbol: str) -> None:
        for partner in ("H", "C", "O"):
            pair = Atoms([symbol, partner], [[0, 0, 0], [0, 0, 0.25]])
            assert self.evaluate(calculator, pair)[1][1, 2] > 10.0
