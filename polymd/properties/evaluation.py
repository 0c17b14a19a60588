"""Errors of a property model on the stored five folds.

The protocol is nested: whatever is fitted or chosen (weights of kernels, scales of features) sees the
training folds only; a test fold is predicted once, at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polymd.properties.estimates import coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from polymd.properties.blending import Blend, NetworkFolds
    from polymd.properties.training_tables import TrainingTable

__all__ = ["evaluate_members", "evaluate_property", "fold_errors"]


def evaluate_property(
    name: str,
    folder: Path | str | None = None,
    *,
    model: str = "gp",
    protocol: str = "5fold",
    split_seed: int = 0,
) -> dict[str, Any]:
    """Train on four folds and test on the fifth, for each of the five folds of a stored split.

    Parameters
    ----------
    name, folder
        As `polymd.datasets.properties.load`.
    model
        `gp`, the Gaussian process on fingerprints of the infinite chain.
    protocol
        `5fold`.
    split_seed
        Which of the stored splits: 0, 1 or 2.

    Returns
    -------
    dict
        `property`, `unit`, `model`, `protocol`, `split_seed`, `rows`; `rmse` and `r2`, means over folds;
        `coverage_90`, the share of values inside their 90 % interval; `folds`, the same for every fold.

    Raises
    ------
    ValueError
        As `load`; no such model, protocol or split.
    """
    from polymd.datasets.properties import N_FOLDS, SPLIT_SEEDS, TABLES, find_table, load
    from polymd.properties.fingerprints import fingerprint
    from polymd.properties.gaussian_process import Kernels, fit

    for what, given, allowed in (
        ("model", model, ("gp",)),
        ("protocol", protocol, ("5fold",)),
        ("split seed", split_seed, SPLIT_SEEDS),
    ):
        if given not in allowed:
            raise ValueError(f"no {what} {given!r}; allowed: {', '.join(map(str, allowed))}")
    find_table(name)
    frame = load(name, folder)
    values = frame["value"].to_numpy(dtype=np.float64)
    fold = frame[f"fold_{split_seed}"].to_numpy()
    kernels = Kernels.of([fingerprint(psmiles) for psmiles in frame["psmiles"]])
    results = []
    for held_out in range(N_FOLDS):
        train, test = np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out)
        predicted, spread = fit(kernels, train, values[train]).predict(test)
        results.append(fold_errors(values[test], predicted, spread))
    return {
        "property": name,
        "unit": TABLES[name].unit,
        "model": model,
        "protocol": protocol,
        "split_seed": split_seed,
        "rows": len(frame),
        "rmse": float(np.mean([r["rmse"] for r in results])),
        "r2": float(np.mean([r["r2"] for r in results])),
        "coverage_90": sum(r["coverage_90"] * r["rows"] for r in results) / len(frame),
        "folds": results,
    }


def evaluate_members(
    names: Sequence[str],
    members: Mapping[str, Callable[[Mapping[str, TrainingTable]], Mapping[str, NetworkFolds]]],
    folder: Path | str | None = None,
    *,
    split_seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """`evaluate_property` of several members and of their blend with the Gaussian process, nested too.

    Parameters
    ----------
    names, folder, split_seed
        As `evaluate_property`.
    members
        By their key in `property_model.NETWORKS`: what trains one on the folds of all tables.

    Returns
    -------
    list of dict
        As `evaluate_property`, for each property with `model` "gp", each member's key, and "blend". Intervals
        of a fold are calibrated on the others.
    pandas.DataFrame
        What every model said of every held-out polymer: columns `property`, `psmiles`, `fold`, `value` and
        one of each model, in the property's unit.

    Raises
    ------
    ValueError
        As `load`; no such split; checkpoints of another training.
    """
    from polymd.properties.blending import blend_all
    from polymd.properties.process_training import train_processes
    from polymd.properties.training_tables import read_tables

    tables = read_tables(names, folder, split_seed=split_seed)
    folds = {key: train(tables) for key, train in members.items()}
    processes, held_out = train_processes(tables, tell)
    cards = processes.cards()
    results, said = [], []
    for name, blend in blend_all(tables, held_out, folds).items():
        table = tables[name]
        for model, errors in {"gp": cards[name]["errors"], **blend.card(table)["errors"]}.items():
            about = {"property": name, "unit": table.unit, "model": model, "protocol": "5fold"}
            results.append(about | {"split_seed": split_seed, "rows": len(table.values)} | errors)
        said.append(_said(table, blend))
    return results, pd.concat(said, ignore_index=True)


def _said(table: TrainingTable, blend: Blend) -> pd.DataFrame:
    """The second part of `evaluate_members` for one table."""
    back = np.exp if table.logarithmic else np.positive
    columns = {"property": table.name, "psmiles": table.psmiles, "fold": table.fold, "value": table.values}
    return pd.DataFrame(columns | {model: back(values) for model, values in blend.predicted.items()})


def fold_errors(
    true: NDArray[np.float64], predicted: NDArray[np.float64], spread: NDArray[np.float64]
) -> dict[str, float]:
    """Root mean square error, R² = 1 - Σ error² / Σ (value - mean of the fold)², share in 90 % intervals."""
    errors = predicted - true
    return {
        "rows": len(true),
        "rmse": float(np.sqrt(np.mean(errors**2))),
        "r2": float(1.0 - np.sum(errors**2) / np.sum((true - true.mean()) ** 2)),
        "coverage_90": coverage(errors, spread),
    }
