"""DFT labels of the geometries in reference/dft_geometries.extxyz, cheapest first, until all 30 are done.

    python -m benchmarks.accuracy.dft --minutes 45

Each frame is appended to reference/dft_frames.extxyz as soon as it is done, with its CPU time; the same
command goes on with the next. Single-threaded with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import os
import time

from benchmarks.accuracy.common import FOLDER, frame, processor
from benchmarks.accuracy.dft_geometries import FILE as GEOMETRIES

FILE = FOLDER / "reference" / "dft_frames.extxyz"
TEACHER = "dft-tzvp"


def labelled() -> list[str]:
    """Ids of the frames that have labels."""
    from ase.io import read

    return [str(a.info["id"]) for a in read(FILE, index=":")] if FILE.exists() else []


def main() -> None:
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import read, write

    from polymd.datasets.teachers import load_teacher

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of CPU; no frame starts after")
    minutes = parser.parse_args().minutes
    teacher = load_teacher(TEACHER)
    begin = time.process_time()
    for atoms in read(GEOMETRIES, index=":"):
        if atoms.info["id"] in labelled():
            continue
        if time.process_time() - begin > 60.0 * minutes:
            break
        cpu, wall = time.process_time(), time.perf_counter()
        labels = teacher.label([(atoms.numbers, atoms.positions)])[0]
        done = frame(
            atoms.numbers,
            atoms.positions,
            **atoms.info,
            level=teacher.level_of_theory,
            cpu_seconds=round(time.process_time() - cpu, 1),
            wall_seconds=round(time.perf_counter() - wall, 1),
            threads=int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
            machine=processor(),
        )
        done.calc = SinglePointCalculator(done, energy=labels.energy, forces=labels.forces)
        write(FILE, done, format="extxyz", append=True)
        print(f"{atoms.info['id']}: {len(atoms)} atoms, {done.info['cpu_seconds']} CPU s", flush=True)


if __name__ == "__main__":
    main()
