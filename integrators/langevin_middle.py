"""Langevin dynamics for ASE by the splitting of OpenMM's LangevinMiddleIntegrator."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.md import MolecularDynamics


class LangevinMiddle(MolecularDynamics):
    """Langevin dynamics, one force a step, configurations right to fourth order of the step in the harmonic
    limit.

        v ← v + Δt F/m
        x ← x + ½ Δt v,   v ← e^(-γΔt) v + sqrt((1 - e^(-2γΔt)) k_B T / m) ξ,   x ← x + ½ Δt v

    The steps are those of BAOAB (Leimkuhler and Matthews, J. Chem. Phys. 2013, 138, 174102) begun half a
    kick earlier, so positions are those of BAOAB and velocities those right after its O, where the
    kinetic energy has the right distribution at any stable step: Zhang et al., J. Phys. Chem. A 2019, 123,
    6056, section II (doi:10.1021/acs.jpca.9b02771). OpenMM's LangevinMiddleIntegrator is the same.

    | symbol | code            | unit here    |
    |--------|-----------------|--------------|
    | Δt     | `timestep`      | ASE's        |
    | γ      | `friction`      | 1/ASE's time |
    | T      | `temperature_K` | K            |
    | ξ      | `noise`         | 1            |

    Parameters
    ----------
    atoms
        With a calculator; moved in place.
    timestep, friction, temperature_K
        In ASE's units.
    rng
        Its state, with positions and momenta, is all that is needed to go on exactly.
    """

    def __init__(
        self,
        atoms: Atoms,
        timestep: float,
        *,
        temperature_K: float,
        friction: float,
        rng: np.random.Generator,
        **options: Any,
    ) -> None:
        super().__init__(atoms, timestep, **options)
        self.rng = rng
        self._keep = np.exp(-friction * timestep)
        self._noise = np.sqrt((1.0 - self._keep**2) * units.kB * temperature_K / self.masses)

    def step(self) -> None:
        """One step."""
        atoms, half = self.atoms, 0.5 * self.dt
        forces = atoms.get_forces(md=True)
        velocities = (atoms.get_momenta() + self.dt * forces) / self.masses
        positions = atoms.get_positions() + half * velocities
        velocities = self._keep * velocities + self._noise * self.rng.standard_normal(velocities.shape)
        atoms.set_positions(positions + half * velocities)
        atoms.set_momenta(self.masses * velocities)
