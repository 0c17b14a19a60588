"""Constant temperature, and constant pressure, with OpenMM on the Numba engine.

python examples/dynamics_with_openmm.py nvt    # one chain, Nosé-Hoover chain
python examples/dynamics_with_openmm.py npt    # a box of chains, Langevin, OpenMM's own Monte Carlo barostat
"""

import sys
from typing import Literal

import numpy as np
import openmm
from openmm import unit
from openmm.app import Modeller, Topology

from polymd import Polymer, generate_conformations
from polymd.conformations.packing import box_length, grow_box
from polymd.integrators import degrees_of_freedom, maxwell_boltzmann, openmm_integrator
from polymd.observables import Estimate, mean_with_error
from polymd.potentials import python_force
from polymd.units import EV_KJ_MOL, G_CM3, KB

TEMPERATURE, TIMESTEP = 300.0, 1.0  # K, fs
PRESSURE = 1.0  # bar


def build(ensemble: str, n_units: int, n_chains: int, seed: int) -> tuple[Topology, np.ndarray]:
    """A chain of poly(ethylene oxide) in vacuum, or several in a box at 0.8 g/cm³."""
    polymer = Polymer("*CCO*", n_units)
    if ensemble == "nvt":
        return polymer.to_openmm(), generate_conformations(polymer, 1, seed=seed)[0]
    edge = box_length(n_chains * polymer.masses.sum(), 0.8)
    chains = grow_box([polymer] * n_chains, edge, seed=seed)
    modeller = Modeller(polymer.to_openmm(), chains[0] * unit.angstrom)
    for positions in chains[1:]:
        modeller.add(polymer.to_openmm(), positions * unit.angstrom)
    modeller.topology.setPeriodicBoxVectors(0.1 * edge * np.eye(3) * unit.nanometer)
    return modeller.topology, np.concatenate(chains)


def build_system(topology: Topology, ensemble: str, seed: int) -> openmm.System:
    """Masses, PolyGET, and what thermostat or barostat needs."""
    system = openmm.System()
    for atom in topology.atoms():
        system.addParticle(atom.element.mass)
    system.addForce(python_force(topology))  # or torch_force(topology), on a GPU
    if ensemble == "nvt":
        system.addForce(openmm.CMMotionRemover())
        return system
    system.setDefaultPeriodicBoxVectors(*topology.getPeriodicBoxVectors())
    molecules = openmm.HarmonicBondForce()  # bonds of no strength: the barostat moves molecules as wholes
    for bond in topology.bonds():
        molecules.addBond(bond[0].index, bond[1].index, 0.1, 0.0)
    system.addForce(molecules)
    barostat = openmm.MonteCarloBarostat(PRESSURE, TEMPERATURE, 25)
    barostat.setRandomNumberSeed(seed)
    system.addForce(barostat)
    return system


def main(
    ensemble: Literal["nvt", "npt"] = "nvt",
    n_units: int = 4,
    n_chains: int = 8,
    steps: int = 10_000,
    seed: int = 1,
) -> Estimate:
    """The kinetic temperature with its standard error."""
    topology, positions = build(ensemble, n_units, n_chains, seed)
    system = build_system(topology, ensemble, seed)
    masses = np.array([atom.element.mass._value for atom in topology.atoms()])

    thermostat = "nose-hoover" if ensemble == "nvt" else "langevin"
    integrator = openmm_integrator(
        ensemble, TEMPERATURE, TIMESTEP, seed, thermostat=thermostat, friction=10.0, n_atoms=len(masses)
    )
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions * unit.angstrom)
    openmm.LocalEnergyMinimizer.minimize(context, 50.0, 200)
    velocities = maxwell_boltzmann(masses, 2 * TEMPERATURE, seed=seed)  # half of it becomes potential energy
    context.setVelocities(velocities * unit.angstrom / unit.femtosecond)

    freedoms = degrees_of_freedom(len(masses), ensemble, thermostat)
    temperatures = []
    for step in range(0, steps, 10):
        integrator.step(10)
        if step >= steps // 5:
            kinetic = context.getState(energy=True).getKineticEnergy()._value / EV_KJ_MOL
            temperatures.append(2.0 * kinetic / (freedoms * KB))
    temperature = mean_with_error(temperatures, "K")
    print(f"{ensemble}: {temperature.value:.1f} ± {temperature.error:.1f} K")
    if ensemble == "npt":
        volume = context.getState().getPeriodicBoxVolume()._value * 1e3
        print(f"density after {steps * TIMESTEP / 1000:g} ps: {masses.sum() / volume / G_CM3:.3f} g/cm3")
    return temperature


if __name__ == "__main__":
    name, *numbers = sys.argv[1:] or ["nvt"]
    main(name, *map(int, numbers))
