"""Multiple time stepping against single stepping: speed, energy conservation, structure.

    python benchmarks/speed/mts.py [INNER] [PICOSECONDS] [UNITS]       (polyget-fast, 5, 51)

PEO of 359 atoms at 300 K in OpenMM (CPU platform, one thread), all from one equilibrated frame; about half an
hour of one core, whose processor time is what counts. NVE: drift (slope of the total energy) and spread (its
standard deviation around that line), per atom. NVT, Langevin with 1/ps: kinetic temperature, mean potential
energy per atom above the first row's, standard deviation of C-H bond lengths, which is the first thing that
long steps spoil.
"""

import json
import sys
import time
from typing import Any

import numpy as np
from common import save, show, worker

MODEL, TEMPERATURE = "polyget", 300.0
SCHEMES = [(1.0, 1), (3.0, 3), (4.0, 4), (0.5, 1), (3.0, 2), (4.0, 3), (2.0, 2), (1.5, 1)]
# outer step in fs, inner steps


class Chain:
    """PEO and the frame that every run starts from."""

    def __init__(self, inner: str, units: int) -> None:
        from polymd import Polymer, generate_conformations

        self.inner = inner
        self.polymer = Polymer("*CCO*", units)
        numbers, bonds = self.polymer.atomic_numbers, self.polymer.bonds
        self.hydrogens = bonds[np.sort(numbers[bonds], axis=1)[:, 0] == 1]
        self.positions = 0.1 * generate_conformations(self.polymer, 1, method="growth")[0]
        self.velocities: Any = None

    def context(self, ensemble: Any, timestep: float, inner_steps: int) -> tuple[Any, Any]:
        """Context and integrator of a scheme."""
        import openmm

        from polymd.integrators import mts_integrator, openmm_integrator
        from polymd.potentials import mts_forces, python_force

        topology, system = self.polymer.to_openmm(), openmm.System()
        for mass in self.polymer.masses:
            system.addParticle(mass)
        if inner_steps == 1:
            forces: tuple[Any, ...] = (python_force(topology, MODEL),)
            integrator = openmm_integrator(ensemble, TEMPERATURE, timestep, 1)
        else:
            forces = mts_forces(topology, MODEL, self.inner)
            integrator = mts_integrator(ensemble, TEMPERATURE, timestep, inner_steps, 1)
        for force in forces:
            system.addForce(force)
        platform = openmm.Platform.getPlatformByName("CPU")
        made = openmm.Context(system, integrator, platform, {"Threads": "1"})
        made.setPositions(self.positions)
        if self.velocities is not None:
            made.setVelocities(self.velocities)
        return made, integrator

    def equilibrate(self, picoseconds: float) -> None:
        import openmm

        made, integrator = self.context("nvt", 0.5, 1)
        openmm.LocalEnergyMinimizer.minimize(made, maxIterations=200)
        made.setVelocitiesToTemperature(TEMPERATURE, 1)
        integrator.step(round(1e3 * picoseconds / 0.5))
        state = made.getState(positions=True, velocities=True)
        self.positions = state.getPositions(asNumpy=True)._value.copy()
        self.velocities = state.getVelocities(asNumpy=True)._value.copy()

    def samples(self, scheme: tuple[float, int], ensemble: str, picoseconds: float) -> tuple[Any, float]:
        """Potential and kinetic energy (kJ/mol) and C-H lengths (Å) every 12 fs, and seconds a step."""
        made, integrator = self.context(ensemble, *scheme)
        every, rows, seconds = round(12.0 / scheme[0]), [], 0.0
        integrator.step(every)
        for _ in range(round(1e3 * picoseconds / 12.0)):
            begin = time.process_time()
            integrator.step(every)
            seconds += time.process_time() - begin
            state = made.getState(energy=True, positions=True)
            x = 10.0 * state.getPositions(asNumpy=True)._value
            lengths = np.linalg.norm(x[self.hydrogens[:, 0]] - x[self.hydrogens[:, 1]], axis=1)
            energies = state.getPotentialEnergy()._value, state.getKineticEnergy()._value
            rows.append((*energies, lengths.std()))
        return np.array(rows), seconds / (len(rows) * every)


def measure(inner: str, picoseconds: float, units: int) -> list[dict[str, float]]:
    """All schemes, one after the other."""
    from polymd.integrators import degrees_of_freedom
    from polymd.units import EV_KJ_MOL, KB

    chain = Chain(inner, units)
    chain.equilibrate(min(2.0, picoseconds))
    n, rows, reference = chain.polymer.n_atoms, [], None
    freedom = degrees_of_freedom(n, "nvt", "langevin")
    for scheme in SCHEMES:
        nve, seconds = chain.samples(scheme, "nve", picoseconds)
        total, time_ps = nve[:, :2].sum(axis=1) / n, 0.012 * np.arange(len(nve))
        slope, start = np.polyfit(time_ps, total, 1)
        nvt, _ = chain.samples(scheme, "nvt", picoseconds)
        potential, kinetic, stretch = nvt[len(nvt) // 5 :].mean(axis=0)
        reference = potential / n if reference is None else reference
        row = {
            "outer_fs": scheme[0],
            "inner_fs": scheme[0] / scheme[1],
            "ns_day": 86.4e-3 * scheme[0] / seconds,
            "drift_kJ_mol_ps": slope,
            "spread_kJ_mol": float((total - start - slope * time_ps).std()),
            "T": 2.0 * kinetic / (freedom * KB * EV_KJ_MOL),
            "potential_kJ_mol": potential / n - reference,
            "CH_std_A": stretch,
        }
        rows.append(row)
    return rows


def main(inner: str = "polyget-fast", picoseconds: str = "5", units: str = "51") -> None:
    rows = worker(__file__, 1, "--worker", inner, picoseconds, units)
    if rows is not None:
        show(rows)
        save("mts", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))))
    else:
        main(*sys.argv[1:])
