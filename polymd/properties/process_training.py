"""Training of the Gaussian processes that are shipped, or of a user's own: fit, calibrate, say how good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.estimates import calibration, coverage
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
) -> ProcessModel:
    """Fit a process to each table, with its errors and calibration from five folds.

    `tell` hears the name of every table that is begun.
    """
    polymers = list(dict.fromkeys(p for table in tables.values() for p in table.psmiles))
    place = {psmiles: i for i, psmiles in enumerate(polymers)}
    fingerprints = [fingerprint(psmiles) for psmiles in polymers]
    features = Features.of(fingerprints)
    processes = {}
    for name, table in tables.items():
        tell(name)
        rows = np.array([place[psmiles] for psmiles in table.psmiles], dtype=np.int64)
        elements = sorted(set().union(*(fingerprints[row].elements for row in rows)))
        processes[name] = _train(features, rows, table, [int(z) for z in elements])
    return ProcessModel(features, processes)


def _train(features: Features, rows: NDArray[np.int64], table: TrainingTable, elements: list[int]) -> Process:
    """The process of one table."""
    kernels = Kernels.between(features.rows(rows))
    targets = table.targets
    predicted, deviations = _held_out(kernels, targets, table.fold)
    errors = predicted - targets
    every = np.arange(len(rows))
    fitted = fit(kernels, every, targets)
    factor = factorise(fitted.logarithms, kernels.parts(fitted.scaling, every, every))
    card: dict[str, Any] = table.about() | {
        "model": "gp",
        "mean": fitted.mean,
        "scale": fitted.scale,
        "calibration": calibration(errors, deviations),
        "least_similarity": _least_similarity(kernels.intensive),
        "elements": elements,
        "errors": _errors(table, predicted, deviations),
    }
    return Process(rows, fitted.scaling, fitted.logarithms, solve(factor, fitted.targets), card)


def _held_out(kernels: Kernels, targets: Floats, fold: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Every row predicted by a process that was fitted to the other folds."""
    predicted, deviations = np.empty_like(targets), np.empty_like(targets)
    for held_out in np.unique(fold):
        train, test = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        predicted[test], deviations[test] = fit(kernels, train, targets[train]).predict(test)
    return predicted, deviations


def _errors(table: TrainingTable, predicted: Floats, deviations: Floats) -> dict[str, Any]:
    """Errors on five folds; the intervals of a fold are calibrated on the four others."""
    errors = predicted - table.targets
    back = np.exp if table.logarithmic else np.positive
    real = back(predicted) - table.values
    rmse, r2, inside = [], [], []
    for held_out in np.unique(table.fold):
        test = table.fold == held_out
        factor = calibration(errors[~test], deviations[~test])
        inside.append(coverage(errors[test], factor * deviations[test]) * test.sum())
        rmse.append(np.sqrt(np.mean(real[test] ** 2)))
        true = table.values[test]
        r2.append(1.0 - np.sum(real[test] ** 2) / np.sum((true - true.mean()) ** 2))
    return {
        "rmse": float(np.mean(rmse)),
        "r2": float(np.mean(r2)),
        "coverage_90": float(np.sum(inside) / len(errors)),
    }


def _least_similarity(intensive: Floats) -> float:
    """Similarity to its nearest neighbour that all but a few training polymers reach."""
    others = intensive - 2.0 * np.eye(len(intensive))
    return float(np.quantile(others.max(axis=1), _LEAST_QUANTILE))
