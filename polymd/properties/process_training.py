"""Training of the Gaussian processes that are shipped, or of a user's own: fit, calibrate, say how good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.datasets.properties import N_FOLDS
from polymd.properties.blending import ProcessFolds, held_out_errors
from polymd.properties.estimates import calibration
from polymd.properties.features import Features
from polymd.properties.fingerprints import fingerprint
from polymd.properties.gaussian_process import Kernels, factorise, fit, solve
from polymd.properties.process_model import Process, ProcessModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["train_processes"]

_LEAST_QUANTILE = 0.05  # so many of the training polymers are less alike to all others than the domain asks


def train_processes(
    tables: Mapping[str, TrainingTable], tell: Callable[[str], None] = lambda _: None
) -> tuple[ProcessModel, dict[str, ProcessFolds]]:
    """A process for each table, with its errors and calibration from five folds, and what those folds said.

    `tell` hears the name of every table that is begun.
    """
    polymers = list(dict.fromkeys(p for table in tables.values() for p in table.psmiles))
    place = {psmiles: i for i, psmiles in enumerate(polymers)}
    fingerprints = [fingerprint(psmiles) for psmiles in polymers]
    features = Features.of(fingerprints)
    processes, held_out = {}, {}
    for name, table in tables.items():
        tell(name)
        rows = np.array([place[psmiles] for psmiles in table.psmiles], dtype=np.int64)
        processes[name], held_out[name] = _train(features, rows, table)
        elements = frozenset().union(*(fingerprints[row].elements for row in rows))
        processes[name].card["elements"] = sorted(elements)
    return ProcessModel(features, processes), held_out


def _train(features: Features, rows: NDArray[np.int64], table: TrainingTable) -> tuple[Process, ProcessFolds]:
    """The process of one table, and what those of its folds said."""
    kernels = Kernels.between(features.rows(rows))
    held_out = _held_out(kernels, table)
    every = np.arange(len(rows))
    fitted = fit(kernels, every, table.targets)
    factor = factorise(fitted.logarithms, fitted.covariance(every))
    card: dict[str, Any] = table.about() | {
        "mean": fitted.mean,
        "scale": fitted.scale,
        "calibration": calibration(held_out.predicted - table.targets, held_out.deviations),
        "least_similarity": _least_similarity(kernels.intensive),
        "errors": held_out_errors(table, held_out.predicted, held_out.deviations),
    }
    coefficients = solve(factor, fitted.targets)
    return Process(rows, fitted.scaling, fitted.logarithms, coefficients, card), held_out


def _held_out(kernels: Kernels, table: TrainingTable) -> ProcessFolds:
    """Every row predicted by a process that was fitted to the other folds."""
    targets = table.targets
    predicted, deviations = np.empty_like(targets), np.empty_like(targets)
    validated = np.full((N_FOLDS, len(targets)), np.nan)
    for held_out in range(N_FOLDS):
        train, test = np.flatnonzero(table.fold != held_out), np.flatnonzero(table.fold == held_out)
        fitted = fit(kernels, train, targets[train])
        predicted[test], deviations[test] = fitted.predict(test)
        validated[held_out, train] = fitted.left_out()
    return ProcessFolds(predicted, deviations, validated)


def _least_similarity(intensive: Floats) -> float:
    """Similarity to its nearest neighbour that all but a few training polymers reach."""
    others = intensive - 2.0 * np.eye(len(intensive))
    return float(np.quantile(others.max(axis=1), _LEAST_QUANTILE))
