"""Time against the number of atoms for one thread and two, and the engine's distance from the peaks.

    python benchmarks/speed/scaling.py [SECONDS]

The operations of a step are counted from the equations (a product and a sum are two): products of matrices
by their shapes, sums over neighbours by the terms of `pair_messages.py`. Bytes are those of the arrays over
atoms and pairs that each kernel must read or write, once: the least it could move. Peaks are measured in the
same run: a large matrix product, and a sum of two long arrays.
"""

import json
import sys
from typing import Any

import numpy as np
from common import save, show, worker

SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000, 30_000)
PEER_SIZES = (100, 200, 500, 1000, 2000)


def operations(n_atoms: int, n_pairs: int, c: int, layers: int) -> float:
    """Floating-point operations of one energy and gradient; n_pairs of a half list."""
    products = 2 * c * c * (4 + 1) + (layers - 1) * 2 * c * c * (5 + 9 + 3) + 2 * c * c * 9.75
    forward = 4 * 7 * c + 6 * c + 6 * c + 2 * c + 24 * c
    backward = 2 * 4 * 7 * c + 12 * c + 12 * c + 16 * c + 16 * c + 24 * c + 12 * c + 14 * c + 8 * c
    return float(n_atoms * 2 * products + n_pairs * layers * (forward + backward))


def traffic(n_atoms: int, n_pairs: int, c: int, layers: int) -> float:
    """Bytes: features of each layer written and read again on the way back, pairs read by every kernel."""
    tape = 1 + 5 + 3 + 3 + 3 + 9
    return float(4 * layers * (n_atoms * c * (2 * tape + 3 * (1 + 3) + 2 * 8) + n_pairs * (2 * 6 + 8)))


def peaks() -> dict[str, float]:
    """GFLOP/s of a float32 matrix product, GB/s of a + b on arrays beyond all caches."""
    from polymd.benchmarking import compare

    a = np.random.default_rng(0).random((3000, 3000), dtype=np.float32)
    out = np.empty_like(a)
    x, y, z = (np.ones(40_000_000, np.float32) for _ in range(3))
    times = compare({"product": lambda: np.matmul(a, a, out=out), "sum": lambda: np.add(x, y, out=z)}, 1.0)
    return {
        "GFLOP/s": 2 * len(a) ** 3 / times["product"]["least"] / 1e9,
        "GB/s": 3 * x.nbytes / times["sum"]["least"] / 1e9,
    }


def measure(seconds: float, code: str, n_atoms: int) -> dict[str, float]:
    from polymd.benchmarking import box, compare, evaluation

    if code == "peaks":
        return peaks()
    if code != "polymd":
        import peers

        call = peers.torchmdnet(n_atoms, "equivariant-transformer")
    else:
        call = evaluation(n_atoms)
    wall = compare({code: call}, seconds, most=50)[code]
    row = {"atoms": n_atoms, "ms": 1e3 * wall["median"], "us_per_atom": 1e6 * wall["median"] / n_atoms}
    if code == "polymd":
        from polymd.neighbors import neighbor_list
        from polymd.potentials.registry import load_engine

        engine = load_engine("polyget")
        _, positions, cell = box(n_atoms)
        n_pairs = len(neighbor_list("i", positions, cell, True, engine.cutoff)) // 2
        sizes = (n_atoms, n_pairs, engine.channels, engine.n_layers)
        row |= {
            "half_pairs": n_pairs,
            "GFLOP/s": operations(*sizes) / wall["median"] / 1e9,
            "GB/s": traffic(*sizes) / wall["median"] / 1e9,
        }
    return row


def main(seconds: str = "2") -> None:
    results: dict[str, Any] = {"polymd": [], "torchmd-net ET": [], "peaks": []}
    for threads in (1, 2):
        for code, sizes in (("peaks", [0]), ("polymd", SIZES), ("torchmd-net ET", PEER_SIZES)):
            found = worker(__file__, threads, "--worker", seconds, code, *map(str, sizes))
            results[code] += [{"threads": threads} | row for row in found or []]
    for rows in results.values():
        if rows:
            show(rows)
    save("scaling", results)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps([measure(float(sys.argv[2]), sys.argv[3], int(n)) for n in sys.argv[4:]]))
    else:
        main(*sys.argv[1:])
