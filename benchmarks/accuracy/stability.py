"""Stability: 20 unseen polymers and rings, 60 to 359 atoms, 50 ps at 300 K and then 10 ps at 600 K.

    python -m benchmarks.accuracy.stability --processes 2        (--hot adds 10 ps at 1000 K)

Langevin middle dynamics, friction 1/ps, 2 fs with hydrogens of 4 amu (`chain` measures how well that
conserves energy). Samples every 20 fs. A molecule is stable when at every sample

- no bond is longer than 1.5 times its length in the minimised start, and no two atoms that are not bonded are
  closer than 1.15 times the sum of their covalent radii,
- and when, after 2 ps of each stage, the mean kinetic temperature of every window of 8 ps and of the whole
  stage is within 1 % and four standard errors of the thermostat's. The standard error is T sqrt(2/n_dof)
  sqrt(tau/window): half of the variance of the kinetic energy follows the total energy, which friction of
  1/ps relaxes in tau = 1 ps; the other half decays within vibrations.

Each molecule is checkpointed every 2 ps; the same command goes on, and starts anew with other weights.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.common import ROOT, check_allowed, write_result
from benchmarks.accuracy.md import BROKEN, Bonds, Dynamics, first_geometry, radius_of_gyration, repartitioned
from benchmarks.accuracy.methods import version
from polymd.datasets.sampling.exclusion import is_ring_of_six
from polymd.integrators import maxwell_boltzmann
from polymd.polymer import Polymer

MOLECULES = [
    ("*CC(C)(C(=O)OC(C)C)*", "linear", 17),
    ("*OCCCCCC(=O)*", "linear", 13),
    ("*CC(C1=CC=C(C=C1)C)*", "linear", 8),
    ("*OCC(C)*", "ring", 15),
    ("*CC([N]1C3=C(C2=CC=CC=C12)C=CC=C3)*", "linear", 3),
    ("*CC(C)(C(=O)OCCCl)*", "linear", 4),
    ("*OCCCCCC(=O)*", "ring", 4),
    ("*[Si](C)(CCC1=CC(Cl)=CC=C1)O*", "linear", 3),
    ("*OCCC*", "ring", 7),
    ("*C1=CC(C)=C(O*)C(C)=C1", "linear", 4),
    ("C(=O)(O*)C1=CC=CC(=C1)C(=O)OCC*", "linear", 3),
    ("*CC(C)(C(=O)OC1=CC=CC=C1)*", "linear", 3),
    ("*[Si](C)(CCC(F)(F)F)O*", "linear", 4),
    ("*OCCCC*", "ring", 5),
    ("*OCC*", "ring", 9),
    ("*CC(SC)*", "linear", 6),
    ("*CC=C(Cl)C*", "linear", 6),
    ("*C(=O)C(C)(C)CO*", "linear", 4),
    ("*OCCCC(=O)*", "ring", 5),
    ("*OC(=O)NCCCCC*", "ring", 3),
]
STAGES = [(300.0, 50.0), (600.0, 10.0)]  #: K, ps
HOT = (1000.0, 10.0)
TIMESTEP, EVERY, SETTLE, WINDOW, CHECKPOINT = 2.0, 10, 2.0, 8.0, 2.0  #: fs, steps, ps, ps, ps
RELAXATION, SIGMAS, BIAS = 1.0, 4.0, 0.01  #: ps, standard errors, of the temperature
SAMPLES_PS = round(1000.0 / (TIMESTEP * EVERY))
FOLDER = ROOT / "runs" / "stability"


class Trajectory:
    """One molecule on its way through the stages; its state is in a file of the folder."""

    def __init__(self, number: int, model: str, stages: list[tuple[float, float]], folder: Path) -> None:
        psmiles, kind, n_units = MOLECULES[number]
        self.name = {"psmiles": psmiles, "kind": kind, "n_units": n_units}
        self.polymer = Polymer(psmiles, n_units, ring=kind == "ring", seed=number)
        self.stages, self.version = stages, version(model)
        self._masses = repartitioned(self.polymer)
        self._dynamics = Dynamics(self.polymer, model, self._masses, "nvt", stages[0][0], TIMESTEP, number)
        self._file = folder / f"{number:02d}.npz"
        self.kelvin: list[float] = []
        self.rg: list[float] = []
        self.longest, self.new_bond, self.seconds = 1.0, False, 0.0
        if not self._load():
            relaxed = self._dynamics.minimise(first_geometry(self.polymer, number))
            self._start = relaxed
            velocities = maxwell_boltzmann(self._masses, 2.0 * stages[0][0], seed=number)
            self._dynamics.start(relaxed, velocities)
        self._bonds = Bonds(self.polymer, self._start)

    def run(self, until_ps: float | None = None) -> dict[str, Any]:
        """Go through the stages, or until so many ps or the first broken bond; the result so far."""
        total = round(sum(ps for _, ps in self.stages) * SAMPLES_PS)
        until = total if until_ps is None else min(total, round(until_ps * SAMPLES_PS))
        while len(self.kelvin) < until and not self.broken:
            self._dynamics.set_temperature(self._target(len(self.kelvin)))
            started = time.process_time()
            self.new_bond = not self._dynamics.step(EVERY)
            self.seconds += time.process_time() - started
            sample = self._dynamics.sample()
            self.kelvin.append(sample.temperature(3 * self.polymer.n_atoms))
            self.rg.append(radius_of_gyration(self._masses, sample.positions))
            self.longest = max(self.longest, self._bonds.longest(sample.positions))
            self.new_bond = self.new_bond or self._bonds.new(sample.positions)
            if len(self.kelvin) % round(CHECKPOINT * SAMPLES_PS) == 0:
                self._save()
        self._save()
        return self.result(len(self.kelvin) == total)

    @property
    def broken(self) -> bool:
        """Whether the molecule is another one than at the start, or numbers are none."""
        return self.longest > BROKEN or self.new_bond or not math.isfinite(self.longest)

    def _target(self, sample: int) -> float:
        for kelvin, ps in self.stages:
            if sample < round(ps * SAMPLES_PS):
                return kelvin
            sample -= round(ps * SAMPLES_PS)
        return self.stages[-1][0]

    def result(self, finished: bool) -> dict[str, Any]:
        """Numbers of one molecule, for JSON."""
        tested = windows(self.kelvin, self.stages, 3 * self.polymer.n_atoms)
        done = max(1, len(self.kelvin)) * EVERY
        return self.name | {
            "atoms": self.polymer.n_atoms,
            "version": self.version,
            "stages": self.stages,
            "ps": len(self.kelvin) / SAMPLES_PS,
            "finished": finished or self.broken,
            "broken": self.broken,
            "longest_bond": round(self.longest, 4),
            "windows": tested,
            "heated": any(abs(w["mean"] - w["target"]) > w["allowed"] for w in tested),
            "rg_mean": round(float(np.mean(self.rg)), 3) if self.rg else None,
            "microseconds_atom_step": round(1e6 * self.seconds / done / self.polymer.n_atoms, 2),
        }

    def _save(self) -> None:
        temporary = self._file.with_suffix(".tmp.npz")
        np.savez(
            temporary,
            version=self.version,
            state=np.frombuffer(self._dynamics.save(), np.uint8),
            start=self._start,
            kelvin=np.array(self.kelvin),
            rg=np.array(self.rg),
            worst=np.array([self.longest, float(self.new_bond), self.seconds]),
        )
        temporary.replace(self._file)

    def _load(self) -> bool:
        if not self._file.exists():
            return False
        with np.load(self._file, allow_pickle=False) as saved:
            if str(saved["version"]) != self.version:
                return False
            self._dynamics.restore(saved["state"].tobytes())
            self._start = saved["start"]
            self.kelvin, self.rg = saved["kelvin"].tolist(), saved["rg"].tolist()
            self.longest, self.seconds = float(saved["worst"][0]), float(saved["worst"][2])
            self.new_bond = bool(saved["worst"][1])
        return True


def windows(kelvin: list[float], stages: list[tuple[float, float]], dof: int) -> list[dict[str, float]]:
    """Mean kinetic temperature of every window and whole stage, with what it may be off by."""
    found, begin = [], 0
    length = round(WINDOW * SAMPLES_PS)
    for target, ps in stages:
        end = begin + round(ps * SAMPLES_PS)
        settled = begin + round(SETTLE * SAMPLES_PS)
        spans = [(first, first + length) for first in range(settled, end - length + 1, length)]
        for first, last in spans if len(spans) < 2 else [*spans, (settled, end)]:
            if last <= len(kelvin):
                mean, window = float(np.mean(kelvin[first:last])), (last - first) / SAMPLES_PS
                error = target * math.sqrt(2.0 / dof) * math.sqrt(RELAXATION / window)
                allowed = BIAS * target + SIGMAS * error
                found.append({"target": target, "mean": round(mean, 2), "allowed": round(allowed, 2)})
        begin = end
    return found


def work(job: tuple[int, str, list[tuple[float, float]], float | None]) -> dict[str, Any]:
    """Run one molecule; also the entry of worker processes."""
    number, model, stages, until = job
    result = Trajectory(number, model, stages, FOLDER).run(until)
    (FOLDER / f"{number:02d}.json").write_text(json.dumps(result))
    name = f"{result['psmiles']} {result['kind']} x {result['n_units']}, {result['atoms']} atoms"
    print(f"{name}: {result['ps']:g} ps, broken {result['broken']}, heated {result['heated']}", flush=True)
    return result


def collect(model: str, stages: list[tuple[float, float]]) -> dict[str, Any]:
    """What is known about these weights, written to results/stability.json."""
    found = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("[0-9]*.json"))]
    wanted = json.loads(json.dumps(stages))
    found = [r for r in found if r["version"] == version(model) and r["stages"] == wanted]
    content = {
        "version": version(model),
        "planned": len(MOLECULES),
        "finished": sum(r["finished"] for r in found),
        "stable": sum(r["finished"] and not r["broken"] and not r["heated"] for r in found),
        "timestep_fs": TIMESTEP,
        "molecules": found,
    }
    write_result("stability", content, level_of_theory=f"{model}, {version(model)}")
    return content


def main() -> None:
    parser = argparse.ArgumentParser(description="Stability of MD on unseen polymers.")
    parser.add_argument("--model", default="polyget")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--hot", action="store_true", help="10 ps at 1000 K at the end")
    parser.add_argument("--until", type=float, help="ps of each molecule, for a first look")
    parser.add_argument("--largest", type=int, help="leave out molecules of more atoms")
    options = parser.parse_args()
    stages = [*STAGES, HOT] if options.hot else STAGES
    check_allowed(psmiles for psmiles, _, _ in MOLECULES)
    assert not any(kind == "ring" and is_ring_of_six(psmiles, n) for psmiles, kind, n in MOLECULES)
    FOLDER.mkdir(parents=True, exist_ok=True)
    limit = options.largest or math.inf
    jobs = [
        (number, options.model, stages, options.until)
        for number, (psmiles, kind, n) in enumerate(MOLECULES)
        if Polymer(psmiles, n, ring=kind == "ring").n_atoms <= limit
    ]
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for _ in pool.imap_unordered(work, jobs):
            content = collect(options.model, stages)
    print(f"{content['stable']} stable of {content['finished']} finished, {content['planned']} planned")


if __name__ == "__main__":
    main()
