r"""Targets from what a network says of polymers without being trained on them: ridge regression in a kernel.

    f(x) = m + s Σ_i a_i k(|x - x_i| / l),   k(r) = (1 + √3 r) exp(-√3 r),   a = (K + λ)⁻¹ z

A few hundred labels are too few to move a million weights, and five folds of fine-tuning cost hours where
this costs seconds. l and λ are those of the least leave-one-out error on the polymers trained on.

| symbol | in the code                                                              |
|--------|--------------------------------------------------------------------------|
| x, x_i | views of a polymer; `KernelHead.points` times `KernelHead.factors`       |
| z      | targets, standardised; nan where there is no label                       |
| m, s   | means and scales of targets, kept by `TrainedNetwork`                    |
| a, l   | `KernelHead.weights`, `KernelHead.lengths`                               |
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.kernels import matern
from polymd.properties.networks.batching import in_order_of_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from polymd.properties.networks.kind import NetworkKind

    Floats = NDArray[np.float64]

__all__ = ["KernelHead", "views_of"]

_LENGTHS = (0.5, 1.0, 2.0, 4.0)  # l; the mean squared distance of two polymers is 1
_NOISES = (1e-3, 3e-3, 1e-2, 3e-2, 0.1)  # λ
_MOST_ROWS = 800  # that l and λ are chosen on
_CHUNK = 250  # polymers predicted at a time
_MOST = 5.0  # spreads from the mean; what lies beyond is cut off
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class KernelHead:
    """Fitted to N polymers with F numbers each, for T targets; the mean of K kernels of several distances."""

    centres: Floats  #: (F,)
    spreads: Floats  #: (F,)
    factors: Floats  #: (K, F), of the standardised numbers
    points: Floats  #: (N, F), standardised
    weights: Floats  #: (K, N, T), 0 where there was no label
    lengths: Floats  #: (K, T)

    @classmethod
    def fit(
        cls,
        views: Mapping[str, Floats],
        shares: Sequence[Mapping[str, float]],
        targets: Floats,
        rows: NDArray[np.int64],
    ) -> KernelHead:
        """Fit some rows.

        Parameters
        ----------
        views
            Of M polymers, each (M, numbers), such as the means of a tower's tokens.
        shares
            Of the squared distance, by view, for every kernel; only their ratios matter.
        targets
            (M, T), standardised, nan where there is no label.
        rows
            Polymers to fit.
        """
        numbers, known = np.concatenate(list(views.values()), axis=1)[rows], targets[rows]
        spreads = numbers.std(axis=0)
        centres, spreads = numbers.mean(axis=0), np.where(spreads > _LEAST_SPREAD, spreads, 1.0)
        factors = np.stack([_factors(views, share) for share in shares])
        points = _standard(numbers, centres, spreads)
        weights, lengths = np.zeros((len(shares), *known.shape)), np.ones((len(shares), known.shape[1]))
        for column, values in enumerate(known.T):
            labelled = np.flatnonzero(~np.isnan(values))
            for k, factor in enumerate(factors):
                found = _ridge(points[labelled] * factor, values[labelled])
                lengths[k, column], weights[k, labelled, column] = found
        return cls(centres, spreads, factors, points, weights, lengths)

    def predict(self, views: Mapping[str, Floats]) -> Floats:
        """Standardised targets (M, T) of M polymers with the same views."""
        numbers = np.concatenate(list(views.values()), axis=1)
        points = _standard(numbers, self.centres, self.spreads)
        parts = [self._predict(points[start : start + _CHUNK]) for start in range(0, len(points), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty((0, self.weights.shape[2]))

    def _predict(self, points: Floats) -> Floats:
        """Of some standardised points."""
        found = np.zeros((len(self.factors), len(points), self.weights.shape[2]))
        for k, factor in enumerate(self.factors):
            distances = _distances(points * factor, self.points * factor)
            for length in np.unique(self.lengths[k]):
                columns = self.lengths[k] == length
                found[k][:, columns] = matern(distances, length) @ self.weights[k][:, columns]
        mean: Floats = found.mean(axis=0)
        return mean

    def tensors(self) -> dict[str, NDArray[Any]]:
        """All arrays; the points rounded to half precision."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return {n: a.astype(np.float16 if n == "points" else np.float32) for n, a in arrays.items()}

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> KernelHead:
        """The head of arrays of `tensors`."""
        return cls(**{field.name: tensors[field.name].astype(np.float64) for field in fields(cls)})


def views_of(kind: NetworkKind, network: nn.Module, samples: Sequence[Any]) -> dict[str, Floats]:
    """What a network says of samples, by view; see `NetworkKind.views`."""
    from polymd.properties.networks.kind import fastest_device

    network = network.to(fastest_device()).eval()
    sizes = np.array([kind.size(sample) for sample in samples], dtype=np.int64)
    parts = in_order_of_size(sizes)
    found: list[dict[str, Floats]] = []
    with torch.inference_mode():
        for part in parts:
            batch = kind.collate([samples[row] for row in part]).to(fastest_device())
            views = kind.views(network, batch)
            found.append({name: view.double().cpu().numpy() for name, view in views.items()})
    order = np.argsort(np.concatenate(parts))
    return {name: np.concatenate([views[name] for views in found])[order] for name in found[0]}


def _standard(numbers: Floats, centres: Floats, spreads: Floats) -> Floats:
    standard: Floats = np.clip((numbers - centres) / spreads, -_MOST, _MOST)
    return standard


def _factors(views: Mapping[str, Floats], shares: Mapping[str, float]) -> Floats:
    """(F,), with which the mean squared distance is 1 and the views have their shares of it."""
    total = 2.0 * sum(shares[name] for name in views)
    return np.concatenate(
        [np.full(view.shape[1], np.sqrt(shares[n] / total / view.shape[1])) for n, view in views.items()]
    )


def _ridge(points: Floats, values: Floats) -> tuple[float, Floats]:
    """Length and weights (N,) of the least leave-one-out error."""
    from scipy.linalg import cho_factor, cho_solve

    few = np.random.default_rng(0).permutation(len(points))[:_MOST_ROWS]
    distances, least = _distances(points[few], points[few]), np.inf
    length = noise = 1.0
    for tried in _LENGTHS:
        levels, states = np.linalg.eigh(matern(distances, tried))
        turned, squares = states.T @ values[few], states**2
        for lam in _NOISES:
            inverse = 1.0 / (levels + lam)
            left_out = (states @ (inverse * turned)) / (squares @ inverse)
            error = float(np.mean(left_out**2))
            if error < least:
                least, length, noise = error, tried, lam
    kernel = matern(_distances(points, points), length)
    kernel[np.diag_indices_from(kernel)] += noise
    weights: Floats = cho_solve(cho_factor(kernel), values)
    return length, weights


def _distances(one: Floats, other: Floats) -> Floats:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1) - 2.0 * one @ other.T
    distances: Floats = np.sqrt(np.maximum(squares, 0.0))
    return distances
