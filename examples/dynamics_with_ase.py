"""Constant temperature, and constant pressure, with ASE.

python examples/dynamics_with_ase.py nvt      # one chain, Langevin dynamics
python examples/dynamics_with_ase.py npt      # a box of chains, Bussi's thermostat, stochastic cell rescaling
"""

import sys
from typing import Literal

import numpy as np
from ase import Atoms, units
from ase.optimize import LBFGS

from polymd import Polymer, generate_conformations
from polymd.conformations.packing import box_length, grow_box
from polymd.integrators import ase_dynamics, degrees_of_freedom, make_barostat, maxwell_boltzmann
from polymd.observables import Estimate, mean_with_error
from polymd.potentials import PolyGETCalculator
from polymd.units import BAR, G_CM3

TEMPERATURE, TIMESTEP = 300.0, 1.0  # K, fs
PRESSURE = 1.0 * BAR


def build(ensemble: str, n_units: int, n_chains: int, seed: int) -> Atoms:
    """A chain of poly(ethylene oxide) in vacuum, or several in a box at 0.8 g/cm³."""
    polymer = Polymer("*CCO*", n_units)
    if ensemble == "nvt":
        return polymer.to_ase(generate_conformations(polymer, 1, seed=seed)[0])
    edge = box_length(n_chains * polymer.masses.sum(), 0.8)
    chains = grow_box([polymer] * n_chains, edge, seed=seed)
    numbers = np.tile(polymer.atomic_numbers, n_chains)
    return Atoms(numbers, np.concatenate(chains), cell=[edge] * 3, pbc=True)


def main(
    ensemble: Literal["nvt", "npt"] = "nvt",
    n_units: int = 4,
    n_chains: int = 8,
    steps: int = 10_000,
    seed: int = 2,
) -> Estimate:
    """The kinetic temperature with its standard error."""
    atoms = build(ensemble, n_units, n_chains, seed)
    atoms.calc = PolyGETCalculator()
    LBFGS(atoms, logfile=None).run(fmax=0.2, steps=200)
    velocities = maxwell_boltzmann(
        atoms.get_masses(), 2 * TEMPERATURE, seed=seed
    )  # half of it becomes potential
    atoms.set_velocities(velocities / units.fs)

    rng = np.random.default_rng(seed)
    if ensemble == "nvt":
        thermostat, barostat = "langevin", None
    else:
        thermostat = "bussi"
        barostat = make_barostat("scr", PRESSURE, TEMPERATURE, TIMESTEP, rng)
    dynamics = ase_dynamics(
        atoms, ensemble, TEMPERATURE, TIMESTEP, rng, thermostat=thermostat, friction=10.0, barostat=barostat
    )

    freedoms = degrees_of_freedom(len(atoms), ensemble, thermostat)
    temperatures = []
    for step in range(0, steps, 10):
        dynamics.run(10)
        if step >= steps // 5:
            temperatures.append(2.0 * atoms.get_kinetic_energy() / (freedoms * units.kB))
    temperature = mean_with_error(temperatures, "K")
    print(f"{ensemble}: {temperature.value:.1f} ± {temperature.error:.1f} K")
    if ensemble == "npt":
        density = atoms.get_masses().sum() / atoms.get_volume() / G_CM3
        print(f"density after {steps * TIMESTEP / 1000:g} ps: {density:.3f} g/cm3")
    return temperature


if __name__ == "__main__":
    name, *numbers = sys.argv[1:] or ["nvt"]
    main(name, *map(int, numbers))
