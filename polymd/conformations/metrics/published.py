"""Generated chains against the references of the published PolyBench: what can be had from heavy atoms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.metrics.baselines import generate
from polymd.conformations.metrics.distributions import neighbor_torsion_divergence, torsion_divergence
from polymd.conformations.metrics.evaluation import matches

if TYPE_CHECKING:
    from polymd.datasets.polybench.published import PublishedPolymer

__all__ = ["evaluate_published"]

Row = dict[str, Any]


def evaluate_published(
    polymers: Iterable[PublishedPolymer],
    methods: Sequence[str],
    *,
    n: int = 10,
    limit: float | None = None,
    seed: int = 0,
    watch: Callable[[str], None] = lambda _: None,
) -> dict[str, list[Row]]:
    """Rows a polymer of every method, and of "md": each reference against the others.

    S-MAT and E-MAT are against all references, as published; clashes are those of chains with hydrogens.
    For `methods` and `limit` see `baselines.generate`; "oracle" has no library here and fails.
    """
    rows: dict[str, list[Row]] = {"md": [], **{method: [] for method in methods}}
    for item in polymers:
        polymer, targets = item.polymer, item.positions
        label: Row = {"psmiles": polymer.psmiles, "number": item.number, "n_atoms": polymer.n_atoms}
        if len(targets) > 1:
            rows["md"].append(label | _md(item))
        for method in methods:
            watch(f"{item.number} {polymer.psmiles}: {method}")
            begin = time.process_time()
            try:
                made = generate(polymer, method, n, seed=seed, limit=limit)
            except ConformationError as error:
                rows[method].append(label | {"failure": str(error)})
                continue
            seconds = (time.process_time() - begin) / n
            rows[method].append(
                label
                | matches(polymer, made, targets)
                | {
                    "clash_free": float(np.mean([clash_count(polymer, x) == 0 for x in made])),
                    "torsion_divergence": torsion_divergence(polymer, made, targets),
                    "neighbor_torsion_divergence": neighbor_torsion_divergence(polymer, made, targets),
                    "made": len(made) / n,
                    "seconds": seconds,
                }
            )
    return rows


def _md(item: PublishedPolymer) -> dict[str, float]:
    """Each reference against the others: the mean over references."""
    found = [
        matches(item.polymer, np.delete(item.positions, k, axis=0), item.positions[k][None])
        for k in range(len(item.positions))
    ]
    return {key: float(np.mean([values[key] for values in found])) for key in found[0]}
