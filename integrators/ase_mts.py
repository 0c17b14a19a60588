"""r-RESPA for ASE: the full force rarely, a cheap one often. Derivation: `polymd.integrators.mts`."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator
from ase.md.md import MolecularDynamics


class MultipleTimeStep(MolecularDynamics):
    """r-RESPA with two calculators, with Langevin friction or without.

    Without friction (`friction=None`) half of the kicks comes at the end of a step, and velocities are those
    of the positions' instant; with friction all kicks come first, and velocities are those right after the
    noise.

    Parameters
    ----------
    atoms
        With the calculator of the full force; moved in place.
    timestep
        Outer step, ASE's unit.
    inner
        Calculator of the inner force.
    inner_steps
        Inner steps in an outer one.
    temperature_K, friction
        K, 1/ASE's time.
    rng
        Of the noise.
    """

    def __init__(
        self,
        atoms: Atoms,
        timestep: float,
        *,
        inner: Calculator,
        inner_steps: int,
        temperature_K: float,
        friction: float | None,
        rng: np.random.Generator,
        **options: Any,
    ) -> None:
        super().__init__(atoms, timestep, **options)
        self.inner, self.inner_steps, self.rng = inner, inner_steps, rng
        self.inner_dt = self.dt / inner_steps
        self.langevin = friction is not None
        self._keep = np.exp(-(friction or 0.0) * self.inner_dt)
        self._noise = np.sqrt((1.0 - self._keep**2) * units.kB * temperature_K / self.masses)

    def step(self) -> None:
        """One outer step."""
        share = 1.0 if self.langevin else 0.5
        velocities = self.atoms.get_momenta() / self.masses + share * self._outer_kick()
        for number in range(self.inner_steps):
            if number > 0:
                velocities += self.inner_dt * self.inner.get_forces(self.atoms) / self.masses
            positions = self.atoms.get_positions() + 0.5 * self.inner_dt * velocities
            if self.langevin:
                noise = self.rng.standard_normal(velocities.shape)
                velocities = self._keep * velocities + self._noise * noise
            self.atoms.set_positions(positions + 0.5 * self.inner_dt * velocities)
        if not self.langevin:
            velocities += 0.5 * self._outer_kick()
        self.atoms.set_momenta(self.masses * velocities)

    def _outer_kick(self) -> Any:
        """Change of velocities (N, 3) by both forces where an outer step begins or ends."""
        inner = self.inner.get_forces(self.atoms)
        slow = self.atoms.get_forces(md=True) - inner
        return (self.dt * slow + self.inner_dt * inner) / self.masses
