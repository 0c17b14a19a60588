"""Annealed Langevin dynamics of one chain from many starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import openmm

    from polymd.polymer import Polymer

__all__ = ["Frames", "Schedule", "anneal"]

TIMESTEP = 4.0  #: fs, with hydrogens of 3 amu and bonds to them of constant length
FRICTION = 5.0  #: 1/ps
_COOLING_STEPS = 10
_MINIMISER_STEPS = 200


class Schedule(NamedTuple):
    """Temperatures in K, times in ps, and frames from the last part."""

    hot: float
    temperature: float
    time_hot: float
    time_cooling: float
    time: float
    frames: int


class Frames(NamedTuple):
    """Positions (F, N, 3) in Å, GAFF2 energies (F,) in eV, and from which start each frame is (F,)."""

    positions: NDArray[np.float32]
    energies: NDArray[np.float64]
    start: NDArray[np.int16]


def anneal(
    polymer: Polymer, system: openmm.System, starts: NDArray[np.float64], schedule: Schedule, seed: int
) -> Frames:
    """Minimise, heat, cool and sample each of `starts` (S, N, 3) Å with the LangevinMiddle integrator.

    Z. Zhang et al., J. Phys. Chem. A 123, 6056 (2019); on OpenMM's CPU platform with one thread. Starts whose
    dynamics fails, or whose chain loses its stereo, are left out.
    """
    import openmm
    from openmm import unit

    from polymd.conformations.geometry import keeps_stereo
    from polymd.units import EV_KJ_MOL

    integrator = openmm.LangevinMiddleIntegrator(schedule.hot, FRICTION, 1e-3 * TIMESTEP)
    integrator.setRandomNumberSeed(seed % (2**31 - 2) + 1)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    mol = polymer.to_rdkit()
    positions, energies, owners = [], [], []
    stride = max(1, round(schedule.time * 1000 / TIMESTEP / schedule.frames))
    for number, start in enumerate(starts):
        try:
            _prepare(context, integrator, start, schedule, seed + number)
            frames, values = [], []
            for _ in range(schedule.frames):
                integrator.step(stride)
                state = context.getState(getPositions=True, getEnergy=True)
                frames.append(state.getPositions(asNumpy=True).value_in_unit(unit.angstrom))
                values.append(state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole) / EV_KJ_MOL)
        except openmm.OpenMMException:  # a coordinate is NaN
            continue
        if np.isfinite(values).all() and keeps_stereo(mol, frames[-1]):
            block = np.stack(frames)
            positions.append(block - block.mean(axis=1, keepdims=True))
            energies += values
            owners += [number] * len(values)
    stacked = np.concatenate(positions) if positions else np.empty((0, polymer.n_atoms, 3))
    return Frames(stacked.astype(np.float32), np.array(energies), np.array(owners, dtype=np.int16))


def _prepare(
    context: openmm.Context,
    integrator: openmm.LangevinMiddleIntegrator,
    start: NDArray[np.float64],
    schedule: Schedule,
    seed: int,
) -> None:
    """From a start to a chain at the final temperature."""
    import openmm

    context.setPositions(start * 0.1)
    openmm.LocalEnergyMinimizer.minimize(context, 10.0, _MINIMISER_STEPS)
    integrator.setTemperature(schedule.hot)
    context.setVelocitiesToTemperature(schedule.hot, seed % (2**31 - 2) + 1)
    integrator.step(round(schedule.time_hot * 1000 / TIMESTEP))
    for temperature in np.linspace(schedule.hot, schedule.temperature, _COOLING_STEPS):
        integrator.setTemperature(float(temperature))
        integrator.step(round(schedule.time_cooling * 1000 / TIMESTEP / _COOLING_STEPS))
