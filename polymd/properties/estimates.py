"""What a property model says of many polymers, and the interval that it means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["WITHIN_90", "Estimates", "calibration", "coverage"]

WITHIN_90 = 1.6448536269514722  #: standard deviations on either side that hold 90 % of a Gaussian


@dataclass(frozen=True)
class Estimates:
    """Gaussian estimates of a property, or of its logarithm, for N polymers."""

    mean: Floats  #: (N,)
    deviation: Floats  #: (N,), standard deviation of a new measurement
    inside: NDArray[np.bool_]  #: (N,), inside the domain that the model was trained on
    logarithmic: bool = False  #: mean and deviation are of the natural logarithm

    @classmethod
    def joined(cls, parts: Sequence[Estimates]) -> Estimates:
        """Estimates of one property for several sets of polymers, one after the other."""
        mean, deviation, inside = (
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("mean", "deviation", "inside")
        )
        return cls(mean, deviation, inside, parts[0].logarithmic)

    def interval(self) -> tuple[Floats, Floats, Floats]:
        """Lower bound, median and upper bound of the 90 % interval, each (N,), in the property's unit."""
        reach = WITHIN_90 * self.deviation
        bounds = (self.mean - reach, self.mean, self.mean + reach)
        low, middle, high = (np.exp(b) if self.logarithmic else b for b in bounds)
        return low, middle, high

    def widened(self, factor: float) -> Estimates:
        """With every deviation times a factor."""
        return replace(self, deviation=self.deviation * factor)


def calibration(errors: Floats, deviations: Floats) -> float:
    """Factor on deviations with which 90 % of the errors lie inside their 90 % interval."""
    return float(np.quantile(np.abs(errors) / deviations, 0.9) / WITHIN_90)


def coverage(errors: Floats, deviations: Floats) -> float:
    """Share of errors inside their 90 % interval."""
    return float(np.mean(np.abs(errors) <= WITHIN_90 * deviations))
