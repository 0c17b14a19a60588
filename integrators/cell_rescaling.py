"""Stochastic cell rescaling: constant pressure through the analytic stress."""

from __future__ import annotations

from typing import Any

import numpy as np

from polymd.integrators.barostats import PeriodicSystem, check_cell
from polymd.units import BAR, KB

COMPRESSIBILITY = 4.5e-5 / BAR  #: Å³/eV, of water and about that of most polymers
RELAXATION_TIME = 1000.0  #: fs
LARGEST_CHANGE = 0.1  #: of an edge in one application; more means that forces or times are wrong


class CellChangeError(RuntimeError):
    """The cell would change beyond all measure."""


class StochasticCellRescaling:
    """First-order, stochastic changes of the cell with the right fluctuations of the volume.

    Isotropic, in λ = sqrt(V), for which the noise is constant (Bernetti and Bussi, J. Chem. Phys. 2020, 153,
    114107, eq. 9, doi:10.1063/5.0020514):

        dλ = -(β_T λ / 2τ) (P₀ - P - k_B T / 2V) dt + sqrt(k_B T β_T / 2τ) dW

    Anisotropic, for the logarithms ε_a of the three edges, the same stationary distribution
    exp(-(U + P₀V) / k_B T) V^N dL_x dL_y dL_z by the same argument (a noise of variance
    2 k_B T β_T / 3Vτ in each, whose gradient cancels the k_B T / V):

        dε_a = (β_T / 3τ) (P_aa - P₀) dt + sqrt(2 k_B T β_T / 3Vτ) dW_a

    The internal pressure has the average kinetic part, P_aa = N k_B T / V - σ_aa, P = Σ P_aa / 3, and
    velocities are not scaled: the ensemble exp(-(K + U + P₀V) / k_B T) with the momenta as variables of their
    own asks for just that, as in Monte Carlo. It keeps barostat and thermostat apart, and no velocities of a
    half step enter the pressure.

    | symbol | code              | unit |
    |--------|-------------------|------|
    | V      | `volume`          | Å³   |
    | P₀     | `pressure`        | eV/Å³ |
    | σ      | `system.stress()` | eV/Å³ |
    | β_T    | `compressibility` | Å³/eV |
    | τ      | `relaxation_time` | fs   |
    | dt     | `interval` steps  | fs   |

    Only the ratio β_T/τ matters: it sets how fast the volume relaxes, not where to.

    Parameters
    ----------
    pressure
        eV/Å³.
    temperature
        K.
    timestep
        fs.
    rng
        Of the noise.
    anisotropic
        The edges of a rectangular cell change on their own.
    interval
        Steps between two applications. Each costs an evaluation of the stress and makes the integrator
        evaluate forces anew.
    """

    def __init__(
        self,
        pressure: float,
        temperature: float,
        timestep: float,
        rng: np.random.Generator,
        *,
        anisotropic: bool = False,
        interval: int = 20,
        compressibility: float = COMPRESSIBILITY,
        relaxation_time: float = RELAXATION_TIME,
    ) -> None:
        self.pressure, self.anisotropic, self.interval = pressure, anisotropic, interval
        self._kt = KB * temperature
        self._rate = compressibility * interval * timestep / relaxation_time
        self._rng = rng

    def apply(self, system: PeriodicSystem) -> None:
        """Scale cell and positions once.

        Raises
        ------
        CellChangeError
            When an edge would change by more than 10 %.
        """
        positions, cell = system.geometry()
        volume = check_cell(cell, self.anisotropic)
        internal = len(positions) * self._kt / volume - np.diag(system.stress())
        if self.anisotropic:
            drift = self._rate / 3.0 * (internal - self.pressure)
            width = np.sqrt(2.0 * self._kt * self._rate / (3.0 * volume))
            scale = np.exp(drift + width * self._rng.standard_normal(3))
        else:
            excess = self.pressure - internal.mean() - self._kt / (2.0 * volume)
            change = (
                -0.5 * self._rate * excess
                + np.sqrt(0.5 * self._kt * self._rate / volume) * self._rng.standard_normal()
            )
            scale = np.full(3, max(1.0 + change, 0.0) ** (2.0 / 3.0))
        if not (np.abs(scale - 1.0) < LARGEST_CHANGE).all():
            raise CellChangeError(
                f"the internal pressure of {internal.mean() / BAR:.3g} bar would change an edge of the cell "
                f"by {100 * np.abs(scale - 1.0).max():.3g} % at once; the limit is "
                f"{100 * LARGEST_CHANGE:g} %: minimise first, or start nearer to the density"
            )
        system.move(positions * scale, cell * scale)

    def state(self) -> dict[str, Any]:
        """Nothing: all it has is its random generator."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing to load."""
