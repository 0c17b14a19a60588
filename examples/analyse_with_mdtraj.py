"""Run a short trajectory with polymd and analyse it with mdtraj and polymd.observables.

python examples/analyse_with_mdtraj.py
"""

from pathlib import Path

import mdtraj
import numpy as np

from polymd import Polymer, observables, simulate
from polymd.simulation import Config


def main(units: int = 10, time: str = "1ps") -> dict[str, observables.Estimate]:
    polymer = Polymer("*CCO*", units, seed=1)
    config = Config(psmiles="*CCO*", units=units, time=time, seed=1, out=Path("runs/peo"))
    run = simulate(config)

    trajectory = run.trajectory[1:]  # an mdtraj.Trajectory; the first frame is the minimised chain at rest
    results = {
        "Rg": observables.radius_of_gyration(trajectory),
        "Ree": observables.end_to_end_distance(trajectory, polymer.backbone),
        "C_n": observables.characteristic_ratio(trajectory, polymer.backbone),
    }
    for name, estimate in results.items():
        print(f"{name:4s} {estimate}")

    # anything that mdtraj does works as well: here the C-C-O-C torsions that are gauche
    torsions = np.lib.stride_tricks.sliding_window_view(polymer.backbone, 4)
    angles = mdtraj.compute_dihedrals(trajectory, torsions)
    print(f"gauche {np.mean(np.abs(np.degrees(angles)) < 120):.0%} of {angles.size} backbone torsions")
    return results


if __name__ == "__main__":
    main()
