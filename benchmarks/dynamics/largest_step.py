"""The largest step of velocity Verlet on PolyGET, with hydrogens of their own mass and heavier ones.

A chain of polystyrene is brought to 300 K by Langevin dynamics, then runs without thermostat at each step. A
step counts as stable when no energy is lost or gained beyond polymd.testing.NVE_DRIFT and the energies stay
within a tenth of the kinetic energy.

    python benchmarks/dynamics/largest_step.py [--picoseconds 4] [--units 2]      about 2 min on a quiet core
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from ase import units

import polymd
from polymd.integrators import ase_dynamics, maxwell_boltzmann, repartition_hydrogen_mass
from polymd.potentials import PolyGETCalculator
from polymd.testing import NVE_DRIFT

TIMESTEPS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # fs
HYDROGEN_MASSES = (None, 2.0, 3.0)  # amu
TEMPERATURE, EQUILIBRATION = 300.0, 1000.0  # K, fs
KJ_MOL = units.kJ / units.mol


def start(n_units: int, hydrogen_mass: float | None) -> Any:
    """The chain at 300 K, ASE atoms."""
    chain = polymd.Polymer("*CC(*)c1ccccc1", n_units, seed=1)
    atoms = chain.to_ase(polymd.generate_conformations(chain, 1, seed=1)[0])
    if hydrogen_mass is not None:
        masses = repartition_hydrogen_mass(chain.masses, chain.atomic_numbers, chain.bonds, hydrogen_mass)
        atoms.set_masses(masses)
    atoms.calc = PolyGETCalculator()
    velocities = maxwell_boltzmann(atoms.get_masses(), TEMPERATURE, seed=1)
    atoms.set_velocities(velocities / units.fs)
    rng = np.random.default_rng(1)
    ase_dynamics(atoms, "nvt", TEMPERATURE, 0.5, rng, friction=20.0).run(round(EQUILIBRATION / 0.5))
    return atoms


def energy_drift(atoms: Any, timestep: float, time: float) -> dict[str, float]:
    """Slope (kJ/mol/ps/atom) and spread (kJ/mol/atom) of the total energy, nan where it explodes."""
    atoms = atoms.copy()
    atoms.calc = PolyGETCalculator()
    dynamics = ase_dynamics(atoms, "nve", TEMPERATURE, timestep, np.random.default_rng(0))
    energies = []
    for _ in range(round(time / timestep)):
        dynamics.run(1)
        energies.append(atoms.get_total_energy() / KJ_MOL / len(atoms))
        if abs(energies[-1] - energies[0]) > 10.0:
            return {"timestep": timestep, "drift": float("nan"), "spread": float("nan")}
    times = np.arange(len(energies)) * timestep * 1e-3
    drift, spread = np.polyfit(times, energies, 1)[0], np.std(energies)
    return {"timestep": timestep, "drift": float(drift), "spread": float(spread)}


def main() -> None:
    """Measure, print and write results/largest_step.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--picoseconds", type=float, default=4.0)
    parser.add_argument("--units", type=int, default=2)
    options = parser.parse_args()
    results = []
    for mass in HYDROGEN_MASSES:
        atoms = start(options.units, mass)
        rows = [energy_drift(atoms, dt, 1000.0 * options.picoseconds) for dt in TIMESTEPS]
        limit = 0.1 * 1.5 * units.kB * TEMPERATURE / KJ_MOL
        stable = [r["timestep"] for r in rows if abs(r["drift"]) < NVE_DRIFT and r["spread"] < limit]
        results.append({"hydrogen_mass": mass, "largest_step": max(stable, default=None), "rows": rows})
        print(
            f"hydrogen mass {mass or 'own'}: largest stable step {max(stable, default=None)} fs", flush=True
        )
        for row in rows:
            print("  {timestep:4.2f} fs: drift {drift:9.2e}, spread {spread:8.2e}".format(**row), flush=True)
    out = Path(__file__).parent / "results" / "largest_step.json"
    out.parent.mkdir(exist_ok=True)
    settings = {"units": options.units, "picoseconds": options.picoseconds, "polymer": "*CC(*)c1ccccc1"}
    out.write_text(json.dumps(settings | {"limit": NVE_DRIFT, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
