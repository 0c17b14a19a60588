"""Poly(ethylene oxide) of 20 units in vacuum: radius of gyration by replica exchange and by plain dynamics.

python examples/replica_exchange.py

Both move as many copies of the chain as there are temperatures, in one batch, for as many steps: replica
exchange on a ladder from 300 to 600 K, plain Langevin dynamics with all copies at 300 K. The small model is
used, for sampling takes many steps.
"""

import mdtraj
import numpy as np
from ase.optimize import LBFGS

from polymd import Polymer, generate_conformations
from polymd.integrators import ReplicaExchange, ReplicaLangevin, repartition_hydrogen_mass
from polymd.observables import Estimate, mean_with_error, radius_of_gyration_series
from polymd.potentials import PolyGETCalculator, Replicas

COLD, HOT = 300.0, 600.0  # K
TIMESTEP, FRICTION = 1.5, 5.0  # fs, with hydrogens of 3 amu; 1/ps
EVERY = 50  # steps between exchanges, and between samples


def relaxed(polymer: Polymer, copies: int, model: str) -> np.ndarray:
    """Different conformations (copies, N, 3), their worst forces gone."""
    atoms, positions = polymer.to_ase(), generate_conformations(polymer, copies, seed=1)
    atoms.calc = PolyGETCalculator(model)
    for copy in range(copies):
        atoms.positions = positions[copy]
        LBFGS(atoms, logfile=None).run(fmax=0.5, steps=100)
        positions[copy] = atoms.positions
    return positions


def batch(polymer: Polymer, positions: np.ndarray, temperature: np.ndarray, model: str) -> ReplicaLangevin:
    """Langevin dynamics of all copies, each with a random stream of its own."""
    copies = len(positions)
    masses = repartition_hydrogen_mass(polymer.masses, polymer.atomic_numbers, polymer.bonds, 3.0)
    potential = Replicas([polymer.atomic_numbers] * copies, model)
    dynamics = ReplicaLangevin(
        potential, [masses] * copies, positions, temperature, TIMESTEP, range(copies), friction=FRICTION
    )
    dynamics.velocities *= np.sqrt(2.0)  # half of it becomes potential energy
    return dynamics


def sample(
    run: ReplicaLangevin | ReplicaExchange, polymer: Polymer, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Radii of gyration (Å) and kinetic temperatures (K), (samples, copies); a fifth of the steps settles."""
    topology, radii, kelvin = polymer.to_mdtraj(), [], []
    run.run(steps // 5)
    for _ in range(steps // EVERY * 4 // 5):
        run.run(EVERY)
        radii.append(radius_of_gyration_series(mdtraj.Trajectory(0.1 * run.positions, topology)))
        kelvin.append(run.kinetic_temperatures)
    return np.array(radii), np.array(kelvin)


def over_copies(series: np.ndarray, unit: str) -> Estimate:
    """Mean and standard error of copies that know nothing of each other."""
    means = series.mean(axis=0)
    return Estimate(float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means))), unit)


def main(
    units: int = 20, replicas: int = 8, steps: int = 16_000, model: str = "polyget-fast"
) -> dict[str, tuple[Estimate, Estimate]]:
    """Radius of gyration and kinetic temperature at 300 K by both."""
    polymer = Polymer("*CCO*", units)
    positions = relaxed(polymer, replicas, model)

    ladder = np.geomspace(COLD, HOT, replicas)
    exchange = ReplicaExchange(batch(polymer, positions, ladder, model), seed=1, interval=EVERY)
    radii, kelvin = sample(exchange, polymer, steps)
    results = {"replica exchange": (mean_with_error(radii[:, 0], "Å"), mean_with_error(kelvin[:, 0], "K"))}
    print("acceptance:", " ".join(f"{share:.2f}" for share in exchange.acceptance))

    plain = batch(polymer, positions, np.full(replicas, COLD), model)
    radii, kelvin = sample(plain, polymer, steps)
    results["plain dynamics"] = over_copies(radii, "Å"), over_copies(kelvin, "K")
    for name, (radius, temperature) in results.items():
        print(f"{name}: Rg {radius}, temperature {temperature}")
    return results


if __name__ == "__main__":
    main()
