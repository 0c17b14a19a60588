"""Langevin dynamics of many molecules at once, for sampling: BAOAB with a teacher's forces."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.sampling.starts import Start
from polymd.datasets.teachers.base import Teacher
from polymd.units import AMU_A2_FS2, KB

TIMESTEP = 1.0  #: fs
FRICTION = 0.02  #: 1/fs; strong, so that a start is at its temperature after some 50 fs
BIAS = {"compressed": 0.004, "stretched": -0.002, "": 0.0}  #: eV/Å² an atom, about its molecule's centre


@dataclass
class Replica:
    """One molecule in motion: positions (N, 3) Å and velocities (N, 3) Å/fs; `alive` until it goes astray."""

    start: Start
    temperature: float
    strain: str
    seed: tuple[int, ...]
    positions: NDArray[np.float64] = field(init=False)
    velocities: NDArray[np.float64] = field(init=False)
    alive: bool = True

    def __post_init__(self) -> None:
        self.positions = self.start.positions.copy()
        rng = np.random.default_rng(self.seed)
        noise = rng.normal(size=self.positions.shape)
        # twice the temperature: half of it becomes potential energy of a minimised start
        self.velocities = noise * _thermal_speed(self) * np.sqrt(2.0)

    def biased(self, forces: NDArray[np.float64]) -> NDArray[np.float64]:
        """Forces with the harmonic pull towards the centre, or push from it, that strains the molecule."""
        pull: NDArray[np.float64] = BIAS[self.strain] * (self.positions - self.positions.mean(axis=0))
        return forces - pull


def propagate(replicas: list[Replica], teacher: Teacher, steps: int, block: int) -> None:
    """Move replicas by `steps` of BAOAB in place; random numbers depend on a replica's seed and `block` only.

    ::

        B: v += Δt/2 F/m      A: x += Δt/2 v      O: v = e^(-γΔt) v + sqrt(1 - e^(-2γΔt)) sqrt(kT/m) ξ
        B A O A B

    Δt `TIMESTEP`, γ `FRICTION`, T `Replica.temperature`, ξ standard normal.
    B. Leimkuhler, C. Matthews, Appl. Math. Res. Express 2013, 34 (2013), eq. 9. Raises `TeacherError`.
    """
    if not replicas:
        return
    generators = [np.random.default_rng((*replica.seed, block + 1)) for replica in replicas]
    keep = np.exp(-FRICTION * TIMESTEP)
    accelerations = _accelerations(replicas, teacher)
    for _ in range(steps):
        for replica, acceleration, rng in zip(replicas, accelerations, generators, strict=True):
            replica.velocities += 0.5 * TIMESTEP * acceleration
            replica.positions += 0.5 * TIMESTEP * replica.velocities
            noise = rng.normal(size=replica.velocities.shape) * _thermal_speed(replica)
            replica.velocities = keep * replica.velocities + np.sqrt(1.0 - keep**2) * noise
            replica.positions += 0.5 * TIMESTEP * replica.velocities
        accelerations = _accelerations(replicas, teacher)
        for replica, acceleration in zip(replicas, accelerations, strict=True):
            replica.velocities += 0.5 * TIMESTEP * acceleration


def _accelerations(replicas: list[Replica], teacher: Teacher) -> list[NDArray[np.float64]]:
    """Å/fs² of each replica."""
    labels = teacher.label([(replica.start.numbers, replica.positions) for replica in replicas])
    return [
        replica.biased(label.forces) / (replica.start.masses[:, None] * AMU_A2_FS2)
        for replica, label in zip(replicas, labels, strict=True)
    ]


def _thermal_speed(replica: Replica) -> NDArray[np.float64]:
    """Standard deviation (N, 1) of a velocity component in Å/fs."""
    speed: NDArray[np.float64] = np.sqrt(
        KB * replica.temperature / (replica.start.masses[:, None] * AMU_A2_FS2)
    )
    return speed
