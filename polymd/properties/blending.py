"""Errors on held-out folds, of one model and of the blend of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.estimates import calibration, coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["NetworkFolds", "ProcessFolds", "blend", "blend_weight", "held_out_errors"]

_PRIOR_ROWS = 20.0  # rows that a blend weight of one half is worth


@dataclass(frozen=True)
class ProcessFolds:
    """Held-out predictions of a Gaussian process for the N rows of a table, in its targets."""

    predicted: Floats  #: (N,), by the process of the other folds
    deviations: Floats  #: (N,), not calibrated
    validated: (
        Floats  #: (5, N), of every fold's validation rows by a process that has not seen them; else nan
    )


@dataclass(frozen=True)
class NetworkFolds:
    """Predictions of the five folds' networks for the N rows of a table, in its targets."""

    predicted: Floats  #: (5, N)
    validation: NDArray[np.bool_]  #: (5, N), training rows that a network was not trained on


def blend(table: TrainingTable, process: ProcessFolds, network: NetworkFolds) -> dict[str, Any]:
    """How to blend both: `weight` of the network, factors on calibrated deviations, errors on five folds.

    The weight for a fold comes from validation rows out of its training folds, so that `errors` are nested.
    `weight` is the mean of the five, or 0 where the blend did not beat the process on these folds.
    """
    blended, alone, weights = np.empty_like(table.targets), np.empty_like(table.targets), []
    for held_out in range(len(network.predicted)):
        test, seen = table.fold == held_out, network.validation[held_out]
        alone[test] = network.predicted[held_out, test]
        weight = blend_weight(
            table.targets[seen], process.validated[held_out, seen], network.predicted[held_out, seen]
        )
        blended[test] = (1.0 - weight) * process.predicted[test] + weight * alone[test]
        weights.append(weight)
    deviations = process.deviations * calibration(process.predicted - table.targets, process.deviations)
    errors = {
        "blend": held_out_errors(table, blended, deviations),
        "mips": held_out_errors(table, alone, deviations),
    }
    better = errors["blend"]["rmse"] < held_out_errors(table, process.predicted, deviations)["rmse"]
    return {
        "weight": float(np.mean(weights)) if better else 0.0,
        "auto": calibration(blended - table.targets, deviations),
        "mips": calibration(alone - table.targets, deviations),
        "errors": errors,
    }


def blend_weight(true: Floats, process: Floats, network: Floats) -> float:
    """Weight of the network beside the process, 0 to 1, that fits validation rows best.

    Least squares with some rows' worth of belief in one half, argmin Σ (w d - e)² + r (w - 1/2)² mean d²:
    d the difference of both predictions, e what the process falls short by.
    """
    difference = network - process
    square = float(np.mean(difference**2)) if len(true) else 0.0
    if square == 0.0:
        return 0.5
    fitted = np.sum(difference * (true - process)) + 0.5 * _PRIOR_ROWS * square
    return float(np.clip(fitted / (np.sum(difference**2) + _PRIOR_ROWS * square), 0.0, 1.0))


def held_out_errors(table: TrainingTable, predicted: Floats, deviations: Floats) -> dict[str, Any]:
    """Means over five folds in the table's unit; intervals of a fold are calibrated on the four others."""
    errors = predicted - table.targets
    back = np.exp if table.logarithmic else np.positive
    folds = []
    for held_out in np.unique(table.fold):
        test = table.fold == held_out
        factor = calibration(errors[~test], deviations[~test])
        true, off = table.values[test], back(predicted[test]) - table.values[test]
        folds.append(
            {
                "rows": int(test.sum()),
                "rmse": float(np.sqrt(np.mean(off**2))),
                "r2": float(1.0 - np.sum(off**2) / np.sum((true - true.mean()) ** 2)),
                "coverage_90": coverage(errors[test], factor * deviations[test]),
            }
        )
    return {
        "rmse": float(np.mean([fold["rmse"] for fold in folds])),
        "r2": float(np.mean([fold["r2"] for fold in folds])),
        "coverage_90": float(sum(fold["rows"] * fold["coverage_90"] for fold in folds) / len(errors)),
        "folds": folds,
    }
