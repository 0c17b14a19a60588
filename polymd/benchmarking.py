"""Timing of neighbour lists and potentials: systems of any size, fair timing, and what machine it was.

Only polymd itself is measured here; comparisons with other codes are the scripts of `benchmarks/speed/`.
"""

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DENSITY = 0.095
"""Atoms per Å³, about that of polyethylene."""

Row = dict[str, float]


def box(n_atoms: int, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Numbers (N,), positions (N, 3) and cell (3, 3) in Å of a periodic cube: carbon and hydrogen as 1 to 2
    at the density of a polymer, on a lattice with every atom moved by up to 0.3 Å along each axis.
    """
    if n_atoms < 1:
        raise ValueError(f"a box of {n_atoms} atoms; give 1 or more")
    rng = np.random.default_rng(seed)
    side = (n_atoms / DENSITY) ** (1 / 3)
    k = int(np.ceil(n_atoms ** (1 / 3) - 1e-9))
    sites = np.indices((k, k, k)).reshape(3, -1).T[np.sort(rng.permutation(k**3)[:n_atoms])]
    positions = (sites + 0.5) * (side / k) + rng.uniform(-0.3, 0.3, (n_atoms, 3))
    return np.where(np.arange(n_atoms) % 3 == 0, 6, 1), positions, np.eye(3) * side


def compare(calls: dict[str, Callable[[], Any]], seconds: float, most: int = 200) -> dict[str, Row]:
    """Time functions of no arguments in turn, so that a machine that slows down slows all of them.

    Each is called once before, then until all have had `seconds` (at least 3 times, at most `most`). Gives
    for each name the median and the least wall time in s and the number of calls: `median`, `least`, `calls`.
    """
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    unfinished = list(calls)
    while unfinished:
        for name in unfinished:
            start = time.perf_counter()
            calls[name]()
            times[name].append(time.perf_counter() - start)
        unfinished = [
            n for n in unfinished if len(times[n]) < 3 or (sum(times[n]) < seconds and len(times[n]) < most)
        ]
    return {
        name: {"median": float(np.median(t)), "least": min(t), "calls": len(t)} for name, t in times.items()
    }


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let polymd's kernels use this many threads meanwhile. Raises ValueError for less than one."""
    import numba

    config: Any = numba.config
    if count < 1:
        raise ValueError(f"{count} threads; give 1 or more")
    before = config.NUMBA_NUM_THREADS
    config.NUMBA_NUM_THREADS = count
    try:
        yield
    finally:
        config.NUMBA_NUM_THREADS = before


def benchmark_neighbors(
    atoms: Sequence[int] = (1000, 10_000, 100_000), cutoff: float = 5.0, seconds: float = 1.0
) -> list[Row]:
    """Full lists (i, j, S, D, d; float32) of periodic boxes: `atoms`, `pairs`, `ms`, `ns_per_pair`."""
    from polymd.neighbors import neighbor_list

    rows = []
    for n in atoms:
        _, positions, cell = box(n)
        x = positions.astype(np.float32)

        def build(x: Any = x, cell: Any = cell) -> Any:
            return neighbor_list("ijSDd", x, cell, True, cutoff)

        wall = compare({"list": build}, seconds)["list"]["median"]
        pairs = len(build()[0])
        rows.append({"atoms": n, "pairs": pairs, "ms": 1e3 * wall, "ns_per_pair": 1e9 * wall / pairs})
    return rows


def evaluation(n_atoms: int, model: str = "polyget") -> Callable[[], Any]:
    """A function that evaluates a potential on the next of four boxes, which differ by 0.02 Å an atom: as in
    dynamics, the neighbour list mostly serves again. Gives energies, forces and virial.
    """
    from polymd.potentials.backends import NumbaBackend

    numbers, positions, cell = box(n_atoms)
    rng = np.random.default_rng(1)
    frames = [positions + rng.normal(scale=0.02, size=positions.shape) for _ in range(4)]
    backend, pbc, state = NumbaBackend(numbers, model), np.ones(3, dtype=bool), [0]

    def evaluate() -> Any:
        state[0] += 1
        return backend.evaluate(frames[state[0] % 4], cell, pbc)

    return evaluate


def benchmark_potential(
    model: str = "polyget", atoms: Sequence[int] = (100, 1000, 10_000), seconds: float = 1.0
) -> list[Row]:
    """Energies, forces and virial of periodic boxes: `atoms`, `ms`, `us_per_atom` and `ns_per_day` at steps
    of 1 fs.
    """
    rows = []
    for n in atoms:
        wall = compare({"step": evaluation(n, model)}, seconds)["step"]["median"]
        rows.append(
            {"atoms": n, "ms": 1e3 * wall, "us_per_atom": 1e6 * wall / n, "ns_per_day": 0.0864 / wall}
        )
    return rows


def machine() -> dict[str, Any]:
    """Processor, cores, system, versions and date, to be kept with every result."""
    import os

    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].partition(":")[2].strip() if lines else name
    return {
        "processor": name,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in ("polymd", "numpy", "numba", "scipy")},
        "date": datetime.now(UTC).date().isoformat(),
    }
