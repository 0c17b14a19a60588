"""Boosted trees: each is fitted to what those before it fall short by.

Friedman, Ann. Stat. 2001, 29, 1189.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.boosting.trees import BINS, Forest, grow, says
from polymd.properties.mips.descriptors import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.fingerprints import Fingerprint
    from polymd.properties.read_chain import ReadChain

    Floats = NDArray[np.float64]

__all__ = ["BoostedModel", "Boosting", "boost", "edges_of", "features_of", "in_bins"]

_DIGITS = 8  # of bands, which differ by rounding between spellings


@dataclass(frozen=True)
class Boosting:
    """Settings of a boosting."""

    trees: int = 800  #: at most
    rate: float = 0.04  #: of what a tree says that is taken
    leaves: int = 12
    rows: float = 0.7  #: share of the rows that a tree is grown on
    features: float = 0.15  #: share of the features
    patience: int = 100  #: trees without a smaller validation error
    forests: int = 2  #: a fold, each with other polymers to stop on, and their mean
    seed: int = 0


@dataclass(frozen=True)
class BoostedModel:
    """Forests of several properties on one set of features."""

    vocabulary: Vocabulary
    edges: NDArray[np.float32]  #: (F, BINS - 1) upper edges of bins, infinite where there are fewer
    forests: dict[str, Forest]  #: of the targets about their mean, by property
    means: dict[str, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Properties that it predicts."""
        return tuple(self.forests)

    def predict(self, chains: Sequence[ReadChain]) -> dict[str, Floats]:
        """Targets of N polymers, the same for all spellings of a chain."""
        features = features_of([chain.fingerprint for chain in chains], self.vocabulary)
        binned = in_bins(features, self.edges)
        return {name: self.means[name] + says(forest, binned) for name, forest in self.forests.items()}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Codes, scales, edges, and the nodes of every forest."""
        vocabulary = self.vocabulary
        found: dict[str, NDArray[Any]] = {
            "codes": vocabulary.codes,
            "scales": np.stack([vocabulary.means, vocabulary.spreads]),
            "edges": self.edges,
        }
        for name, forest in self.forests.items():
            found[f"{name}.starts"] = forest.starts.astype(np.int32)
            found[f"{name}.features"] = forest.features.astype(np.int16)
            found[f"{name}.bins"] = forest.bins
            found[f"{name}.left"] = forest.left.astype(np.int16)
            found[f"{name}.values"] = forest.values
        return found

    def header(self) -> str:
        """The means, as JSON."""
        return json.dumps({"means": self.means})

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]], header: str) -> BoostedModel:
        """The model of arrays and header."""
        means = json.loads(header)["means"]
        forests = {
            name: Forest(
                tensors[f"{name}.starts"].astype(np.int64),
                tensors[f"{name}.features"].astype(np.int64),
                tensors[f"{name}.bins"],
                tensors[f"{name}.left"].astype(np.int64),
                tensors[f"{name}.values"],
            )
            for name in means
        }
        return cls(Vocabulary(tensors["codes"], *tensors["scales"]), tensors["edges"], forests, means)


def features_of(fingerprints: Sequence[Fingerprint], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """Descriptors, counts, bands and contributions of N polymers, (N, F)."""
    physics = np.array([f.physics for f in fingerprints]).round(_DIGITS)
    return np.hstack([vocabulary.values(fingerprints), physics.astype(np.float32)])


def edges_of(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Edges (F, BINS - 1) between values of a training set (T, F), about as many rows in every bin."""
    edges = np.full((features.shape[1], BINS - 1), np.inf, dtype=np.float32)
    for row, column in zip(edges, features.T, strict=True):
        values = np.unique(column)
        between = (values[1:] + values[:-1]) / 2.0
        if len(between) >= BINS:
            wanted = np.unique(np.quantile(column, np.arange(1, BINS) / BINS, method="nearest"))
            between = between[np.unique(np.minimum(np.searchsorted(values, wanted), len(between) - 1))]
        row[: len(between)] = between
    return edges


def in_bins(features: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The bin of every feature, (N, F)."""
    columns = [np.searchsorted(row, column) for row, column in zip(edges, features.T, strict=True)]
    return np.ascontiguousarray(np.array(columns, dtype=np.uint8).T)


def boost(
    binned: NDArray[np.uint8],
    targets: Floats,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    settings: Boosting,
) -> Forest:
    """A forest for targets (N,) of rows `train`; its mean there is to be added.

    As many trees are kept as the `validation` rows are predicted best with, or all where there are none.
    """
    rng = np.random.default_rng(settings.seed)
    residuals = targets - targets[train].mean()
    n_features = max(1, round(settings.features * binned.shape[1]))
    parts: list[tuple[NDArray[Any], ...]] = []
    best, least = 0, np.inf
    for number in range(1, settings.trees + 1):
        rows = np.sort(rng.choice(train, max(1, round(settings.rows * len(train))), replace=False))
        chosen = np.sort(rng.choice(binned.shape[1], n_features, replace=False))
        features, bins, left, values = grow(binned, residuals, rows, chosen, settings.leaves)
        parts.append((features, bins, left, (settings.rate * values).astype(np.float32)))
        residuals = residuals - says(_joined(parts[-1:]), binned)
        if len(validation):
            error = float(np.mean(residuals[validation] ** 2))
            if error < least:
                best, least = number, error
            if number - best >= settings.patience:
                break
    return _joined(parts[: best if len(validation) else None])


def _joined(parts: list[tuple[NDArray[Any], ...]]) -> Forest:
    """Trees as one forest; without trees it says 0."""
    none = (np.zeros(1, np.int64), np.zeros(1, np.uint8), np.zeros(1, np.int64), np.zeros(1, np.float32))
    features, bins, left, values = (np.concatenate(c) for c in zip(*(parts or [none]), strict=True))
    starts = np.cumsum([0, *(len(part[0]) for part in parts or [none])])
    return Forest(starts, features, bins, left, values)
