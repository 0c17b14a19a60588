"""Bussi's stochastic velocity rescaling for OpenMM, which has none."""

from __future__ import annotations

import numpy as np
import openmm
from openmm import unit

from polymd.integrators.velocities import degrees_of_freedom
from polymd.units import EV_KJ_MOL, KB


class BussiIntegrator(openmm.CustomIntegrator):
    """Velocity Verlet after stochastic rescaling of all velocities by α.

    Bussi, Donadio and Parrinello, J. Chem. Phys. 2007, 126, 014101, eq. A7 (doi:10.1063/1.2408420):

        α² = c + (1 - c) k_B T (R² + S) / 2K + 2 R sqrt(c (1 - c) k_B T / 2K),   c = exp(-Δt/τ)

    | symbol | code              | meaning                                       |
    |--------|-------------------|-----------------------------------------------|
    | 2K     | `twice_kinetic`   | twice the kinetic energy                      |
    | R      | `R`               | a normal deviate                              |
    | S      | `S`               | sum of the squares of 3N - 4 more             |
    | τ      | `relaxation_time` | fs                                            |

    The two random numbers of a step come from `rng`: OpenMM's own stream moves on with every look at the
    kinetic energy, and a run would depend on how often somebody looked. Velocities are those of the
    positions' instant. The total momentum has to be zero.

    Parameters
    ----------
    n_atoms
        N, which decides the 3N - 3 degrees of freedom.
    temperature
        K.
    timestep, relaxation_time
        fs.
    seed
        Of `rng`.

    Attributes
    ----------
    rng
        `numpy.random.Generator`; its state belongs to that of the run.
    """

    def __init__(
        self, n_atoms: int, temperature: float, timestep: float, seed: int, *, relaxation_time: float = 1000.0
    ) -> None:
        super().__init__(timestep * unit.femtosecond)
        self.rng = np.random.default_rng(seed)
        self._others = degrees_of_freedom(n_atoms, "nvt", "bussi") - 1
        self.addGlobalVariable("kT", KB * temperature * EV_KJ_MOL)
        self.addGlobalVariable("c", float(np.exp(-timestep / relaxation_time)))
        for name in ("twice_kinetic", "R", "S", "alpha"):
            self.addGlobalVariable(name, 0.0)
        self.addUpdateContextState()
        self.addComputeSum("twice_kinetic", "m*v*v")
        self.addComputeGlobal(
            "alpha", "sqrt(c + (1-c)*ratio*(R^2+S) + 2*R*sqrt(c*(1-c)*ratio)); ratio=kT/twice_kinetic"
        )
        self.addComputePerDof("v", "alpha*v")
        add_velocity_verlet(self)

    def step(self, steps: int) -> None:
        """Do this many steps."""
        for _ in range(steps):
            self.setGlobalVariableByName("R", float(self.rng.standard_normal()))
            self.setGlobalVariableByName("S", float(self.rng.chisquare(self._others)))
            super().step(1)


def add_velocity_verlet(integrator: openmm.CustomIntegrator) -> None:
    """Append v ← v + ½ Δt F/m, x ← x + Δt v, v ← v + ½ Δt F/m."""
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
    integrator.addComputePerDof("x", "x + dt*v")
    integrator.addComputePerDof("v", "v + 0.5*dt*f/m")
