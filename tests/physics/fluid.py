"""A fluid of soft spheres, light and heavy: forgets quickly, costs microseconds, has all an ensemble needs.

u(r) = ½ A (1 - r/R)² for r < R, as in dissipative particle dynamics (Groot and Warren, J. Chem. Phys. 1997,
107, 4423) at their density of 3/R³ and with A = 25 k_B 300 K.
"""

from typing import Any

import numba
import numpy as np
import openmm
from ase import Atoms
from ase.calculators.calculator import Calculator
from numpy.typing import NDArray

from polymd.units import EV_KJ_MOL

Float = NDArray[np.float64]
N = 40
RANGE = 3.0  # Å
STRENGTH = 0.65  # eV
EDGE = (N / 3.0) ** (1.0 / 3.0) * RANGE  # Å
PRESSURE = 0.0247  # eV/Å³, of this density at 300 K
MASSES = np.where(np.arange(N) % 2 == 0, 1.0, 4.0)


@numba.njit(cache=True)
def soft_spheres(positions, box):  # type: ignore[no-untyped-def]
    """Energy (eV), forces (N, 3) and virial (3,), the diagonal of dE/d(strain), in a rectangular box (3,)."""
    energy, forces, virial = 0.0, np.zeros_like(positions), np.zeros(3)
    d = np.empty(3)
    for i in range(len(positions)):
        for j in range(i):
            r2 = 0.0
            for a in range(3):
                d[a] = positions[i, a] - positions[j, a]
                d[a] -= box[a] * np.round(d[a] / box[a])
                r2 += d[a] * d[a]
            if 0.0 < r2 < RANGE * RANGE:
                r = np.sqrt(r2)
                x = 1.0 - r / RANGE
                energy += 0.5 * STRENGTH * x * x
                pull = -STRENGTH * x / (RANGE * r)
                for a in range(3):
                    forces[i, a] -= pull * d[a]
                    forces[j, a] += pull * d[a]
                    virial[a] += pull * d[a] * d[a]
    return energy, forces, virial


def stress(positions: Float, cell: Float) -> Float:
    """Stress (3, 3), eV/Å³."""
    return np.diag(soft_spheres(positions, np.diag(cell).copy())[2]) / float(np.linalg.det(cell))


class SoftSpheres(Calculator):
    """For ASE."""

    implemented_properties = ("energy", "forces", "stress")

    def calculate(self, atoms=None, properties=None, system_changes=()):  # type: ignore[no-untyped-def]
        """Energy, forces and stress."""
        super().calculate(atoms, properties, system_changes)
        cell = self.atoms.cell.array
        energy, forces, virial = soft_spheres(self.atoms.positions, np.diag(cell).copy())
        diagonal = virial / np.linalg.det(cell)
        self.results = {"energy": energy, "forces": forces, "stress": np.append(diagonal, np.zeros(3))}


def force(state: Any) -> tuple[float, Float]:
    """For an `openmm.PythonForce`."""
    box = np.diag(state.getPeriodicBoxVectors(asNumpy=True)._value) * 10.0
    energy, forces, _ = soft_spheres(state.getPositions(asNumpy=True)._value * 10.0, box)
    return energy * EV_KJ_MOL, forces * (10.0 * EV_KJ_MOL)


def start() -> Float:
    """Positions on a grid, Å."""
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:N]
    return (grid + 0.5) * EDGE / 4.0


def atoms() -> Atoms:
    """The fluid in ASE."""
    result = Atoms(numbers=[1] * N, positions=start(), masses=MASSES, cell=[EDGE] * 3, pbc=True)
    result.calc = SoftSpheres()
    return result


def context(
    integrator: openmm.Integrator, *extra: openmm.Force, platform: str = "Reference"
) -> openmm.Context:
    """The fluid in OpenMM, with more forces."""
    system = openmm.System()
    for mass in MASSES:
        system.addParticle(float(mass))
    system.setDefaultPeriodicBoxVectors(*(0.1 * EDGE * np.eye(3)))
    own = openmm.PythonForce(force)
    own.setUsesPeriodicBoundaryConditions(True)
    system.addForce(own)
    for other in extra:
        system.addForce(other)
    result = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    result.setPositions(0.1 * start())
    return result
