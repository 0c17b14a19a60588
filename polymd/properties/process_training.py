"""Training of the Gaussian processes that are shipped, or of a user's own: fit, calibrate, say how good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.datasets.properties import N_FOLDS
from polymd.properties.blending import NetworkFolds, ProcessFolds, blend_all, held_out_errors
from polymd.properties.estimates import calibration
from polymd.properties.features import Features
from polymd.properties.fingerprints import fingerprint
from polymd.properties.gaussian_process import FittedProcess, Kernels, covariance, factorise, fit, solve
from polymd.properties.process_model import Process, ProcessModel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["train_processes"]

_LEAST_QUANTILE = 0.05  # so many of the training polymers are less alike to all others than the domain asks


def train_processes(
    tables: Mapping[str, TrainingTable],
    networks: Mapping[str, Mapping[str, NetworkFolds]] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> ProcessModel:
    """Fit a process to each table, with its errors and calibration from five folds.

    With `networks`, held-out predictions of networks by their key and table, cards say how all are blended.
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
        validation = np.zeros((N_FOLDS, len(rows)), dtype=np.bool_)
        for network in (networks or {}).values():
            if name in network:
                validation |= network[name].validation
        processes[name], held_out[name] = _train(features, rows, table, validation)
        elements = frozenset().union(*(fingerprints[row].elements for row in rows))
        processes[name].card["elements"] = sorted(elements)
    if networks:
        for name, card in blend_all(tables, held_out, networks).items():
            processes[name].card["blend"] = card
    return ProcessModel(features, processes)


def _train(
    features: Features, rows: NDArray[np.int64], table: TrainingTable, validation: NDArray[np.bool_]
) -> tuple[Process, ProcessFolds]:
    """The process of one table, and what those of its folds said."""
    kernels = Kernels.between(features.rows(rows))
    held_out = _held_out(kernels, table, validation)
    every = np.arange(len(rows))
    fitted = fit(kernels, every, table.targets)
    inner = covariance(fitted.logarithms, kernels.parts(fitted.scaling, every, every))
    factor = factorise(fitted.logarithms, inner)
    card: dict[str, Any] = table.about() | {
        "mean": fitted.mean,
        "scale": fitted.scale,
        "calibration": calibration(held_out.predicted - table.targets, held_out.deviations),
        "least_similarity": _least_similarity(kernels.intensive),
        "errors": held_out_errors(table, held_out.predicted, held_out.deviations),
    }
    coefficients = solve(factor, fitted.targets)
    return Process(rows, fitted.scaling, fitted.logarithms, coefficients, card), held_out


def _held_out(kernels: Kernels, table: TrainingTable, validation: NDArray[np.bool_]) -> ProcessFolds:
    """Every row predicted by a process that was fitted to the other folds; `validation` (5, N)."""
    targets = table.targets
    predicted, deviations = np.empty_like(targets), np.empty_like(targets)
    validated = np.full(validation.shape, np.nan)
    for held_out, seen in enumerate(validation):
        train, test = np.flatnonzero(table.fold != held_out), np.flatnonzero(table.fold == held_out)
        fitted = fit(kernels, train, targets[train])
        predicted[test], deviations[test] = fitted.predict(test)
        if seen.any():
            validated[held_out, seen] = _without(fitted, targets, np.flatnonzero(seen))
    return ProcessFolds(predicted, deviations, validated)


def _without(fitted: FittedProcess, targets: Floats, rows: NDArray[np.intp]) -> Floats:
    """Predictions of some training rows by the same process conditioned on the others only."""
    rest = np.setdiff1d(fitted.train, rows)
    mean, scale = float(targets[rest].mean()), float(targets[rest].std()) or 1.0
    known = (targets[rest] - mean) / scale
    scaling = fitted.kernels.scaling(rest)
    return FittedProcess(fitted.kernels, rest, scaling, fitted.logarithms, mean, scale, known).predict(rows)[
        0
    ]


def _least_similarity(intensive: Floats) -> float:
    """Similarity to its nearest neighbour that all but a few training polymers reach."""
    others = intensive - 2.0 * np.eye(len(intensive))
    return float(np.quantile(others.max(axis=1), _LEAST_QUANTILE))
