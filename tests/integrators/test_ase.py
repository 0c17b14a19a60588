"""The ASE integrators mean the same as those of OpenMM."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator

from polymd.integrators import ase_dynamics
from polymd.observables import mean_with_error
from polymd.testing import STATISTICAL_SIGMAS, VERLET_RTOL
from polymd.units import AMU_A2_FS2

STIFFNESS = 20.0  # eV/Å²
MASS = 12.0


class Oscillators(Calculator):
    """Each atom on a spring to the origin."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=None, system_changes=()):  # type: ignore[no-untyped-def]
        """Energy and forces."""
        super().calculate(atoms, properties, system_changes)
        x = self.atoms.get_positions()
        self.results = {"energy": 0.5 * STIFFNESS * (x**2).sum(), "forces": -STIFFNESS * x}


def oscillators(n: int = 50) -> Atoms:
    """Atoms at rest 0.1 Å from their minimum."""
    atoms = Atoms(numbers=[6] * n, positions=np.full((n, 3), 0.1), masses=[MASS] * n)
    atoms.calc = Oscillators()
    return atoms


def test_nve_is_velocity_verlet() -> None:
    atoms = oscillators()
    ase_dynamics(atoms, "nve", 300.0, 1.0, np.random.default_rng(1)).run(200)
    omega = np.sqrt(STIFFNESS / (MASS * AMU_A2_FS2))
    theta = np.arccos(1.0 - omega**2 / 2.0)
    v = -0.1 * omega * np.sqrt(1.0 - omega**2 / 4.0) * np.sin(200 * theta)
    np.testing.assert_allclose(atoms.get_velocities() * units.fs, v, rtol=VERLET_RTOL)


def test_nvt_holds_the_temperature() -> None:
    atoms = oscillators()
    dynamics = ase_dynamics(atoms, "nvt", 300.0, 1.0, np.random.default_rng(1), friction=10.0)
    dynamics.run(1000)
    kinetic = []
    for _ in range(1000):
        dynamics.run(10)
        kinetic.append(atoms.get_temperature())
    temperature = mean_with_error(kinetic, "K")
    assert abs(temperature.value - 300.0) < STATISTICAL_SIGMAS * temperature.error


def test_an_unknown_ensemble_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'npv'.*nve, nvt, npt"):
        ase_dynamics(oscillators(), "npv", 300.0, 1.0, np.random.default_rng(1))  # type: ignore[arg-type]
