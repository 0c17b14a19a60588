"""A Gaussian process on fingerprints of infinite chains: the gate that every network must pass.

The covariance is a sum of kernels with weights of their own,

    k(x, x') = w1 m(a, a') + w2 m(a, a')³ + w3 m(e, e') + w4 b · b'
             + w5 M(d, d') + w6 M(d, d'; 4 l) + w7 M(h, h') + w8 M(h, h'; 4 l)
             + w9 M(g, g') + w10 M(g, g'; 4 l) + n δ

=========  ==================================================================================
m(u, v)    min-max (Tanimoto) kernel of counts, Σ min(u, v) / Σ max(u, v)
a          counts of environments, pairs and paths an atom of the smallest repeat
e          counts of environments of the smallest repeat
b          counts of environments of at most one bond an atom, divided by their spread
M          Matérn kernel of order 3/2, length l the median distance of the training set
d          descriptors, divided by their spread
h          Hückel bands of the infinite chain (`polymd.properties.bands`), divided by their spread
g          contributions of groups (`polymd.properties.contributions`), divided by their spread
n          variance of the noise
=========  ==================================================================================

The weights and the noise maximise the marginal likelihood of the training set (Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, equations 2.25, 2.26, 2.30, 5.9). Spreads and l are those
of the training set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.features import N_KERNELS, Features, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float64]

__all__ = ["FittedProcess", "Kernels", "covariances", "deviation", "factorise", "fit", "needed", "solve"]

#: polymers of the training set that the weights are fitted to, at most; all of them condition the process
MOST_FOR_WEIGHTS = 700
_START = (-1.0, -1.0, -2.0, -1.0, -2.0, -1.0, -1.0, -1.0, -1.0, -1.0, -3.0)  # of the fit
_LEAST_WEIGHT = 1e-4  # of the largest; kernels of less are left out
_BOUNDS = (-12.0, 6.0)  # of the logarithms of weights and noise, targets of unit variance


@dataclass(frozen=True)
class Kernels:
    """Kernels of a table of polymers that need no training set, shapes (N, N), and its features (N, ...)."""

    intensive: Floats
    extensive: Floats
    bonds: csr_array  #: (N, B)
    dense: tuple[Floats, ...]  #: as `Features.dense`

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint]) -> Kernels:
        """Compare all polymers of a table once, whatever the folds."""
        return cls.between(Features.of(fingerprints))

    @classmethod
    def between(cls, table: Features) -> Kernels:
        """The same from their features."""
        return cls(table.intensive(), table.extensive(), table.bonds(len(table.codes)), table.dense)

    def scaling(self, train: NDArray[np.intp]) -> Scaling:
        """The scales of a training set."""
        return Scaling.of(self.bonds[train], self._dense(train))

    def parts(
        self,
        scaling: Scaling,
        rows: NDArray[np.intp],
        columns: NDArray[np.intp],
        wanted: Sequence[bool] = (True,) * N_KERNELS,
    ) -> Iterator[Floats]:
        """The wanted kernels between two sets of polymers, each (rows, columns)."""
        at = np.ix_(rows, columns)
        return scaling.parts(
            wanted,
            self.intensive[at],
            self.extensive[at],
            (self.bonds[rows], self.bonds[columns]),
            (self._dense(rows), self._dense(columns)),
        )

    def _dense(self, rows: NDArray[np.intp]) -> list[Floats]:
        return [part[rows] for part in self.dense]


@dataclass(frozen=True)
class FittedProcess:
    """A process with weights of its own, conditioned on its training set."""

    kernels: Kernels
    train: NDArray[np.intp]
    scaling: Scaling
    logarithms: Floats  #: of the kernels' weights and of the noise variance, for targets of unit variance
    mean: float
    scale: float
    targets: Floats  #: (N train,), of zero mean and unit variance

    def predict(self, rows: NDArray[np.intp]) -> tuple[Floats, Floats]:
        """Value and standard deviation (noise included) of polymers of `kernels`, in the target's unit."""
        own = self.scaling.own(self.kernels.bonds[rows])
        cross = self.covariance(rows)
        factor = factorise(self.logarithms, self.covariance(self.train))
        values = cross.T @ solve(factor, self.targets)
        return self.mean + self.scale * values, self.scale * deviation(self.logarithms, factor, cross, own)

    def covariance(self, columns: NDArray[np.intp]) -> Floats:
        """Of the training set with polymers of `kernels`, without noise, (T, columns)."""
        parts = self.kernels.parts(self.scaling, self.train, columns, needed(self.logarithms))
        return covariances([self.logarithms], parts)[0]

    def left_out(self) -> Floats:
        """Value of each polymer of the training set by the process of all others, (T,), with these weights.

        Rasmussen and Williams, equation 5.12: y - [K⁻¹ y] / diag K⁻¹.
        """
        factor = factorise(self.logarithms, self.covariance(self.train))
        inverse = solve(factor, np.eye(len(self.targets)))
        values: Floats = self.targets - solve(factor, self.targets) / np.diag(inverse)
        return self.mean + self.scale * values


