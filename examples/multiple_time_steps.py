"""Multiple time steps in OpenMM: a small model every femtosecond, the full model every third.

python examples/multiple_time_steps.py
"""

import openmm
from openmm import unit

from polymd import Polymer, generate_conformations
from polymd.integrators import mts_integrator
from polymd.potentials import mts_forces


def main(units: int = 10, steps: int = 500, inner: str = "polyget-fast") -> openmm.Context:
    polymer = Polymer("*CCO*", units, seed=1)
    system = openmm.System()
    for mass in polymer.masses:
        system.addParticle(mass)
    for force in mts_forces(polymer.to_openmm(), "polyget", inner):  # together they are polyget
        system.addForce(force)

    integrator = mts_integrator("nvt", 300.0, timestep=3.0, inner_steps=3, seed=1)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"))
    context.setPositions(generate_conformations(polymer, 1, seed=1)[0] * unit.angstrom)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)

    for _ in range(10):
        integrator.step(max(1, steps // 10))
        state = context.getState(energy=True)
        kinetic, time = state.getKineticEnergy(), state.getTime().value_in_unit(unit.picosecond)
        temperature = 2 * kinetic / (3 * polymer.n_atoms * unit.MOLAR_GAS_CONSTANT_R)
        print(
            f"{time:6.3f} ps  {state.getPotentialEnergy()}  {temperature.value_in_unit(unit.kelvin):4.0f} K"
        )
    return context


if __name__ == "__main__":
    main()
