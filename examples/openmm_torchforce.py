"""PolyGET as a TorchForce in a script of plain OpenMM: minimise, then Langevin dynamics at 300 K.

python examples/openmm_torchforce.py        (needs the extra: pip install "polymd[torchforce]")
"""

import sys

import openmm
from openmm import unit
from openmm.app import PDBReporter, Simulation, StateDataReporter

from polymd import Polymer, generate_conformations
from polymd.potentials import torch_force


def main(units: int = 5, steps: int = 500, platform: str = "CPU") -> Simulation:
    polymer = Polymer("*CC(*)c1ccccc1", units, seed=1)
    topology = polymer.to_openmm()

    system = openmm.System()
    for mass in polymer.masses:
        system.addParticle(mass)
    system.addForce(torch_force(topology))  # or python_force(topology), which needs no openmmtorch

    integrator = openmm.LangevinMiddleIntegrator(300 * unit.kelvin, 1 / unit.picosecond, 1 * unit.femtosecond)
    integrator.setRandomNumberSeed(1)
    simulation = Simulation(topology, system, integrator, openmm.Platform.getPlatformByName(platform))
    simulation.context.setPositions(generate_conformations(polymer, 1, seed=1)[0] * unit.angstrom)

    simulation.minimizeEnergy(maxIterations=100)
    simulation.context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    columns = {"step": True, "potentialEnergy": True, "temperature": True, "speed": True}
    simulation.reporters.append(StateDataReporter(sys.stdout, max(1, steps // 10), **columns))
    simulation.reporters.append(PDBReporter("polystyrene.pdb", max(1, steps // 10)))
    simulation.step(steps)
    return simulation


if __name__ == "__main__":
    main()
