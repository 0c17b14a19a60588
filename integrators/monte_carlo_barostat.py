"""Constant pressure through energies: Monte Carlo moves of the cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.integrators.barostats import Float, PeriodicSystem, check_cell
from polymd.units import KB

FIRST_MOVE = 0.01  #: of the volume
LARGEST_MOVE = 0.3
_TRIED, _LOW, _HIGH, _FACTOR = 10, 0.25, 0.75, 1.1  # those of OpenMM


class MonteCarloBarostat:
    """OpenMM's Monte Carlo barostat for every program, with a state that can be saved.

    A move draws V' uniformly within ±ΔV_max of V, shifts each molecule as a whole with the scaled cell, and
    is accepted with the probability min(1, exp(-w / k_B T)),

        w = U' - U + P₀ (V' - V) - M k_B T ln(V' / V)

    The anisotropic one changes one edge, drawn at random, instead of all. After 10 moves ΔV_max grows or
    shrinks by a tenth when more than 75 % or less than 25 % were accepted.

    Source: Chow and Ferguson, Comput. Phys. Commun. 1995, 91, 283 and Åqvist et al., Chem. Phys. Lett. 2004,
    384, 288, as in `openmm.MonteCarloBarostat`. That of OpenMM serves as well with `torch_force` and
    `python_force`, but its counter and ΔV_max are in no checkpoint of OpenMM, so a run with it cannot be
    resumed exactly.

    | symbol  | code           | unit  |
    |---------|----------------|-------|
    | U       | `energy`       | eV    |
    | P₀      | `pressure`     | eV/Å³ |
    | M       | molecules      | 1     |
    | ΔV_max  | `largest`      | Å³    |

    Parameters
    ----------
    pressure
        eV/Å³.
    temperature
        K.
    rng
        Of the moves.
    anisotropic
        The edges of a rectangular cell change one by one.
    molecules
        (N,) number of the molecule of each atom, from 0; each atom its own unless given.
    interval
        Steps between two moves. Each costs an evaluation of the energy.
    """

    def __init__(
        self,
        pressure: float,
        temperature: float,
        rng: np.random.Generator,
        *,
        anisotropic: bool = False,
        molecules: NDArray[np.int64] | None = None,
        interval: int = 25,
    ) -> None:
        self.pressure, self.anisotropic, self.interval = pressure, anisotropic, interval
        self._kt = KB * temperature
        self._rng = rng
        self._molecules = molecules
        self._largest: list[float] = []
        self._tried, self._accepted = [0, 0, 0], [0, 0, 0]

    def apply(self, system: PeriodicSystem) -> None:
        """Try one move."""
        positions, cell = system.geometry()
        volume = check_cell(cell, self.anisotropic)
        if not self._largest:
            self._largest = [FIRST_MOVE * volume] * 3
        axis = int(self._rng.integers(3)) if self.anisotropic else 0
        change = self._largest[axis] * self._rng.uniform(-1.0, 1.0)
        ratio = (volume + change) / volume
        scale = np.ones(3)
        if self.anisotropic:
            scale[axis] = ratio
        else:
            scale[:] = ratio ** (1.0 / 3.0)
        before = system.energy()
        centres, n_molecules = self._centres(positions)
        system.move(positions + centres * (scale - 1.0), cell * scale)
        work = system.energy() - before + self.pressure * change - n_molecules * self._kt * np.log(ratio)
        accepted = bool(self._rng.random() < np.exp(min(0.0, -work / self._kt)))
        if not accepted:
            system.move(positions, cell)
        self._adapt(axis, accepted, volume)

    def _centres(self, positions: Float) -> tuple[Float, int]:
        """Centre (N, 3) of the molecule of each atom, and the number of molecules."""
        if self._molecules is None:
            return positions, len(positions)
        sizes = np.bincount(self._molecules)
        sums = np.stack([np.bincount(self._molecules, weights=x) for x in positions.T], axis=1)
        return (sums / sizes[:, None])[self._molecules], len(sizes)

    def _adapt(self, axis: int, accepted: bool, volume: float) -> None:
        self._tried[axis] += 1
        self._accepted[axis] += accepted
        if self._tried[axis] < _TRIED:
            return
        rate = self._accepted[axis] / self._tried[axis]
        if rate < _LOW:
            self._largest[axis] /= _FACTOR
        elif rate > _HIGH:
            self._largest[axis] = min(self._largest[axis] * _FACTOR, LARGEST_MOVE * volume)
        self._tried[axis] = self._accepted[axis] = 0

    def state(self) -> dict[str, Any]:
        """Largest moves and the count of tries."""
        return {
            "largest": list(self._largest),
            "tried": list(self._tried),
            "accepted": list(self._accepted),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` gave."""
        self._largest = list(state["largest"])
        self._tried, self._accepted = list(state["tried"]), list(state["accepted"])
