"""Errors of tabulated radial filters, their slopes, and the engine's forces against the number of knots.

    python benchmarks/speed/table_error.py

Relative to float64: the norm of the difference over that of the exact values. Filters are those of the
shipped weights' last layer at 20,000 distances from 0.8 Å to the cutoff; forces those of a box of 360 atoms.
"""

import numpy as np
from common import save, show

from polymd.benchmarking import box
from polymd.potentials import registry
from polymd.potentials.backends import TorchBackend
from polymd.potentials.half_list import HalfList, pair_forces
from polymd.potentials.polyget.engine import Engine
from polymd.potentials.polyget.engine_weights import FILTER
from polymd.potentials.polyget.hermite import filter_knots

KNOTS = (32, 64, 128, 256, 512, 1024, 2048)
DISTANCES = 20_000


def exact(weights: list[np.ndarray], cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances, filters and slopes (D, F) at the knots of a table of the distances asked for."""
    fine = filter_knots(weights, cutoff, DISTANCES)
    d = np.linspace(0.0, cutoff, DISTANCES)
    return d, fine[:, 0].astype(float), fine[:, 1].astype(float) * (DISTANCES - 1) / cutoff


def interpolated(knots: np.ndarray, cutoff: float, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cubic Hermite values and slopes, as `hermite.py` reads them."""
    spacing = cutoff / (len(knots) - 1)
    k = np.minimum((d / spacing).astype(int), len(knots) - 2)
    t = (d / spacing - k)[:, None]
    a, b, c, e = knots[k, 0], knots[k, 1], knots[k + 1, 0], knots[k + 1, 1]
    value = (
        (1 + 2 * t) * (1 - t) ** 2 * a + t * (1 - t) ** 2 * b + t**2 * (3 - 2 * t) * c + t**2 * (t - 1) * e
    )
    slope = 6 * t * (t - 1) * (a - c) + (3 * t - 1) * (t - 1) * b + t * (3 * t - 2) * e
    return value, slope / spacing


def error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def main() -> None:
    weights, architecture, _ = registry._weights("polyget")
    cutoff = float(architecture["cutoff"])
    filters = [weights[f"layers.{architecture['layers'] - 1}.filters.{name}"] for name in FILTER]
    d, values, slopes = exact(filters, cutoff)
    far = d > 0.8
    numbers, positions, cell = box(360)
    pbc = np.ones(3, dtype=bool)
    reference = TorchBackend(numbers, "polyget").evaluate(positions, cell, pbc).forces
    pairs, vectors = HalfList(cutoff).update(positions, cell, pbc)
    rows = []
    for knots in KNOTS:
        found = interpolated(filter_knots(filters, cutoff, knots).astype(float), cutoff, d[far])
        gradient = Engine(weights, architecture, knots).compute(numbers, pairs, vectors).gradient
        rows.append(
            {
                "knots": knots,
                "filters": error(found[0], values[far]),
                "slopes": error(found[1], slopes[far]),
                "forces": error(pair_forces(len(numbers), pairs, gradient), reference),
            }
        )
    show(rows)
    save("table_error", rows)


if __name__ == "__main__":
    main()
