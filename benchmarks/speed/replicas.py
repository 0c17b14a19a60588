"""Langevin dynamics of 32 copies of one chain together, against one copy after the other. polymd alone.

python benchmarks/speed/replicas.py [ROUNDS]

One after the other is measured with each program that `polymd run` has for a single chain, on one copy, which
has all threads to itself. Every way takes its turn in each round; the median of the rounds counts. All start
from one chain that has come to 300 K in 0.1 ps.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from common import save, show, worker

REPLICAS, TEMPERATURE, TIMESTEP = 32, 300.0, 1.0
STEPS = {"together": 3, "OpenMM": 96, "ASE": 96}  # of each way in a round


def openmm_steps(polymer: Any, positions: Any) -> Callable[[int], None]:
    """Advance one chain in OpenMM on the engine and platform that `polymd run` chooses."""
    import openmm

    from polymd.integrators import openmm_integrator
    from polymd.potentials import python_force

    system = openmm.System()
    for mass in polymer.masses:
        system.addParticle(mass)
    system.addForce(python_force(polymer.to_openmm()))
    integrator = openmm_integrator("nvt", TEMPERATURE, TIMESTEP, 1)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(0.1 * positions)
    context.setVelocitiesToTemperature(TEMPERATURE, 1)
    return lambda steps: (context, integrator.step(steps))[1]


def ase_steps(polymer: Any, positions: Any) -> Callable[[int], None]:
    """Advance one chain in ASE."""
    from ase import units

    from polymd.integrators import ase_dynamics, maxwell_boltzmann
    from polymd.potentials import PolyGETCalculator

    atoms = polymer.to_ase(positions)
    atoms.calc = PolyGETCalculator()
    atoms.set_velocities(maxwell_boltzmann(atoms.get_masses(), TEMPERATURE, seed=1) / units.fs)
    return ase_dynamics(atoms, "nvt", TEMPERATURE, TIMESTEP, np.random.default_rng(1)).run


def replicas(polymer: Any, positions: Any, copies: int) -> Any:
    """Dynamics of copies of a chain."""
    from polymd.integrators import ReplicaLangevin
    from polymd.potentials import Replicas

    potential = Replicas([polymer.atomic_numbers] * copies)
    masses, starts = [polymer.masses] * copies, np.stack([positions] * copies)
    return ReplicaLangevin(potential, masses, starts, TEMPERATURE, TIMESTEP, range(copies))


def measure(rounds: int) -> list[dict[str, Any]]:
    """Polystyrene of six units."""
    from polymd import Polymer, generate_conformations

    polymer = Polymer("*CC(*)c1ccccc1", 6)
    warm = replicas(polymer, generate_conformations(polymer, 1, method="growth")[0], 1)
    warm.run(100)
    start = warm.positions[0]
    ways = {
        "together": replicas(polymer, start, REPLICAS).run,
        "OpenMM": openmm_steps(polymer, start),
        "ASE": ase_steps(polymer, start),
    }
    copies = {name: REPLICAS if name == "together" else 1 for name in ways}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for advance in ways.values():
        advance(3)
    for _ in range(rounds):
        for name, advance in ways.items():
            begin = time.perf_counter()
            advance(STEPS[name])
            times[name].append((time.perf_counter() - begin) / STEPS[name] / copies[name])
    together = np.median(times["together"])
    return [
        {
            "way": name if name == "together" else f"one after the other, {name}",
            "atoms": polymer.n_atoms,
            "us_a_step_and_copy": float(1e6 * np.median(taken)),
            "over_together": float(np.median(taken) / together),
        }
        for name, taken in times.items()
    ]


def main(rounds: str = "7") -> None:
    rows = []
    for threads in (1, 2):
        rows += [{"threads": threads} | row for row in worker(__file__, threads, "--worker", rounds) or []]
    show(rows)
    save("replicas", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main(*sys.argv[1:])
