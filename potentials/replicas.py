"""Many molecules, or many copies of one, in one call: work enough for every core.

Each molecule is evaluated whole by one thread, in the order in which threads become free. So no thread waits
for another between layers, what a thread works on stays in its core's cache, each molecule has a neighbour
list that is renewed when that molecule needs it, and its results do not depend on its company, to the last
bit.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import config
from numpy.typing import ArrayLike, NDArray

from polymd.potentials import registry
from polymd.potentials.half_list import HalfList, pair_forces
from polymd.potentials.polyget.engine import Engine, one_blas_thread

Float = NDArray[np.float64]
Work = Callable[[Engine, Iterator[int]], None]


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

    Copies of one topology: `Replicas([numbers] * copies)`, positions (copies, N, 3). As many threads as Numba
    has take one molecule after the other; a molecule's results are the same bits in any company and for any
    number of threads.

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
        self._engines = [registry.load_engine(model).single()]
        self._half_lists = [HalfList(self._engines[0].cutoff) for _ in sizes]

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
                f"{len(self._half_lists)} molecules of one size"
            )
        x = given.reshape(-1, 3)
        lattice = np.zeros((3, 3)) if cell is None else np.asarray(cell, dtype=np.float64)
        periodic = np.broadcast_to(np.asarray(pbc, dtype=np.bool_), (3,))
        energies, forces = np.empty(len(x)), np.empty_like(x)

        def work(engine: Engine, molecules: Iterator[int]) -> None:
            for m in molecules:
                atoms = slice(self.pointers[m], self.pointers[m + 1])
                pairs, vectors = self._half_lists[m].update(x[atoms], lattice, periodic)
                result = engine.compute(self.numbers[atoms], pairs, vectors)
                energies[atoms] = result.energies
                forces[atoms] = pair_forces(len(result.energies), pairs, result.gradient)

        self._share(work)
        totals = [energies[a:b].sum() for a, b in zip(self.pointers[:-1], self.pointers[1:], strict=True)]
        return ReplicaProperties(np.array(totals), energies, forces.reshape(given.shape))

    def _share(self, work: Work) -> None:
        """Do `work` on all molecules, in as many threads as Numba has, each with an engine of its own."""
        molecules = iter(range(len(self._half_lists)))
        threads = min(int(getattr(config, "NUMBA_NUM_THREADS", 1)), len(self._half_lists))
        while len(self._engines) < threads:
            self._engines.append(self._engines[0].single())
        with one_blas_thread():
            others = [_pool(threads).submit(work, engine, molecules) for engine in self._engines[1:threads]]
            try:
                work(self._engines[0], molecules)
            finally:
                wait(others)
            for other in others:
                other.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="polymd-replicas")
