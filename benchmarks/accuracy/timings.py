"""Wall-clock seconds of a step of dynamics at 44, 149 and 359 atoms, on one thread, all costs in.

    python -m benchmarks.accuracy.timings        (on a machine that does nothing else)

Chains of poly(ethylene oxide) move by ASE's velocity Verlet at 1 fs and 300 K, so that neighbour lists,
starts of the self-consistent field from the last step and Python are all in. AIMNet2 gets the allocator
settings with which it is fastest. A step of DFT is an energy and gradient of `dft`, measured there at 20 to
28 atoms.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.accuracy.common import MODELS, read_result, write_result
from benchmarks.accuracy.methods import ours, version

UNITS = (6, 21, 51)
PSMILES = "*OCC*"
PEERS = ("aimnet2-single", "aimnet2", "gfn2")
SECONDS, WARM = 10.0, 10  #: time for each, steps before it
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def calculator(method: str) -> Any:
    """The ASE calculator that a user would take."""
    if method in ours():
        from polymd.potentials import PolyGETCalculator

        return PolyGETCalculator(method)
    if method == "gfn2":
        from tblite.ase import TBLite

        return TBLite(method="GFN2-xTB", verbosity=0)
    from benchmarks.accuracy.teacher_calculator import TeacherCalculator
    from polymd.datasets.teachers import load_teacher

    return TeacherCalculator(load_teacher(method, MODELS))


def seconds_a_step(method: str, n_units: int) -> tuple[int, float]:
    """Atoms and median seconds of a step."""
    from ase import units
    from ase.md.verlet import VelocityVerlet

    from benchmarks.accuracy.md import first_geometry
    from polymd.integrators import maxwell_boltzmann
    from polymd.polymer import Polymer

    polymer = Polymer(PSMILES, n_units, seed=0)
    atoms = polymer.to_ase(first_geometry(polymer, 0))
    atoms.calc = calculator(method)
    atoms.set_velocities(maxwell_boltzmann(polymer.masses, 300.0, seed=0) / units.fs)
    dynamics = VelocityVerlet(atoms, timestep=1.0 * units.fs)
    dynamics.run(WARM)
    spent: list[float] = []
    while sum(spent) < SECONDS or len(spent) < 3:
        started = time.perf_counter()
        dynamics.run(1)
        spent.append(time.perf_counter() - started)
    return len(atoms), float(np.median(spent))


def main() -> None:
    if len(sys.argv) == 3:
        print(*seconds_a_step(sys.argv[1], int(sys.argv[2])))
        return
    old = (read_result("timings") or {}).get("methods", {})
    methods: dict[str, Any] = {}
    for method in (*ours(), *PEERS):
        if old.get(method, {}).get("version") == version(method):
            methods[method] = old[method]
            continue
        steps = {}
        for n_units in UNITS:
            environment = os.environ | MALLOC | dict.fromkeys(THREADS, "1")
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "benchmarks.accuracy.timings",
                method,
                str(n_units),
            ]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            atoms, seconds = done.stdout.split()[-2:]
            steps[atoms] = float(seconds)
        load = os.getloadavg()[0]
        methods[method] = {"version": version(method), "seconds": steps, "load_after": round(load, 2)}
        print(method, steps, f"load {load:.1f}", flush=True)
        write_result("timings", {"methods": old | methods}, level_of_theory="wall-clock times, one thread")


if __name__ == "__main__":
    main()
