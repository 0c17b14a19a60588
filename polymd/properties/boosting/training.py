"""Held-out predictions of boosted trees, and trees on all polymers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from polymd.datasets.properties import N_FOLDS
from polymd.properties.blending import NetworkFolds
from polymd.properties.boosting.model import BoostedModel, Boosting, boost, edges_of, features_of, in_bins
from polymd.properties.fingerprints import fingerprint
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.networks.folds import validation_chains
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["train_trees"]

_COUNTS = 1024  # fragments that are counted


def train_trees(
    tables: Mapping[str, TrainingTable],
    settings: Boosting | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[BoostedModel, dict[str, NetworkFolds]]:
    """Trees for each table on all its polymers, and what those of its folds said.

    The trees on all polymers are as many as those of the folds in the mean. Features have no labels in them:
    the commonest counts and the edges of bins are those of all polymers.
    """
    settings = settings or Boosting()
    polymers = list(dict.fromkeys(p for table in tables.values() for p in table.psmiles))
    fingerprints = [fingerprint(psmiles) for psmiles in polymers]
    vocabulary = Vocabulary.of(fingerprints, _COUNTS)
    features = features_of(fingerprints, vocabulary)
    edges = edges_of(features)
    binned = in_bins(features, edges)
    place = {psmiles: i for i, psmiles in enumerate(polymers)}
    forests, means, folds = {}, {}, {}
    for name, table in tables.items():
        tell(f"trees for {name}")
        own = binned[[place[p] for p in table.psmiles]]
        folds[name], n_trees = _held_out(own, table, settings)
        every = np.arange(len(own))
        fewer = replace(settings, trees=n_trees)
        forests[name] = boost(own, table.targets, every, np.empty(0, np.int64), fewer)
        means[name] = float(table.targets.mean())
    return BoostedModel(vocabulary, edges, forests, means), folds


def _held_out(
    binned: NDArray[np.uint8], table: TrainingTable, settings: Boosting
) -> tuple[NetworkFolds, int]:
    """What the trees of each fold say of all rows, and how many trees were best."""
    from polymd.properties.boosting.trees import says

    keys = [canonical_chain(p) for p in table.psmiles]
    forests, sizes = [], []
    for seed in range(settings.seed, settings.seed + settings.forests):
        predicted, seen = [], []
        for held_out in range(N_FOLDS):
            validation = validation_chains(keys, held_out, seed) & (table.fold != held_out)
            train = np.flatnonzero((table.fold != held_out) & ~validation)
            own = replace(settings, seed=seed)
            forest = boost(binned, table.targets, train, np.flatnonzero(validation), own)
            predicted.append(table.targets[train].mean() + says(forest, binned))
            seen.append(validation)
            sizes.append(len(forest.starts) - 1)
        forests.append(NetworkFolds(np.array(predicted), np.array(seen)))
    return NetworkFolds.mean(forests), max(1, round(float(np.mean(sizes))))
