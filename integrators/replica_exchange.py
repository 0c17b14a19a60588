"""Temperature replica exchange: replicas trade temperatures by Metropolis's criterion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.integrators.replica_langevin import ReplicaLangevin
from polymd.units import KB

Float = NDArray[np.float64]


class ReplicaExchange:
    """Temperature replica exchange (parallel tempering) on `ReplicaLangevin`.

    Every `interval` steps the walkers at temperatures T_k and T_k+1, of energies U_i and U_j, trade their
    temperatures with probability

        min(1, exp[(β_k - β_k+1) (U_i - U_j)]),   β = 1 / (k_B T),

    and their velocities are scaled with the square root of the ratio of temperatures (Sugita and Okamoto,
    Chem. Phys. Lett. 1999, 314, 141, section 2). Pairs (0, 1), (2, 3), ... and (1, 2), (3, 4), ... take
    turns, which moves walkers along the ladder faster than drawing pairs (Syed et al., J. R. Stat. Soc. B
    2022, 84, 321).

    | symbol | code               | unit |
    |--------|--------------------|------|
    | T_k    | `temperatures[k]`  | K    |
    | i, j   | `walkers[k]`, `walkers[k + 1]` | |
    | U_i    | `dynamics.potential_energies[i]` | eV |

    For a fifth to a third of the exchanges to succeed, ratios of neighbouring temperatures near 1 + 1.5 /
    sqrt(1.5 N) do for N atoms: `numpy.geomspace(300, 600, 8)` for 140 atoms.

    Parameters
    ----------
    dynamics
        Replicas of one molecule; their temperatures, ascending, are the ladder.
    seed
        Of the exchanges.
    interval
        Steps between attempts.

    Attributes
    ----------
    temperatures
        (K,) K, ascending.
    walkers
        (K,) the replica of `dynamics` that is at each temperature.
    attempted, accepted
        (K - 1,) exchanges of temperatures k and k + 1.

    Raises
    ------
    ValueError
        For fewer than two replicas, temperatures that do not ascend, different molecules and an interval of
        no step.
    """

    def __init__(self, dynamics: ReplicaLangevin, seed: int, *, interval: int = 100) -> None:
        self.dynamics, self.interval = dynamics, interval
        self.temperatures = dynamics.temperatures
        _check(dynamics, interval)
        self._rng = np.random.default_rng(seed)
        pairs = len(self.temperatures) - 1
        self.walkers = np.arange(pairs + 1)
        self.attempted, self.accepted = np.zeros(pairs, np.int64), np.zeros(pairs, np.int64)
        self._rounds = 0

    @property
    def acceptance(self) -> Float:
        """(K - 1,) shares of exchanges that succeeded, NaN before the first attempt."""
        tried = np.where(self.attempted > 0, self.attempted, np.nan)
        return np.asarray(self.accepted / tried, dtype=np.float64)

    @property
    def positions(self) -> Float:
        """(K, N, 3) Å of the walkers in order of temperature."""
        return self.dynamics.positions.reshape(len(self.walkers), -1, 3)[self.walkers]

    @property
    def potential_energies(self) -> Float:
        """(K,) eV of the walkers in order of temperature."""
        return self.dynamics.potential_energies[self.walkers]

    @property
    def kinetic_temperatures(self) -> Float:
        """(K,) K of the walkers in order of temperature."""
        return self.dynamics.kinetic_temperatures[self.walkers]

    def run(self, steps: int) -> None:
        """Do this many steps, with exchanges after every one that is a multiple of `interval`."""
        end = self.dynamics.steps_done + steps
        while self.dynamics.steps_done < end:
            to_next = self.interval - self.dynamics.steps_done % self.interval
            self.dynamics.run(min(to_next, end - self.dynamics.steps_done))
            if self.dynamics.steps_done % self.interval == 0:
                self._exchange()

    def accept(self, log_ratio: float) -> bool:
        """Metropolis's decision on a change of the ensemble's log probability; draws one random number."""
        return bool(-self._rng.standard_exponential() < log_ratio)

    def state(self) -> dict[str, Any]:
        """All that is needed to go on exactly, ready for JSON."""
        return {
            "dynamics": self.dynamics.state(),
            "walkers": self.walkers.tolist(),
            "attempted": self.attempted.tolist(),
            "accepted": self.accepted.tolist(),
            "rounds": self._rounds,
            "random": self._rng.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` gave into an exchange made in the same way."""
        self.dynamics.restore(state["dynamics"])
        for name in ("walkers", "attempted", "accepted"):
            setattr(self, name, np.array(state[name], dtype=np.int64))
        self._rounds = state["rounds"]
        self._rng.bit_generator.state = state["random"]

    def _exchange(self) -> None:
        beta, energies = 1.0 / (KB * self.temperatures), self.dynamics.potential_energies
        for k in range(self._rounds % 2, len(beta) - 1, 2):
            i, j = self.walkers[k], self.walkers[k + 1]
            self.attempted[k] += 1
            if self.accept(float((beta[k] - beta[k + 1]) * (energies[i] - energies[j]))):
                self.walkers[k], self.walkers[k + 1] = j, i
                self.accepted[k] += 1
        self._rounds += 1
        changed = np.empty_like(self.temperatures)
        changed[self.walkers] = self.temperatures
        self.dynamics.change_temperatures(changed)


def _check(dynamics: ReplicaLangevin, interval: int) -> None:
    temperatures, sizes = dynamics.temperatures, dynamics.sizes
    if len(temperatures) < 2 or not (np.diff(temperatures) > 0).all():
        raise ValueError(
            f"temperatures {temperatures.tolist()} K; give two or more, ascending, as "
            "numpy.geomspace(300, 600, 8)"
        )
    if len(set(sizes)) > 1 or np.ptp(dynamics.masses.reshape(len(sizes), -1), axis=0).any():
        raise ValueError(f"replicas of {sizes} atoms are not copies of one molecule, which exchange needs")
    if interval < 1:
        raise ValueError(f"interval {interval} is less than one step; 100 is usual")
