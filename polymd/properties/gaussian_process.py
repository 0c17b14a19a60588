"""A Gaussian process on fingerprints of infinite chains: the gate that every network must pass.

The covariance is a sum of kernels with weights of their own,

    k(x, x') = w1 m(a, a') + w2 m(a, a')³ + w3 m(e, e') + w4 b · b' + w5 M(d, d') + w6 M(d, d'; 4 l) + n δ

=========  ==================================================================================
m(u, v)    min-max (Tanimoto) kernel of counts, Σ min(u, v) / Σ max(u, v)
a          counts of environments, pairs and paths an atom of the smallest repeat
e          counts of environments of the smallest repeat
b          counts of environments of at most one bond an atom, divided by their spread
M          Matérn kernel of order 3/2, length l the median distance of the training set
d          descriptors, divided by their spread
n          variance of the noise
=========  ==================================================================================

The weights and the noise maximise the marginal likelihood of the training set (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, equations 2.30, 5.9). Spreads and l are the training set's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.kernels import CountMatrix, matern, min_max

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float64]

__all__ = ["FittedProcess", "Kernels", "fit"]

#: polymers of the training set that the weights are fitted to, at most; all of them condition the process
MOST_FOR_WEIGHTS = 700
_BOUNDS = (-12.0, 6.0)  # of the logarithms of weights and noise, targets of unit variance


@dataclass(frozen=True)
class Kernels:
    """Kernels of a set of polymers that need no training set: shapes (N, N), and features (N, ...)."""

    intensive: Floats
    extensive: Floats
    bonds: Floats  #: (N, F)
    descriptors: Floats  #: (N, D)

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint]) -> Kernels:
        """Compare all polymers of a table once, whatever the folds."""
        everything = CountMatrix.of([f.environments | f.paths for f in fingerprints])
        surroundings = CountMatrix.of([f.environments for f in fingerprints])
        atoms = np.array([f.n_atoms for f in fingerprints], dtype=np.float64)
        return cls(
            intensive=min_max(everything.divided(atoms)),
            extensive=min_max(surroundings),
            bonds=CountMatrix.of([f.bonds for f in fingerprints]).divided(atoms).dense(),
            descriptors=np.array([f.descriptors for f in fingerprints]),
        )

    def parts(self, train: NDArray[np.intp], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Floats:
        """The kernels between two sets of polymers, scaled by a training set, shape (6, rows, columns)."""
        bonds = self._bonds(train)
        scaled = self.descriptors / _spread(self.descriptors[train])
        near = matern(scaled[rows], scaled[columns], scaled[train])
        at = np.ix_(rows, columns)
        return np.stack(
            [
                self.intensive[at],
                self.intensive[at] ** 3,
                self.extensive[at],
                bonds[rows] @ bonds[columns].T,
                *near,
            ]
        )

    def own(self, train: NDArray[np.intp], rows: NDArray[np.intp]) -> Floats:
        """The kernels between each polymer and itself, shape (6, rows)."""
        own = np.ones((6, len(rows)))
        own[3] = (self._bonds(train)[rows] ** 2).sum(axis=1)
        return own

    def _bonds(self, train: NDArray[np.intp]) -> Floats:
        """`bonds` about the training set's mean in units of its spread, so that b · b is about one."""
        known = self.bonds[train]
        scaled: Floats = (self.bonds - known.mean(axis=0)) / (_spread(known) * known.shape[1] ** 0.5)
        return scaled


@dataclass(frozen=True)
class FittedProcess:
    """A process with weights of its own, conditioned on its training set."""

    kernels: Kernels
    train: NDArray[np.intp]
    logarithms: Floats  #: of the six weights and of the noise variance, for targets of unit variance
    mean: float
    scale: float
    targets: Floats  #: (N train,), of zero mean and unit variance

    def predict(self, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Value and standard deviation (noise included) of polymers of `kernels`, in the target's unit."""
        from scipy.linalg import cho_factor, cho_solve

        weights, noise = np.exp(self.logarithms[:-1]), np.exp(self.logarithms[-1])
        inner = np.tensordot(weights, self.kernels.parts(self.train, self.train, self.train), axes=1)
        inner[np.diag_indices_from(inner)] += noise
        factor = cho_factor(inner, lower=True, overwrite_a=True)
        cross = np.tensordot(weights, self.kernels.parts(self.train, self.train, rows), axes=1)
        own = weights @ self.kernels.own(self.train, rows)
        values = cross.T @ cho_solve(factor, self.targets)
        variance = own + noise - np.einsum("ij,ij->j", cross, cho_solve(factor, cross))
        return self.mean + self.scale * values, self.scale * np.sqrt(np.maximum(variance, noise))


def fit(kernels: Kernels, train: NDArray[np.intp], values: Floats, seed: int = 0) -> FittedProcess:
    """Fit weights and noise to a training set.

    Parameters
    ----------
    kernels
        Of all polymers.
    train
        (T,) their indices in the training set; nothing else is looked at.
    values
        (T,) target of each, any unit.
    seed
        Which polymers the weights are fitted to where there are more than `MOST_FOR_WEIGHTS`.
    """
    from scipy.optimize import minimize

    mean, scale = float(np.mean(values)), float(np.std(values)) or 1.0
    targets = (values - mean) / scale
    chosen = np.arange(len(train))
    if len(train) > MOST_FOR_WEIGHTS:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(train))[:MOST_FOR_WEIGHTS])
    parts = kernels.parts(train, train[chosen], train[chosen])
    start = np.array([-1.0, -1.0, -2.0, -1.0, -2.0, -1.0, -3.0])
    found = minimize(
        negative_likelihood,
        start,
        args=(parts, targets[chosen]),
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(start),
        options={"maxiter": 40, "ftol": 1e-6},
    )
    return FittedProcess(kernels, train, found.x, mean, scale, targets)


def negative_likelihood(logarithms: Floats, parts: Floats, targets: Floats) -> tuple[float, Floats]:
    """Negative logarithm of the marginal likelihood, a constant left out, and its gradient, shape (7,)."""
    from scipy.linalg import cho_factor, cho_solve

    weights, noise = np.exp(logarithms[:-1]), np.exp(logarithms[-1])
    inner = np.tensordot(weights, parts, axes=1)
    inner[np.diag_indices_from(inner)] += noise
    factor = cho_factor(inner, lower=True)
    solved = cho_solve(factor, targets)
    value = 0.5 * targets @ solved + np.log(np.diag(factor[0])).sum()
    slope = cho_solve(factor, np.eye(len(targets))) - np.outer(solved, solved)
    gradient = [0.5 * w * np.vdot(slope, part) for w, part in zip(weights, parts, strict=True)]
    return float(value), np.array([*gradient, 0.5 * noise * np.trace(slope)])


def _spread(features: Floats) -> Floats:
    """Standard deviation of every column; 1 where the training set knows but one value."""
    spread: Floats = features.std(axis=0)
    return np.where(spread > 1e-12, spread, 1.0)
