import numpy as np
import pytest
from ase import Atoms

from polymd import testing
from polymd.potentials import PolyGETCalculator


def test_atomic_energies_add_up(molecule: Atoms) -> None:
    molecule.calc = PolyGETCalculator()
    assert molecule.get_potential_energies().sum() == pytest.approx(molecule.get_potential_energy())
    assert molecule.get_potential_energies().shape == (24,)


def test_backends_agree(molecule: Atoms) -> None:
    results = []
    for backend in ("numba", "torch"):
        atoms = molecule.copy()
        atoms.set_cell([[7.0, 0, 0], [1, 8, 0], [0, -1, 6.5]])
        atoms.pbc = (True, True, False)
        atoms.calc = PolyGETCalculator(backend=backend)
        results.append((atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress()))
    (e, f, s), (e_ref, f_ref, s_ref) = results
    assert e == pytest.approx(e_ref, rel=testing.ADAPTER_ENERGY_RTOL)
    assert np.linalg.norm(f - f_ref) < testing.ENGINE_FORCE_RTOL * np.linalg.norm(f_ref)
    assert np.linalg.norm(s - s_ref) < testing.ENGINE_FORCE_RTOL * np.linalg.norm(s_ref)


def test_one_calculator_serves_changing_atoms(molecule: Atoms) -> None:
    calculator = PolyGETCalculator()
    molecule.calc = calculator
    whole = molecule.get_potential_energy()
    part = molecule[:10]
    part.calc = calculator
    assert part.get_potential_energy() > whole
    part.calc = PolyGETCalculator()
    alone = part.get_potential_energy()
    part.calc = calculator
    part.rattle(0.0)
    assert part.get_potential_energy() == alone


def test_no_stress_without_a_cell(molecule: Atoms) -> None:
    molecule.calc = PolyGETCalculator()
    with pytest.raises(NotImplementedError):
        molecule.get_stress()


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match='unknown backend "cuda"; known: auto, numba, torch'):
        PolyGETCalculator(backend="cuda")
    with pytest.raises(ValueError, match="unknown potential"):
        PolyGETCalculator("nothing")
    atoms = Atoms("Br2", [[0, 0, 0], [0, 0, 2.3]], calculator=PolyGETCalculator())
    with pytest.raises(ValueError, match="does not know the element Br"):
        atoms.get_potential_energy()
