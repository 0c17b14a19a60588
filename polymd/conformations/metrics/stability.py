"""Whether a conformation starts molecular dynamics as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openmm

    from polymd.polymer import Polymer

__all__ = ["starts_dynamics"]

_BLOCK = 0.1  # ps
_TIMESTEP = 0.002  # ps
_HOTTEST = 2.0  # times the temperature of the thermostat


def starts_dynamics(
    polymer: Polymer,
    system: openmm.System,
    positions: NDArray[np.floating],
    *,
    picoseconds: float = 5.0,
    temperature: float = 300.0,
    seed: int = 0,
) -> bool:
    """Whether NVT runs from `positions` (N, 3) Å as they are, without minimising.

    Bonds to hydrogen are set to their length, velocities drawn at `temperature`, and the LangevinMiddle
    integrator run with 2 fs and 1/ps. True when every coordinate stays finite, the kinetic temperature
    stays under twice that of the thermostat (looked at every 0.1 ps), and the stereo is kept.
    """
    import openmm
    from openmm import unit

    from polymd.conformations.geometry import keeps_stereo

    integrator = openmm.LangevinMiddleIntegrator(temperature, 1.0, _TIMESTEP)
    integrator.setRandomNumberSeed(seed + 1)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions(np.asarray(positions, dtype=np.float64) * 0.1)
    freedoms = 3 * system.getNumParticles() - system.getNumConstraints()
    try:
        context.applyConstraints(1e-6)
        context.setVelocitiesToTemperature(temperature, seed + 1)
        for _ in range(round(picoseconds / _BLOCK)):
            integrator.step(round(_BLOCK / _TIMESTEP))
            state = context.getState(getEnergy=True)
            kinetic = state.getKineticEnergy() / (0.5 * freedoms * unit.MOLAR_GAS_CONSTANT_R)
            if not kinetic.value_in_unit(unit.kelvin) < _HOTTEST * temperature:
                return False
    except openmm.OpenMMException:  # a coordinate is NaN
        return False
    final = context.getState(getPositions=True).getPositions(asNumpy=True).value_in_unit(unit.angstrom)
    return keeps_stereo(polymer.to_rdkit(), np.asarray(final))
