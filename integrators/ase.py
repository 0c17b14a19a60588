"""The choice of ASE integrators, with the same meaning as those of OpenMM."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polymd.integrators.velocities import Ensemble

if TYPE_CHECKING:
    from ase import Atoms
    from ase.md.md import MolecularDynamics


def ase_dynamics(
    atoms: Atoms,
    ensemble: Ensemble,
    temperature: float,
    timestep: float,
    rng: np.random.Generator,
    *,
    friction: float = 1.0,
) -> MolecularDynamics:
    """ASE's Langevin dynamics (`nvt`) or velocity Verlet (`nve`).

    `nvt` is eq. 23 of Vanden-Eijnden and Ciccotti, Chem. Phys. Lett. 2006, 429, 310
    (doi:10.1016/j.cplett.2006.07.086), all atoms thermostatted, the centre of mass too.

    Parameters
    ----------
    atoms
        With a calculator; moved in place.
    ensemble
        `nve` or `nvt`.
    temperature
        K, used by `nvt`.
    timestep
        fs.
    rng
        Its state, with positions and momenta, is all that is needed to go on exactly.
    friction
        1/ps, used by `nvt`.

    Raises
    ------
    ValueError
        For an unknown ensemble.
    """
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.verlet import VelocityVerlet

    if ensemble == "nvt":
        return Langevin(
            atoms,
            timestep * units.fs,
            temperature_K=temperature,
            friction=friction / (1000.0 * units.fs),
            fixcm=False,
            rng=rng,
        )
    if ensemble == "nve":
        return VelocityVerlet(atoms, timestep * units.fs)
    raise ValueError(f"unknown ensemble {ensemble!r}; known: nve, nvt")
