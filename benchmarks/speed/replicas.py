"""Copies of one chain in one call of the engine: time for one step of one copy. polymd alone.

python benchmarks/speed/replicas.py [SECONDS]
"""

import json
import sys

import numpy as np
from common import save, show, worker

COPIES = (1, 4, 16, 64)


def measure(seconds: float) -> list[dict[str, float]]:
    """Polystyrene of six units, all sizes in turn."""
    from polymd import Polymer, generate_conformations
    from polymd.benchmarking import compare
    from polymd.potentials.replicas import Replicas

    polymer = Polymer("*CC(*)c1ccccc1", 6)
    chain = generate_conformations(polymer, 1, method="growth")[0]
    rng, calls = np.random.default_rng(0), {}
    for copies in COPIES:
        replicas = Replicas([polymer.atomic_numbers] * copies)
        positions = np.stack([chain + rng.normal(scale=0.02, size=chain.shape) for _ in range(copies)])
        calls[str(copies)] = lambda replicas=replicas, positions=positions: replicas.evaluate(positions)
    times = compare(calls, seconds)
    return [
        {"copies": int(k), "atoms": len(chain), "us_a_copy": 1e6 * t["median"] / int(k)}
        for k, t in times.items()
    ]


def main(seconds: str = "2") -> None:
    rows = []
    for threads in (1, 2):
        rows += [{"threads": threads} | row for row in worker(__file__, threads, "--worker", seconds) or []]
    show(rows)
    save("replicas", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(float(sys.argv[2]))))
    else:
        main(*sys.argv[1:])
