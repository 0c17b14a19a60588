"""What a run needs from the program that moves its atoms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from polymd.units import KB


@dataclass(frozen=True)
class Snapshot:
    """One instant of a run.

    Attributes
    ----------
    step
        Steps done.
    positions
        (N, 3) Å, molecules whole.
    cell
        (3, 3) Å, rows are the lattice vectors, or None in vacuum.
    potential_energy, kinetic_energy
        eV.
    """

    step: int
    positions: NDArray[np.float64]
    cell: NDArray[np.float64] | None
    potential_energy: float
    kinetic_energy: float

    def temperature(self, degrees_of_freedom: int) -> float:
        """Kinetic temperature 2 E_kin / (n_dof k_B) in K."""
        return 2.0 * self.kinetic_energy / (degrees_of_freedom * KB)


class Engine(Protocol):
    """A program that minimises, steps, and can be stopped and started again exactly."""

    step_count: int

    def minimise(self, max_iterations: int, stop: Callable[[], bool]) -> None:
        """Relax overlaps of the built chain, at most this many iterations or until `stop()` is true."""

    def set_velocities(self, velocities: NDArray[np.float64]) -> None:
        """Take (N, 3) velocities in Å/fs."""

    def advance(self, steps: int) -> None:
        """Do this many steps of dynamics."""

    def snapshot(self) -> Snapshot:
        """The present positions and energies."""

    def save(self) -> bytes:
        """Everything needed to go on exactly, on this kind of engine and platform."""

    def restore(self, state: bytes, step_count: int) -> None:
        """Go back to a saved state."""
