"""One chain of 359 atoms: 100 ps of constant energy at 300 K, its drift, temperature and radius of gyration.

    python -m benchmarks.accuracy.chain

5 ps of Langevin dynamics at 300 K first, then velocity Verlet at 1 fs with true masses, and after that 20 ps
at 2 fs with hydrogens of 4 amu, the step of `stability`. Drift is the slope of the total energy by least
squares. It is checkpointed every ps; the same command goes on, and starts anew with other weights.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from benchmarks.accuracy.common import ROOT, write_result
from benchmarks.accuracy.md import Dynamics, first_geometry, radius_of_gyration, repartitioned
from benchmarks.accuracy.methods import version
from benchmarks.accuracy.stability import MOLECULES
from polymd.integrators import degrees_of_freedom, maxwell_boltzmann
from polymd.observables import mean_with_error
from polymd.polymer import Polymer
from polymd.units import EV_KJ_MOL

KELVIN, SETTLE, HEAVY_PS = 300.0, 5.0, 20.0
FOLDER = ROOT / "runs" / "chain"
EVERY = 20.0  #: fs between samples
FIRST = 20.0  #: ps whose drift is given too


class Stage:
    """One part of the run; its samples and checkpoint are in a file, so that it goes on where it stopped."""

    def __init__(self, name: str, dynamics: Dynamics, masses: Any, timestep: float, weights: str) -> None:
        self._file = FOLDER / f"{name}.npz"
        self._dynamics, self._masses, self._weights = dynamics, masses, weights
        self._steps = round(EVERY / timestep)
        self.rows: list[tuple[float, float, float]] = []  # potential, kinetic (eV), Rg (Å)
        self.seconds = 0.0

    def load(self) -> bool:
        """Whether there was a checkpoint of these weights."""
        if not self._file.exists():
            return False
        with np.load(self._file, allow_pickle=False) as saved:
            if str(saved["weights"]) != self._weights:
                return False
            self._dynamics.restore(saved["state"].tobytes())
            self.rows = [tuple(row) for row in saved["rows"].tolist()]
            self.seconds = float(saved["seconds"])
        return True

    def run(self, ps: float) -> None:
        """To so many ps in all."""
        while len(self.rows) < round(ps * 1000.0 / EVERY):
            started = time.process_time()
            self._dynamics.step(self._steps)
            self.seconds += time.process_time() - started
            sample = self._dynamics.sample()
            rg = radius_of_gyration(self._masses, sample.positions)
            self.rows.append((sample.potential, sample.kinetic, rg))
            if len(self.rows) % round(1000.0 / EVERY) == 0:
                self._save()
        self._save()

    def _save(self) -> None:
        temporary = self._file.with_suffix(".tmp.npz")
        np.savez(
            temporary,
            weights=self._weights,
            state=np.frombuffer(self._dynamics.save(), np.uint8),
            rows=np.array(self.rows).reshape(-1, 3),
            seconds=self.seconds,
        )
        temporary.replace(self._file)


def drift(rows: list[tuple[float, float, float]], atoms: int) -> dict[str, float]:
    """Slope of the total energy in kJ/mol/ps/atom, and the spread about the line in kJ/mol/atom."""
    energy = np.array([potential + kinetic for potential, kinetic, _ in rows]) * EV_KJ_MOL / atoms
    ps = np.arange(len(energy)) * EVERY / 1000.0
    slope, offset = np.polyfit(ps, energy, 1)
    return {"slope": float(slope), "spread": float((energy - slope * ps - offset).std())}


def main() -> None:
    parser = argparse.ArgumentParser(description="One long run of a chain of 359 atoms.")
    parser.add_argument("--model", default="polyget")
    parser.add_argument("--ps", type=float, default=100.0, help="of constant energy at 1 fs")
    parser.add_argument("--heavy-ps", type=float, default=HEAVY_PS, help="at 2 fs, hydrogens of 4 amu")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    psmiles, _, n_units = MOLECULES[0]
    polymer, weights = Polymer(psmiles, n_units), version(options.model)

    def stage(name: str, masses: Any, ensemble: Any, timestep: float) -> tuple[Stage, Dynamics]:
        dynamics = Dynamics(polymer, options.model, masses, ensemble, KELVIN, timestep, seed=0)
        return Stage(name, dynamics, masses, timestep, weights), dynamics

    true, heavy = polymer.masses, repartitioned(polymer)
    settling, thermostat = stage("settling", true, "nvt", 1.0)
    if not settling.load():
        relaxed = thermostat.minimise(first_geometry(polymer, 0))
        thermostat.start(relaxed, maxwell_boltzmann(true, 2.0 * KELVIN, seed=0))
    settling.run(min(SETTLE, options.ps))
    positions = thermostat.sample().positions
    dof = degrees_of_freedom(polymer.n_atoms, "nve")
    content: dict[str, Any] = {"psmiles": psmiles, "n_units": n_units, "atoms": polymer.n_atoms}
    for name, masses, timestep, ps in (
        ("nve", true, 1.0, options.ps),
        ("heavy", heavy, 2.0, options.heavy_ps),
    ):
        part, dynamics = stage(name, masses, "nve", timestep)
        if not part.load():
            dynamics.start(positions, maxwell_boltzmann(masses, KELVIN, seed=1))
        part.run(ps)
        kelvin = [kinetic / (settled_kinetic(dof)) for _, kinetic, _ in part.rows]
        content[name] = {
            "ps": len(part.rows) * EVERY / 1000.0,
            "timestep_fs": timestep,
            "drift": drift(part.rows, polymer.n_atoms),
            "drift_first": drift(part.rows[: round(FIRST * 1000.0 / EVERY)], polymer.n_atoms),
            "temperature": mean_with_error(kelvin, "K").as_dict(),
            "rg": mean_with_error([rg for *_, rg in part.rows], "Å").as_dict(),
            "kelvin": [round(x, 2) for x in kelvin[::10]],
            "rg_series": [round(rg, 4) for *_, rg in part.rows[::10]],
            "energy_series": [round(potential + kinetic, 5) for potential, kinetic, _ in part.rows[::10]],
            "microseconds_atom_step": 1e6
            * part.seconds
            / (len(part.rows) * EVERY / timestep)
            / polymer.n_atoms,
        }
        write_result("chain", content | {"version": weights}, level_of_theory=f"{options.model}, {weights}")


def settled_kinetic(dof: int) -> float:
    """Kinetic energy (eV) of one K."""
    from polymd.units import KB

    return 0.5 * dof * KB


if __name__ == "__main__":
    main()