def needed(*logarithms: Floats) -> list[bool]:
    """Of which kernels the weight is not 0 in one of the processes."""
    found: list[bool] = np.any(np.isfinite(logarithms), axis=0)[:-1].tolist()
    return found


def covariances(logarithms: Sequence[Floats], parts: Iterable[Floats]) -> list[Floats]:
    """The weighted sums (R, C), without noise, of several processes on the same `needed` kernels."""
    totals: list[Floats | None] = [None] * len(logarithms)
    for kernel, part in zip(np.flatnonzero(needed(*logarithms)), parts, strict=True):
        for number, own in enumerate(logarithms):
            weighted, total = np.exp(own[kernel]) * part, totals[number]
            totals[number] = weighted if total is None else np.add(total, weighted, out=total)
    return [total for total in totals if total is not None]


def factorise(logarithms: Floats, inner: Floats) -> Floats:
    """Lower Cholesky factor of the covariance of a training set with noise, (T, T).

    Of `inner`, the covariance without noise, the lower half is read and overwritten.
    """
    from scipy.linalg import cholesky

    inner[np.diag_indices_from(inner)] += np.exp(logarithms[-1])
    factor: Floats = cholesky(inner, lower=True, overwrite_a=True)
    return factor


def solve(factor: Floats, targets: Floats) -> Floats:
    """Coefficients of a training set: covariance⁻¹ targets (T, ...); a mean is cross.T @ them (2.25)."""
    from scipy.linalg import cho_solve

    coefficients: Floats = cho_solve((factor, True), targets)
    return coefficients


def deviation(logarithms: Floats, factor: Floats, cross: Floats, own: Floats) -> Floats:
    """Standard deviation of Q polymers, (Q,), with the noise, equation 2.26.

    From the training set's factor (T, T), the covariance (T, Q) with it and `Scaling.own` (kernels, Q).
    """
    from scipy.linalg import solve_triangular

    weights, noise = np.exp(logarithms[:-1]), np.exp(logarithms[-1])
    solved = solve_triangular(factor, cross, lower=True)
    variance = weights @ own + noise - np.einsum("ij,ij->j", solved, solved)
    spread: Floats = np.sqrt(np.maximum(variance, noise))
    return spread


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
    scaling = kernels.scaling(train)
    parts = np.stack(list(kernels.parts(scaling, train[chosen], train[chosen])))
    start = np.array(_START)
    found = minimize(
        negative_likelihood,
        start,
        args=(parts, targets[chosen]),
        jac=True,
        method="L-BFGS-B",
        bounds=[_BOUNDS] * len(start),
        options={"maxiter": 40, "ftol": 1e-6},
    )
    weights = found.x[:-1]
    weights[weights < weights.max() + np.log(_LEAST_WEIGHT)] = -np.inf
    return FittedProcess(kernels, train, scaling, found.x, mean, scale, targets)


def negative_likelihood(logarithms: Floats, parts: Floats, targets: Floats) -> tuple[float, Floats]:
    """Negative logarithm of the marginal likelihood but for a constant, and its gradient, (kernels + 1,)."""
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
