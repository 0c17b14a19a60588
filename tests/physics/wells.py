"""Potentials of replicas whose ensembles are known exactly, at the price of some microseconds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polymd.units import KB

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Result:
    """Energies (M,) and forces shaped as the positions."""

    energies: Float
    forces: Float


class Quartic:
    """U = Σ ½ k x² + ¼ q x⁴ over all coordinates of atoms that do not see each other."""

    def __init__(self, k: float = 0.3, q: float = 3.0) -> None:
        self.k, self.q = k, q

    def evaluate(self, positions: Float) -> Result:
        """Replicas (M, N, 3)."""
        square = positions**2
        energies = (square * (0.5 * self.k + 0.25 * self.q * square)).sum(axis=(1, 2))
        return Result(energies, -positions * (self.k + self.q * square))


class DoubleWell:
    """One atom: U = a (x² - 1)² - b x + ½ k (y² + z²), a barrier of about a between wells at ±1 Å, the right
    one deeper by about 2 b.
    """

    def __init__(self, a: float = 0.26, b: float = 0.015, k: float = 1.0) -> None:
        self.a, self.b, self.k = a, b, k

    def evaluate(self, positions: Float) -> Result:
        """Replicas (M, 1, 3)."""
        x, rest = positions[:, 0, 0], positions[:, 0, 1:]
        energies = self.along(x) + 0.5 * self.k * (rest**2).sum(axis=1)
        forces = -self.k * positions
        forces[:, 0, 0] = self.b - 4.0 * self.a * x * (x * x - 1.0)
        return Result(energies, forces)

    def along(self, x: Float) -> Float:
        """Energy of x alone."""
        return np.asarray(self.a * (x * x - 1.0) ** 2 - self.b * x)

    def exact(self, temperature: float) -> tuple[float, float]:
        """Probability of x < 0 and mean energy (eV), by quadrature."""
        x = np.linspace(-3.0, 3.0, 6001)
        weight = np.exp(-self.along(x) / (KB * temperature))
        mean = (weight * self.along(x)).sum() / weight.sum() + KB * temperature
        return float(weight[x < 0].sum() / weight.sum()), float(mean)
