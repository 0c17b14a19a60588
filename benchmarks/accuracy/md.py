"""Molecular dynamics of one molecule for the benchmarks: OpenMM's integrators on PolyGET, checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from polymd.integrators import openmm_integrator
from polymd.polymer import Polymer
from polymd.units import AMU_A2_FS2, EV_KJ_MOL, KB

Float = NDArray[np.float64]
HEAVY_HYDROGEN = 4.0  #: amu; what it gains its neighbour loses, so that 2 fs conserve energy
NEW_BOND = 1.15  #: of the sum of covalent radii: closer than this, two atoms are bonded
BROKEN = 1.5  #: of a bond's length at the start


def repartitioned(polymer: Polymer) -> Float:
    """Masses (N,) amu with hydrogens of 4 amu, taken from the atoms they are bonded to."""
    masses = polymer.masses.copy()
    for i, j in polymer.bonds:
        for hydrogen, other in ((i, j), (j, i)):
            if polymer.atomic_numbers[hydrogen] == 1 and polymer.atomic_numbers[other] != 1:
                masses[other] -= HEAVY_HYDROGEN - masses[hydrogen]
                masses[hydrogen] = HEAVY_HYDROGEN
    return masses


@dataclass(frozen=True)
class Sample:
    """One instant: positions (N, 3) Å, energies eV, the kinetic one of the integrator's velocities."""

    positions: Float
    potential: float
    kinetic: float

    def temperature(self, degrees_of_freedom: int) -> float:
        """K."""
        return 2.0 * self.kinetic / (degrees_of_freedom * KB)


class Dynamics:
    """A molecule in vacuum on OpenMM's Reference platform (double precision) with PolyGET as PythonForce.

    `kinetic` of a sample belongs to the velocities that the integrator keeps. Those of the Langevin middle
    scheme live at half steps, where their temperature is right to higher order than at whole ones.
    """

    def __init__(
        self,
        polymer: Polymer,
        model: str,
        masses: Float,
        ensemble: Literal["nve", "nvt"],
        temperature: float,
        timestep: float,
        seed: int,
    ) -> None:
        import openmm

        from polymd.potentials import python_force

        system = openmm.System()
        for mass in masses:
            system.addParticle(float(mass))
        system.addForce(python_force(polymer.to_openmm(), model))
        self._masses = masses
        self._integrator = openmm_integrator(ensemble, temperature, timestep, seed)
        platform = openmm.Platform.getPlatformByName("Reference")
        self._context = openmm.Context(system, self._integrator, platform)

    def start(self, positions: Float, velocities: Float) -> None:
        """Positions (N, 3) Å and velocities (N, 3) Å/fs."""
        self._context.setPositions(positions * 0.1)
        self._context.setVelocities(velocities * 100.0)

    def minimise(self, positions: Float) -> Float:
        """Positions after at most 500 iterations of L-BFGS."""
        import openmm

        self._context.setPositions(positions * 0.1)
        openmm.LocalEnergyMinimizer.minimize(self._context, 0.05 * EV_KJ_MOL * 10.0, 500)
        return self.sample().positions

    def step(self, steps: int) -> bool:
        """Go on by so many steps; False when numbers are none any more."""
        import openmm

        try:
            self._integrator.step(steps)
        except openmm.OpenMMException as error:
            if "NaN" not in str(error):
                raise
            return False
        return True

    def set_temperature(self, kelvin: float) -> None:
        """Of the thermostat."""
        self._integrator.setTemperature(kelvin)

    def velocities(self) -> Float:
        """(N, 3) Å/fs."""
        state = self._context.getState(velocities=True)
        return np.asarray(state.getVelocities(asNumpy=True)._value) * 0.01

    def sample(self) -> Sample:
        """The present instant."""
        state = self._context.getState(positions=True, velocities=True, energy=True)
        velocities = np.asarray(state.getVelocities(asNumpy=True)._value) * 0.01
        kinetic = 0.5 * AMU_A2_FS2 * float((self._masses * (velocities**2).sum(axis=1)).sum())
        positions = np.asarray(state.getPositions(asNumpy=True)._value) * 10.0
        return Sample(positions, state.getPotentialEnergy()._value / EV_KJ_MOL, kinetic)

    def save(self) -> bytes:
        """OpenMM's checkpoint."""
        return bytes(self._context.createCheckpoint())

    def restore(self, state: bytes) -> None:
        """Go back to a checkpoint."""
        self._context.loadCheckpoint(state)


class Bonds:
    """Whether a molecule still has its bonds and no others."""

    def __init__(self, polymer: Polymer, positions: Float) -> None:
        from ase.data import covalent_radii

        self._bonds = polymer.bonds
        self._start = self._lengths(positions)
        radii = covalent_radii[polymer.atomic_numbers]
        self._near = NEW_BOND * (radii[:, None] + radii[None, :])
        self._near[self._bonds[:, 0], self._bonds[:, 1]] = 0.0
        self._near[self._bonds[:, 1], self._bonds[:, 0]] = 0.0
        np.fill_diagonal(self._near, 0.0)

    def _lengths(self, positions: Float) -> Float:
        ends = positions[self._bonds]
        return np.asarray(np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1))

    def longest(self, positions: Float) -> float:
        """Largest length of a bond over its length at the start."""
        return float((self._lengths(positions) / self._start).max())

    def new(self, positions: Float) -> bool:
        """Whether two atoms that are not bonded are closer than a bond."""
        from scipy.spatial.distance import cdist

        return bool((cdist(positions, positions) < self._near).any())


def radius_of_gyration(masses: Float, positions: Float) -> float:
    """Mass-weighted, Å, of positions (N, 3)."""
    centred = positions - masses @ positions / masses.sum()
    return float(np.sqrt(masses @ (centred**2).sum(axis=1) / masses.sum()))


def first_geometry(polymer: Polymer, seed: int) -> Any:
    """A conformation (N, 3) Å, relaxed on MMFF94 or UFF."""
    from polymd.conformations import generate_conformations
    from polymd.conformations.etkdg import minimise

    return minimise(polymer.to_rdkit(), generate_conformations(polymer, 1, seed=seed)[0], 200)
