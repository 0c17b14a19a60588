"""Verlet skin: a list built beyond the cutoff serves until an atom has moved half the extra length."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.neighbors._jit import njit
from polymd.neighbors.grid import Float
from polymd.neighbors.lists import CSR, symmetric_csr


class VerletList:
    """Neighbour list that is rebuilt only when it might miss a pair.

    A list built at `cutoff + skin` holds all pairs closer than `cutoff` as long as no atom has moved more
    than `skin / 2` since, and cell, pbc and number of atoms are the same. It also holds pairs beyond
    the cutoff: whoever uses it tests the distance.

    Parameters
    ----------
    cutoff, skin
        in Å. The cutoff above 0; the skin not below 0 (0 rebuilds whenever an atom has moved).
    batch
        (N,) molecule of each atom, as for `symmetric_csr`.

    Attributes
    ----------
    updates, rebuilds
        how often `update` was called, and how often it built a list.

    Raises
    ------
    ValueError
        for a cutoff not above zero or a skin below zero.
    """

    def __init__(self, cutoff: float, skin: float, batch: ArrayLike | None = None) -> None:
        if not (math.isfinite(cutoff) and cutoff > 0):
            raise ValueError(f"cutoff is {cutoff}; give a finite length above 0, in Å")
        if not (math.isfinite(skin) and skin >= 0):
            raise ValueError(f"skin is {skin}; give a finite length, 0 or more, in Å")
        self.cutoff = float(cutoff)
        self.skin = float(skin)
        self.batch = batch
        self.updates = 0
        self.rebuilds = 0
        self._built: tuple[NDArray[Float], NDArray[np.float64], NDArray[np.bool_], CSR] | None = None

    def update(self, positions: ArrayLike, cell: ArrayLike, pbc: ArrayLike) -> CSR:
        """The list for these positions: the last one, or a new one if that might miss a pair.

        Positions (N, 3) in Å, unwrapped: an atom may cross the boundaries of its cell (3, 3), and the shifts
        stay right. Wrapping an atom moves it, so it costs a rebuild. Raises ValueError as `symmetric_csr`.
        """
        self.updates += 1
        x = np.ascontiguousarray(positions)
        cells, periodic = np.asarray(cell, dtype=np.float64), np.asarray(pbc, dtype=np.bool_)
        if self._built is not None:
            reference, last_cell, last_pbc, csr = self._built
            if (
                x.shape == reference.shape
                and x.dtype == reference.dtype
                and np.array_equal(cells, last_cell)
                and np.array_equal(periodic, last_pbc)
                and _within(x, reference, self.skin / 2)
            ):
                return csr
        csr = symmetric_csr(x, cells, periodic, self.cutoff + self.skin, batch=self.batch)
        self.rebuilds += 1
        self._built = (x.copy(), cells.copy(), periodic.copy(), csr)
        return csr


@njit
def _within(x: NDArray[Float], reference: NDArray[Float], limit: float) -> bool:
    """Whether no atom has moved more than `limit` Å (one whose position is not a number has)."""
    limit2 = limit * limit
    for i in range(x.shape[0]):
        moved2 = 0.0
        for d in range(3):
            step = float(x[i, d]) - float(reference[i, d])
            moved2 += step * step
        if not moved2 <= limit2:
            return False
    return True
