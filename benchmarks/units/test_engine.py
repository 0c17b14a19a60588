"""pytest benchmarks/units: the engine's parts, timed with pytest-benchmark."""

from typing import Any

import numpy as np
import pytest

from polymd.benchmarking import box, evaluation
from polymd.neighbors import VerletList, neighbor_list
from polymd.potentials.half_list import HalfList
from polymd.potentials.registry import load_engine

N = 1000
PBC = np.ones(3, dtype=bool)


def test_step(benchmark: Any) -> None:
    benchmark(evaluation(N))


def test_network(benchmark: Any) -> None:
    engine = load_engine("polyget")
    numbers, positions, cell = box(N)
    benchmark(engine.compute, numbers, *HalfList(engine.cutoff).update(positions, cell, PBC))


def test_half_list(benchmark: Any) -> None:
    _, positions, cell = box(N)
    half_list = HalfList(5.0)
    half_list.update(positions, cell, PBC)
    benchmark(half_list.update, positions, cell, PBC)


def test_rebuild_of_the_verlet_list(benchmark: Any) -> None:
    _, positions, cell = box(N)
    benchmark(lambda: VerletList(5.0, 1.0).update(positions, cell, PBC))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_neighbor_list(benchmark: Any, kind: Any) -> None:
    _, positions, cell = box(N)
    benchmark(neighbor_list, "ijSDd", positions.astype(kind), cell, True, 5.0)
