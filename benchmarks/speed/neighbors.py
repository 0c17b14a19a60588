"""Neighbour lists of several codes: (i, j, S, D, d) of periodic boxes at 5 Å, in one run.

    python benchmarks/speed/neighbors.py [SECONDS]

torch_cluster has no periodic boundaries and gives i, j alone: it and polymd get an open box and give i, j.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from common import save, show, worker

CUTOFF = 5.0
SIZES = (1000, 10_000, 100_000)


def periodic(n_atoms: int) -> dict[str, Callable[[], Any]]:
    """Codes that give all five quantities. ASE's takes seconds from 10,000 atoms on: at 1,000 only."""
    from polymd.benchmarking import box
    from polymd.neighbors import neighbor_list

    _, positions, cell = box(n_atoms)
    x = positions.astype(np.float32)
    calls: dict[str, Callable[[], Any]] = {"polymd": lambda: neighbor_list("ijSDd", x, cell, True, CUTOFF)}
    try:
        import vesin

        other = vesin.NeighborList(cutoff=CUTOFF, full_list=True)
        calls["vesin"] = lambda: other.compute(points=positions, box=cell, periodic=True, quantities="ijSDd")
    except ImportError:
        pass
    try:
        from matscipy.neighbours import neighbour_list

        pbc = np.ones(3, dtype=bool)
        calls["matscipy"] = lambda: neighbour_list(
            "ijSDd", positions=positions, cell=cell, pbc=pbc, cutoff=CUTOFF
        )
    except ImportError:
        pass
    if n_atoms <= 1000:
        from ase.neighborlist import primitive_neighbor_list

        calls["ASE"] = lambda: primitive_neighbor_list("ijSDd", [True] * 3, cell, positions, CUTOFF)
    return calls


def opened(n_atoms: int) -> dict[str, Callable[[], Any]]:
    """torch_cluster and polymd, i and j alone; empty where torch_cluster is not installed."""
    try:
        import torch
        from torch_cluster import radius_graph
    except ImportError:
        return {}
    from polymd.benchmarking import box
    from polymd.neighbors import neighbor_list

    x = box(n_atoms)[1].astype(np.float32)
    points, cell = torch.from_numpy(x), np.zeros((3, 3))
    return {
        "polymd": lambda: neighbor_list("ij", x, cell, False, CUTOFF),
        "torch_cluster": lambda: radius_graph(points, CUTOFF, max_num_neighbors=128),
    }


def measure(seconds: float, n_atoms: int) -> list[dict[str, Any]]:
    from polymd.benchmarking import compare

    rows = []
    for boundaries, calls in (("periodic", periodic(n_atoms)), ("open", opened(n_atoms))):
        times = compare(calls, seconds)
        rows += [
            {"code": name, "boundaries": boundaries, "atoms": n_atoms, "ms": 1e3 * t["median"],
             "least_ms": 1e3 * t["least"], "calls": t["calls"],
             "polymd_is_faster_by": t["median"] / times["polymd"]["median"]}
            for name, t in times.items()
        ]  # fmt: skip
    return rows


def main(seconds: str = "2") -> None:
    rows = []
    for threads in (1, os.cpu_count() or 1):
        for n_atoms in SIZES:
            found = worker(__file__, threads, "--worker", seconds, str(n_atoms))
            rows += [{"threads": threads} | row for row in found or []]
    show(rows)
    save("neighbors", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(float(sys.argv[2]), int(sys.argv[3]))))
    else:
        main(*sys.argv[1:])
