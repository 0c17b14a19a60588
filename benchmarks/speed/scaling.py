"""Time against the number of atoms for one thread and two, and the engine's distance from the peaks.

    python benchmarks/speed/scaling.py [SECONDS]

The engine takes turns over all sizes and both numbers of threads: a machine that slows down slows all.
The operations of a step are counted from the equations (a product and a sum are two): products of matrices
by their shapes, sums over neighbours by the terms of `pair_messages.py`. Bytes are those of the arrays over
atoms and pairs that each kernel must read or write, once: the least it could move. Peaks are measured in the
same run: a large matrix product, and a sum of two long arrays.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from common import save, show, worker

THREADS = (1, 2)
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


def engine_call(n_atoms: int, count: int) -> Callable[[], Any]:
    """An evaluation by the engine with so many threads, with arrays of its own."""
    from polymd.benchmarking import evaluation, threads

    call = evaluation(n_atoms)

    def evaluate() -> Any:
        with threads(count):
            return call()

    return evaluate


def ours(seconds: float) -> list[dict[str, Any]]:
    from polymd.benchmarking import box, compare
    from polymd.neighbors import neighbor_list
    from polymd.potentials.registry import load_engine

    calls = {f"{count} {n}": engine_call(n, count) for count in THREADS for n in SIZES}
    engine, rows = load_engine("polyget"), []
    for name, wall in compare(calls, seconds, most=50).items():
        count, n_atoms = map(int, name.split())
        _, positions, cell = box(n_atoms)
        n_pairs = len(neighbor_list("i", positions, cell, True, engine.cutoff)) // 2
        sizes = (n_atoms, n_pairs, engine.channels, engine.n_layers)
        rows.append({
            "threads": count, "atoms": n_atoms, "ms": 1e3 * wall["median"],
            "us_per_atom": 1e6 * wall["median"] / n_atoms, "half_pairs": n_pairs,
            "GFLOP/s": operations(*sizes) / wall["median"] / 1e9,
            "GB/s": traffic(*sizes) / wall["median"] / 1e9,
        })  # fmt: skip
    return rows


def theirs(seconds: float) -> list[dict[str, Any]]:
    import peers

    from polymd.benchmarking import compare

    calls = {str(n): peers.torchmdnet(n, "equivariant-transformer") for n in PEER_SIZES}
    return [
        {"atoms": int(n), "ms": 1e3 * wall["median"], "us_per_atom": 1e6 * wall["median"] / int(n)}
        for n, wall in compare(calls, seconds, most=50).items()
    ]


def main(seconds: str = "2") -> None:
    results: dict[str, Any] = {"torchmd-net ET": [], "peaks": []}
    results["polymd"] = worker(__file__, max(THREADS), "--worker", seconds, "ours") or []
    for count in THREADS:
        for code, what in (("peaks", "peaks"), ("torchmd-net ET", "theirs")):
            found = worker(__file__, count, "--worker", seconds, what)
            results[code] += [{"threads": count} | row for row in found or []]
    for rows in results.values():
        if rows:
            show(rows)
    save("scaling", results)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        what = {"ours": ours, "theirs": theirs, "peaks": lambda _: [peaks()]}[sys.argv[3]]
        print(json.dumps(what(float(sys.argv[2]))))
    else:
        main(*sys.argv[1:])
