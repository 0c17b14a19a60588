"""The energy of velocity Verlet on PolyGET errs with the square of the step."""

import numpy as np
from ase import units

import polymd
from polymd.integrators import ase_dynamics, maxwell_boltzmann
from polymd.potentials import PolyGETCalculator
from polymd.testing import VERLET_ORDER

TIMESTEPS = np.array([0.25, 0.35, 0.5, 0.7])  # fs
TIME = 70.0  # fs


def test_the_energy_error_is_of_second_order() -> None:
    chain = polymd.Polymer("*CC*", 1)
    positions = polymd.generate_conformations(chain, 1, seed=1)[0]
    errors = []
    for timestep in TIMESTEPS:
        atoms = chain.to_ase(positions)
        atoms.calc = PolyGETCalculator()
        atoms.set_velocities(maxwell_boltzmann(atoms.get_masses(), 300.0, seed=1) / units.fs)
        dynamics, energies = ase_dynamics(atoms, "nve", 300.0, timestep, np.random.default_rng(0)), []
        for _ in range(round(TIME / timestep)):
            dynamics.run(1)
            energies.append(atoms.get_total_energy())
        errors.append(np.std(energies))
    order = np.polyfit(np.log(TIMESTEPS), np.log(errors), 1)[0]
    print(f"order {order:.3f}, errors {errors}")
    assert VERLET_ORDER[0] < order < VERLET_ORDER[1]
