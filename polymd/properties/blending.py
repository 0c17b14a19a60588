"""Errors on held-out folds, of one model and of the blend of several.

A blend is a weighted mean of its members, the Gaussian process and networks; weights are not negative and
their sum is one. The weights for a test fold come from validation rows out of its training folds, so that the
errors of the blend are nested. Validation rows of one table are few: its weights are drawn towards those that
fit the validation rows of all tables together, and a few outliers among them do not decide (Huber's loss).
The weights that are kept come in the same way from the held-out predictions of all rows, which are more, so
that the nested errors are those of weights known less well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.datasets.properties import N_FOLDS
from polymd.properties.estimates import calibration, coverage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = [
    "Blend",
    "NetworkFolds",
    "ProcessFolds",
    "blend_all",
    "blend_weights",
    "blended_mean",
    "held_out_errors",
]

_PRIOR_ROWS = 40.0  # validation rows that the weights of all tables together are worth
_OUTLIER = 1.5  # median errors
_ROUNDS = 6  # of reweighting
_CERTAIN = 1e4  # weight of the equation that weights sum to one


@dataclass(frozen=True)
class ProcessFolds:
    """Held-out predictions of a Gaussian process for the N rows of a table, in its targets."""

    predicted: Floats  #: (N,), by the process of the other folds
    deviations: Floats  #: (N,), not calibrated
    validated: Floats  #: (5, N), of every fold's training rows by a process of the others; else nan


@dataclass(frozen=True)
class NetworkFolds:
    """Predictions of the five folds' networks for the N rows of a table, in its targets."""

    predicted: Floats  #: (5, N)
    validation: NDArray[np.bool_]  #: (5, N), training rows that a network was not trained on

    @classmethod
    def mean(cls, networks: Sequence[NetworkFolds]) -> NetworkFolds:
        """Of several networks a fold; a validation row is predicted by those that have not seen it."""
        validation = np.logical_or.reduce([network.validation for network in networks])
        shares = np.array([network.validation | ~validation for network in networks], dtype=np.float64)
        total = (shares * [network.predicted for network in networks]).sum(axis=0)
        return cls(total / shares.sum(axis=0), validation)


@dataclass(frozen=True)
class Blend:
    """How the members of a table are blended, and what they said of its N held-out rows, in its targets."""

    weights: dict[str, float]  #: of the members, gp first, from all held-out predictions
    predicted: dict[str, Floats]  #: (N,), of `blend`, `gp` and each network
    deviations: dict[str, Floats]  #: (N,), not calibrated but for those of `gp`

    def card(self, table: TrainingTable) -> dict[str, Any]:
        """What is kept beside a model.

        Returns
        -------
        dict
            `weights`;
            `calibration`, factors on deviations: for each network alone on the process's calibrated ones, for
            `auto` on the root of their squares and the squared spread of the members;
            `errors` on five folds, of `blend` and of each network.
        """
        said = {key: (p, self.deviations[key]) for key, p in self.predicted.items() if key != "gp"}
        factors = {key: calibration(p - table.targets, d) for key, (p, d) in said.items()}
        return {
            "weights": self.weights,
            "calibration": {"auto": factors.pop("blend")} | factors,
            "errors": {key: held_out_errors(table, p, d) for key, (p, d) in said.items()},
        }


def blend_all(
    tables: Mapping[str, TrainingTable],
    processes: Mapping[str, ProcessFolds],
    networks: Mapping[str, Mapping[str, NetworkFolds]],
) -> dict[str, Blend]:
    """How to blend the process with `networks`, by their key and table; of every table that one knows.

    A network need not know every table; tables with the same members share their belief in weights.
    """
    members = {name: {key: n[name] for key, n in networks.items() if name in n} for name in tables}
    keys = {name: tuple(found) for name, found in members.items()}
    nested = [
        _weights_of_all(
            {
                name: _validation_errors(table, processes[name], list(members[name].values()), held_out)
                for name, table in tables.items()
            },
            keys,
        )
        for held_out in range(N_FOLDS)
    ]
    said = {name: _held_out(table, processes[name], members[name]) for name, table in tables.items()}
    errors = {
        name: (said[name] - table.targets[:, None]) / table.targets.std() for name, table in tables.items()
    }
    kept = _weights_of_all(errors, keys)
    return {
        name: _blend(table, processes[name], said[name], keys[name], [w[name] for w in nested], kept[name])
        for name, table in tables.items()
        if members[name]
    }


