"""Errors of a property model on the stored five folds.

The protocol is nested: whatever is fitted or chosen (weights of kernels, scales of features) sees the
training folds only; a test fold is predicted once, at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from polymd.properties.estimates import coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from polymd.properties.blending import NetworkFolds
    from polymd.properties.network_training import NetworkSettings
    from polymd.properties.networks.kind import NetworkKind
    from polymd.properties.networks.training import TrainingSettings
    from polymd.properties.training_tables import TrainingTable

__all__ = ["evaluate_networks", "evaluate_property", "fold_errors"]


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


def evaluate_networks(
    names: Sequence[str],
    settings: NetworkSettings | TrainingSettings,
    folder: Path | str | None = None,
    *,
    kind: NetworkKind | None = None,
    split_seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> list[dict[str, Any]]:
    """`evaluate_property` of a network and its blend with the Gaussian process, one network for all tables.

    Parameters
    ----------
    names, folder, split_seed
        As `evaluate_property`.
    settings
        Of the training; folds found in its folder are used.
    kind
        Of the network, whose settings are `TrainingSettings`; None: MIPS, whose are `NetworkSettings`.

    Returns
    -------
    list of dict
        As `evaluate_property`, for each property with `model` "gp", the network's name and "blend". Intervals
        of a fold are calibrated on the others.

    Raises
    ------
    ValueError
        As `load`; no such split; checkpoints of another training in the settings' folder.
    """
    from polymd.properties.process_training import train_processes
    from polymd.properties.training_tables import read_tables

    tables = read_tables(names, folder, split_seed=split_seed)
    if kind is None:
        networks = {"mips": _folds_of_mips(tables, cast("NetworkSettings", settings), tell)}
    else:
        from polymd.properties.networks.training import trained_folds

        networks = {kind.key: trained_folds(kind, tables, cast("TrainingSettings", settings), tell)}
    cards = train_processes(tables, networks, tell).cards()
    results = []
    for name, table in tables.items():
        found = {"gp": cards[name]["errors"], **cards[name]["blend"]["errors"]}
        for model, errors in found.items():
            about = {"property": name, "unit": table.unit, "model": model, "protocol": "5fold"}
            results.append(about | {"split_seed": split_seed, "rows": len(table.values)} | errors)
    return results


def _folds_of_mips(
    tables: Mapping[str, TrainingTable], settings: NetworkSettings, tell: Callable[[str], None]
) -> dict[str, NetworkFolds]:
    """Held-out predictions of MIPS."""
    from polymd.properties.network_training import held_out_networks, pretrained, read_polymers

    start = pretrained(settings, tell)
    return held_out_networks(read_polymers(tables, settings, start), start, settings, tell)


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
