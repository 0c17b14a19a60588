"""A guard against forces that PolyGET does not know: any program that moves atoms can carry it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase.data import chemical_symbols
from numpy.typing import ArrayLike, NDArray

from polymd.potentials.backends import NumbaBackend
from polymd.potentials.committee import load_committee
from polymd.potentials.half_list import HalfList

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What a guard saw: energy (eV), forces (N, 3) and their calibrated uncertainty (N,), eV/Å."""

    energy: float
    forces: Float
    forces_std: Float

    @property
    def largest(self) -> float:
        """Largest uncertainty of an atom, eV/Å."""
        return float(self.forces_std.max())

    @property
    def atom(self) -> int:
        """Index of the atom that has it."""
        return int(self.forces_std.argmax())


class UncertaintyError(RuntimeError):
    """The forces on an atom are more uncertain than allowed; `reading` has them all."""

    def __init__(self, message: str, reading: Reading) -> None:
        super().__init__(message)
        self.reading = reading


class UncertaintyGuard:
    """Calibrated uncertainty of PolyGET's forces, evaluated apart from whatever moves the atoms.

    A reading costs an evaluation of the model and of its committee, so read every 50 steps or so. With ASE:
    `dynamics.attach(lambda: guard.check(atoms.positions), interval=50)`.

    Parameters
    ----------
    numbers
        Atomic numbers (N,).
    model
        A model that has a committee.
    limit
        `forces_std` (eV/Å) that no atom may exceed; see `polymd.potentials.committee` for its meaning.

    Raises
    ------
    ValueError
        For a limit that is not positive, a model without committee or an element it does not know.
    """

    def __init__(self, numbers: ArrayLike, model: str = "polyget", *, limit: float) -> None:
        if not 0.0 < limit < np.inf:
            raise ValueError(f"limit {limit} eV/Å is not a positive number; 0.5 is a good start")
        self.numbers: NDArray[np.int64] = np.asarray(numbers, dtype=np.int64)
        self.limit = limit
        self._committee = load_committee(model)
        self._backend = NumbaBackend(self.numbers, model)
        self._half_list = HalfList(self._committee.cutoff)

    def read(self, positions: ArrayLike, cell: ArrayLike | None = None) -> Reading:
        """Reading at positions (N, 3) Å; with a cell (3, 3) Å, rows the vectors, the system is periodic."""
        x = np.asarray(positions, dtype=np.float64)
        box = np.zeros((3, 3)) if cell is None else np.asarray(cell, dtype=np.float64)
        geometry: Any = (x, box, np.full(3, cell is not None))
        result = self._backend.evaluate(*geometry)
        pairs, vectors = self._half_list.update(*geometry)
        std = self._committee.forces_std(self.numbers, pairs, vectors, result.forces)
        return Reading(result.energy, result.forces, std)

    def exceeded(self, reading: Reading) -> str | None:
        """What is wrong with a reading in words, or None when it is within the limit."""
        if reading.largest <= self.limit:
            return None
        atom = f"{chemical_symbols[self.numbers[reading.atom]]}{reading.atom}"
        return f"forces_std is {reading.largest:.2f} eV/Å on {atom}, above the limit of {self.limit:g} eV/Å"

    def check(self, positions: ArrayLike, cell: ArrayLike | None = None) -> Reading:
        """As `read`, but raises `UncertaintyError` above the limit."""
        reading = self.read(positions, cell)
        problem = self.exceeded(reading)
        if problem:
            raise UncertaintyError(problem, reading)
        return reading