def _weights_of_all(errors: Mapping[str, Floats], keys: Mapping[str, tuple[str, ...]]) -> dict[str, Floats]:
    """Weights by table from errors (R, M); tables with the same members share the belief of each."""
    beliefs = {}
    for members in set(keys.values()):
        alike = np.concatenate([own for name, own in errors.items() if keys[name] == members])
        even = np.full(alike.shape[1], 1.0 / alike.shape[1])
        beliefs[members] = blend_weights(alike, even)
    return {name: blend_weights(own, beliefs[keys[name]]) for name, own in errors.items()}


def _held_out(table: TrainingTable, process: ProcessFolds, networks: Mapping[str, NetworkFolds]) -> Floats:
    """What the process and the networks say of every row (N, 1 + networks), which they have not seen."""
    rows = np.arange(len(table.targets))
    own = [network.predicted[table.fold, rows] for network in networks.values()]
    return np.stack([process.predicted, *own], axis=1)


def blend_weights(errors: Floats, prior: Floats) -> Floats:
    """Weights of M members that fit validation rows best, from their errors (R, M) and a belief (M,).

    argmin Σ_r ρ(Σ_m w_m e_rm) + r s² Σ_m (w_m - p_m)², w_m ≥ 0, Σ_m w_m = 1, where ρ is Huber's loss
    (Ann. Math. Stat. 1964, 35, 73), linear beyond 1.5 median errors, and r s² some rows' worth: s² is twice
    the mean variance of the members of a row.
    """
    weights = prior
    for _ in range(_ROUNDS if len(errors) else 0):
        off = np.abs(errors @ weights)
        bound = _OUTLIER * np.median(off)
        rows = np.sqrt(np.divide(bound, off, out=np.ones_like(off), where=off > bound))
        weights = _least_squares(errors * rows[:, None], prior)
    return weights


def _least_squares(errors: Floats, prior: Floats) -> Floats:
    """`blend_weights` of squared errors."""
    from scipy.optimize import nnls

    spread = np.sqrt(2.0 * _PRIOR_ROWS * errors.var(axis=1).mean())
    if spread == 0.0:
        return prior
    members = len(prior)
    sum_row = np.full((1, members), _CERTAIN * spread)
    rows = np.concatenate([errors, spread * np.eye(members), sum_row])
    wanted = np.concatenate([np.zeros(len(errors)), spread * prior, [_CERTAIN * spread]])
    found, _ = nnls(rows, wanted)
    normal: Floats = found / found.sum()
    return normal


def blended_mean(weights: Floats, members: Floats) -> tuple[Floats, Floats]:
    """Weighted mean (N,) of M members (M, N), and their weighted standard deviation about it."""
    mean = weights @ members
    return mean, np.sqrt(weights @ (members - mean) ** 2)


def _validation_errors(
    table: TrainingTable, process: ProcessFolds, networks: list[NetworkFolds], held_out: int
) -> Floats:
    """Errors (R, members) on a fold's validation rows, in spreads of the table's targets."""
    if not networks:
        return np.empty((0, 1))
    seen = np.logical_and.reduce([network.validation[held_out] for network in networks])
    said = [process.validated[held_out], *(network.predicted[held_out] for network in networks)]
    known = table.targets[table.fold != held_out]
    errors: Floats = (np.stack([p[seen] for p in said], axis=1) - table.targets[seen, None]) / known.std()
    return errors


def _blend(
    table: TrainingTable,
    process: ProcessFolds,
    said: Floats,
    keys: Sequence[str],
    nested: Sequence[Floats],
    kept: Floats,
) -> Blend:
    """Of one table, from what its members say (N, 1 + networks), weights for every fold and those kept."""
    blended, spread = np.empty_like(table.targets), np.empty_like(table.targets)
    for held_out, weight in enumerate(nested):
        test = table.fold == held_out
        blended[test], spread[test] = blended_mean(weight, said[test].T)
    alone = dict(zip(keys, said.T[1:], strict=True))
    deviations = process.deviations * calibration(process.predicted - table.targets, process.deviations)
    return Blend(
        dict(zip(("gp", *keys), kept.tolist(), strict=True)),
        {"blend": blended, "gp": process.predicted} | alone,
        {"blend": np.hypot(deviations, spread), "gp": deviations} | dict.fromkeys(alone, deviations),
    )


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
