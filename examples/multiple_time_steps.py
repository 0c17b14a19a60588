"""Multiple time steps in OpenMM: a small model every femtosecond, the full model every third.

python examples/multiple_time_steps.py
"""

import openmm
from openmm import unit

from polymd import Polymer, generate_conformations
from polymd.integrators import mts_integrator
from polymd.observables import Estimate, mean_with_error
from polymd.potentials import mts_forces


def main(units: int = 10, steps: int = 5000, inner: str = "polyget-fast") -> Estimate:
    """The kinetic temperature with its standard error; a fifth of the steps settles."""
    polymer = Polymer("*CCO*", units, seed=1)
    system = openmm.System()
    for mass in polymer.masses:
        system.addParticle(mass)
    for force in mts_forces(polymer.to_openmm(), "polyget", inner):  # together they are polyget
        system.addForce(force)

    integrator = mts_integrator("nvt", 300.0, timestep=3.0, inner_steps=3, seed=1, friction=10.0)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("CPU"))
    context.setPositions(generate_conformations(polymer, 1, seed=1)[0] * unit.angstrom)
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)

    temperatures = []
    for step in range(0, steps, 10):
        integrator.step(10)
        if step >= steps // 5:
            kinetic = context.getState(energy=True).getKineticEnergy()
            temperature = 2 * kinetic / (3 * polymer.n_atoms * unit.MOLAR_GAS_CONSTANT_R)
            temperatures.append(temperature.value_in_unit(unit.kelvin))
    estimate = mean_with_error(temperatures, "K")
    time = context.getTime().value_in_unit(unit.picosecond)
    print(f"{time:.1f} ps, {estimate.value:.1f} ± {estimate.error:.1f} K")
    return estimate


if __name__ == "__main__":
    main()
