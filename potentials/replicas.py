"""Many molecules, or many copies of one, in one call of the engine: work enough for every thread."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.potentials import registry
from polymd.potentials.half_list import HalfList, pair_forces

Float = NDArray[np.float64]


@dataclass(frozen=True)
class ReplicaProperties:
    """Energies (M,) eV of M molecules, atomic energies (A,) eV, one molecule after the other, and forces in
    eV/Å in the shape of the positions.
    """

    energies: Float
    atomic_energies: Float
    forces: Float


class Replicas:
    """Energies and forces of M molecules, none of which sees another; float32, open boundaries by default.

    One engine, one Verlet list and one set of scratch arrays serve all; company changes a molecule's results
    by rounding alone. Copies of one topology: `Replicas([numbers] * copies)`, positions (copies, N, 3).

    Parameters
    ----------
    molecules
        atomic numbers of each molecule, M arrays (N_m,).
    model
        as for `PolyGETCalculator`.

    Attributes
    ----------
    pointers
        (M + 1,) int64: the atoms of molecule m are pointers[m] to pointers[m + 1] - 1.

    Raises
    ------
    ValueError
        for no molecule, one without atoms, an unknown model and an element that the model does not know.
    """

    def __init__(self, molecules: Sequence[ArrayLike], model: str = "polyget") -> None:
        numbers = [np.asarray(molecule, dtype=np.int64).reshape(-1) for molecule in molecules]
        sizes = [len(each) for each in numbers]
        if not sizes or min(sizes) == 0:
            raise ValueError(f"molecules have {sizes} atoms; give at least one molecule, each with atoms")
        self.numbers = np.concatenate(numbers)
        registry.check_elements(np.unique(self.numbers), model)
        self.pointers = np.cumsum([0, *sizes]).astype(np.int64)
        self.engine = registry.load_engine(model)
        batch = np.repeat(np.arange(len(sizes)), sizes)
        self.half_list = HalfList(self.engine.cutoff, batch)

    def evaluate(
        self, positions: ArrayLike, cell: ArrayLike | None = None, pbc: ArrayLike = False
    ) -> ReplicaProperties:
        """Evaluate positions in Å: (A, 3) one molecule after the other, or (M, N, 3) if all have one size.

        A cell (3, 3) is that of every molecule, periodic along the directions pbc (3,). Raises ValueError for
        positions of another shape or that are not finite, and for a bad cell.
        """
        given = np.asarray(positions, dtype=np.float64)
        if given.size != 3 * len(self.numbers) or given.shape[-1:] != (3,):
            raise ValueError(
                f"positions have shape {given.shape}; give ({len(self.numbers)}, 3), or (M, N, 3) for "
                f"{len(self.pointers) - 1} molecules of one size"
            )
        lattice = np.zeros((3, 3)) if cell is None else np.asarray(cell, dtype=np.float64)
        periodic = np.broadcast_to(np.asarray(pbc, dtype=np.bool_), (3,))
        pairs, vectors = self.half_list.update(given.reshape(-1, 3), lattice, periodic)
        result = self.engine.compute(self.numbers, pairs, vectors)
        return ReplicaProperties(
            np.add.reduceat(result.energies, self.pointers[:-1]),
            result.energies,
            pair_forces(len(self.numbers), pairs, result.gradient).reshape(given.shape),
        )
