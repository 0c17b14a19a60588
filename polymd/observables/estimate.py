"""A mean over a correlated time series and its standard error."""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Quantile of the chi-squared distribution, as in Jonsson's paper.
_SIGNIFICANCE = 0.99
# One block's correlation with the next is not trusted beyond this: the correction would explode.
_LARGEST_CORRELATION = 0.8


@dataclass(frozen=True)
class Estimate:
    """A measured quantity: `value` ± `error` (one standard error) in `unit`.

    `error` is NaN where it cannot be known, that is for fewer than two samples.
    """

    value: float
    error: float
    unit: str

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.error:.2g} {self.unit}".rstrip()

    def as_dict(self) -> dict[str, float | str | None]:
        """`{"value", "error", "unit"}` for JSON, with None for an unknown error."""
        return {
            "value": self.value,
            "error": None if math.isnan(self.error) else self.error,
            "unit": self.unit,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """The estimate that [`as_dict`][polymd.observables.Estimate.as_dict] made this of."""
        error = stored["error"]
        return cls(float(stored["value"]), math.nan if error is None else float(error), str(stored["unit"]))


def mean_with_error(series: ArrayLike, unit: str = "") -> Estimate:
    r"""Mean of a stationary, correlated series with a block-averaged standard error.

    The series is averaged in pairs again and again (blocking). At each level k with n_k blocks

        σ_k²  = (1/n_k) Σ_i (x_i - x̄)²
        γ_k   = (1/n_k) Σ_i (x_i - x̄)(x_{i+1} - x̄)
        M_k   = Σ_{j≥k} n_j [(n_j - 1) σ_j² / n_j² + γ_j]² / σ_j⁴

    and the first level at which M_k falls below the 99 % quantile of χ² with d - k degrees of freedom is
    taken as free of significant correlation. What correlation r = γ_k/σ_k² remains between neighbouring
    blocks is corrected for as in an autoregressive process of first order:

        error² = σ_k² / (n_k - 1) · (1 + r)/(1 - r),   0 ≤ r ≤ 0.8

    | symbol   | in the code                                         |
    |----------|-----------------------------------------------------|
    | x_i      | `blocks`, the series averaged in pairs k times      |
    | σ_k²     | `variance`                                          |
    | γ_k      | `covariance`                                        |
    | n_k, d   | `count`, the number of levels                       |
    | M_k      | `statistic`                                         |

    Sources: blocking with σ²/(n - 1), H. Flyvbjerg and H. G. Petersen, J. Chem. Phys. 91, 461 (1989),
    section IV; the choice of the level, M. Jonsson, Phys. Rev. E 98, 043304 (2018); (1 + r)/(1 - r) is
    twice the integrated autocorrelation time of an AR(1) process, A. Sokal, Monte Carlo Methods in
    Statistical Mechanics (1997), section 3.

    A series shorter than some ten correlation times cannot show its own correlation: the error then comes out
    too small, by a factor of two for a series of two correlation times.

    Parameters
    ----------
    series
        `(n,)` samples at equal time intervals.
    unit
        The unit of the samples.

    Raises
    ------
    ValueError
        The series is empty, not one-dimensional, or holds NaN or infinity.
    """
    samples = _checked(series)
    return Estimate(float(samples.mean()), _standard_error(samples), unit)


def ratio_with_error(numerator: ArrayLike, denominator: ArrayLike, unit: str = "") -> Estimate:
    """Ratio of two means, ⟨a⟩/⟨b⟩, with the error to first order: that of the series (a - (⟨a⟩/⟨b⟩) b)/⟨b⟩.

    Parameters
    ----------
    numerator, denominator
        `(n,)` samples of the same frames.
    unit
        The unit of the ratio.

    Raises
    ------
    ValueError
        A series is empty or not finite, or their lengths differ, or ⟨b⟩ is zero.
    """
    above, below = _checked(numerator), _checked(denominator)
    if above.shape != below.shape:
        raise ValueError(f"series of {above.size} and {below.size} samples; give two of the same length")
    mean = below.mean()
    if mean == 0.0:
        raise ValueError("the denominator's mean is 0; the ratio is undefined")
    ratio = float(above.mean() / mean)
    return Estimate(ratio, _standard_error((above - ratio * below) / mean), unit)


def _checked(series: ArrayLike) -> NDArray[np.float64]:
    samples = np.asarray(series, dtype=np.float64)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"a series of shape {samples.shape}; give a flat one of at least one sample")
    if not np.isfinite(samples).all():
        bad = int((~np.isfinite(samples)).sum())
        raise ValueError(f"{bad} of {samples.size} samples are NaN or infinite; give finite ones")
    return samples


def _standard_error(samples: NDArray[np.float64]) -> float:
    if samples.size < 2:
        return math.nan
    if np.ptp(samples) == 0.0:
        return 0.0
    count, variance, covariance = _blocking_levels(samples)
    level = _uncorrelated_level(count, variance, covariance)
    correlation = min(max(covariance[level] / variance[level], 0.0), _LARGEST_CORRELATION)
    squared = variance[level] / (count[level] - 1.0) * (1.0 + correlation) / (1.0 - correlation)
    return math.sqrt(squared)


def _blocking_levels(
    samples: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """`(d,)` number of blocks, variance and lag-one covariance of the blocks at each level."""
    levels = []
    mean = samples.mean()
    blocks = samples - mean
    while blocks.size >= 2:
        variance = float(np.mean(np.square(blocks)))
        if variance == 0.0:
            break
        levels.append((float(blocks.size), variance, float(np.sum(blocks[:-1] * blocks[1:])) / blocks.size))
        pairs = blocks.size // 2
        blocks = 0.5 * (blocks[: 2 * pairs : 2] + blocks[1 : 2 * pairs : 2])
    count, variances, covariances = np.array(levels).T
    return count, variances, covariances


def _uncorrelated_level(
    count: NDArray[np.float64], variance: NDArray[np.float64], covariance: NDArray[np.float64]
) -> int:
    """First level whose blocks, and all longer ones, show no significant correlation (Jonsson 2018)."""
    from scipy.special import chdtri

    terms = count * np.square(((count - 1.0) * variance / np.square(count) + covariance) / variance)
    statistic = np.cumsum(terms[::-1])[::-1]
    freedom = np.arange(count.size, 0, -1)
    below = statistic < chdtri(freedom, 1.0 - _SIGNIFICANCE)
    return int(np.argmax(below)) if below.any() else count.size - 1
