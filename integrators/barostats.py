"""Constant pressure: what a barostat needs, and the choice of barostats."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Barostats = Literal["scr", "mc"]
BAROSTATS = ("scr", "mc")


class PeriodicSystem(Protocol):
    """A periodic system that a barostat looks at and changes, whatever program holds it.

    Cells (3, 3) have the lattice vectors as rows, Å; positions (N, 3) are Å and may lie outside the cell.
    """

    def geometry(self) -> tuple[Float, Float]:
        """Positions and cell."""

    def energy(self) -> float:
        """Potential energy, eV."""

    def stress(self) -> Float:
        """Stress (3, 3) of the potential energy, eV/Å³, positive under tension."""

    def move(self, positions: Float, cell: Float) -> None:
        """Put atoms and cell; velocities stay."""


class Barostat(Protocol):
    """Changes the cell of a system every `interval` steps."""

    interval: int

    def apply(self, system: PeriodicSystem) -> None:
        """Change the cell once."""

    def state(self) -> dict[str, Any]:
        """What it remembers beside the state of its random generator, ready for JSON."""

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` gave."""


def make_barostat(
    name: Barostats,
    pressure: float,
    temperature: float,
    timestep: float,
    rng: np.random.Generator,
    *,
    anisotropic: bool = False,
    molecules: NDArray[np.int64] | None = None,
) -> Barostat:
    """A barostat by name.

    Parameters
    ----------
    name
        `scr`, stochastic cell rescaling, or `mc`, Monte Carlo moves of the cell.
    pressure
        eV/Å³ (`polymd.units.BAR`).
    temperature
        K.
    timestep
        fs.
    rng
        Of the random numbers; may be shared with a thermostat.
    anisotropic
        The three edges of a rectangular cell change on their own; else all in proportion.
    molecules
        (N,) number of the molecule of each atom, from 0, used by `mc`; each atom its own unless given.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    from polymd.integrators.cell_rescaling import StochasticCellRescaling
    from polymd.integrators.monte_carlo_barostat import MonteCarloBarostat

    if name == "scr":
        return StochasticCellRescaling(pressure, temperature, timestep, rng, anisotropic=anisotropic)
    if name == "mc":
        return MonteCarloBarostat(pressure, temperature, rng, anisotropic=anisotropic, molecules=molecules)
    raise ValueError(f"unknown barostat {name!r}; known: {', '.join(BAROSTATS)}")


def check_cell(cell: Float, anisotropic: bool) -> float:
    """Volume (Å³) of a cell that a barostat can change.

    Raises
    ------
    ValueError
        For a cell without volume, and for a triclinic one whose edges shall change on their own.
    """
    volume = abs(float(np.linalg.det(cell)))
    if not volume > 0.0:
        raise ValueError("a barostat needs a periodic cell, and this one has no volume; set a cell first")
    if anisotropic and np.count_nonzero(cell - np.diag(np.diag(cell))):
        raise ValueError(
            "anisotropic pressure coupling needs a rectangular cell along x, y, z; use isotropic coupling"
        )
    return volume
