"""ASE's Nose-Hoover chain for a system whose centre of mass rests, and with a state that can be saved."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.md.nose_hoover_chain import NoseHooverChainNVT, NoseHooverChainThermostat


class NoseHooverChain(NoseHooverChainNVT):
    """`ase.md.nose_hoover_chain.NoseHooverChainNVT` with 3N - 3 instead of 3N degrees of freedom.

    The chain scales all momenta alike, so a total momentum of zero stays zero; ASE's class would then give
    N / (N - 1) times the temperature asked for. Positions and momenta are read from `atoms` at each step, so
    they may be changed between steps.

    Parameters as for ASE's class, in ASE's units.
    """

    def __init__(
        self, atoms: Atoms, timestep: float, *, temperature_K: float, tdamp: float, **options: Any
    ) -> None:
        super().__init__(atoms, timestep, temperature_K, tdamp, **options)
        self._thermostat = NoseHooverChainThermostat(
            num_atoms_global=max(1, len(atoms) - 1),
            masses=self.masses,
            temperature_K=temperature_K,
            tdamp=tdamp,
        )

    def step(self) -> None:
        """One step."""
        self._q, self._p = self.atoms.get_positions(), self.atoms.get_momenta()
        super().step()

    def state(self) -> dict[str, list[float]]:
        """Positions and momenta of the chain."""
        return {"eta": self._thermostat._eta.tolist(), "p_eta": self._thermostat._p_eta.tolist()}

    def restore(self, state: dict[str, list[float]]) -> None:
        """Load what `state` gave."""
        self._thermostat._eta = np.array(state["eta"])
        self._thermostat._p_eta = np.array(state["p_eta"])
