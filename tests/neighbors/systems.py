"""Random systems for the neighbour list tests, and what ASE finds in them."""

from typing import Any, NamedTuple

import numpy as np
from ase.neighborlist import primitive_neighbor_list
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray


class System(NamedTuple):
    positions: NDArray[Any]
    cell: NDArray[np.float64]
    pbc: NDArray[np.bool_]
    cutoff: float


@st.composite
def systems(draw: st.DrawFn, max_atoms: int = 40, min_height: float = 1.5) -> System:
    """Orthorhombic and triclinic cells of either handedness, any pbc, atoms in and out of the cell."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cell = np.diag(rng.uniform(min_height, 12.0, 3))
    if draw(st.booleans()):
        cell = cell + rng.uniform(-3.0, 3.0, (3, 3))
    if draw(st.booleans()):
        cell[0] *= -1
    assume(abs(np.linalg.det(cell)) > 1.0)
    assume((1 / np.linalg.norm(np.linalg.inv(cell), axis=0)).min() > min_height)
    n = draw(st.integers(0, max_atoms))
    spread = draw(st.sampled_from([1.0, 3.0]))
    positions = (rng.uniform(-1.0, 1.0, (n, 3)) * spread) @ cell
    pbc = np.array(draw(st.tuples(st.booleans(), st.booleans(), st.booleans())))
    return System(positions, cell, pbc, draw(st.floats(0.5, 7.0)))


def edges(*arrays: NDArray[Any]) -> list[tuple[int, ...]]:
    """Rows (i, j, Sx, Sy, Sz), sorted."""
    return sorted(map(tuple, np.column_stack(arrays).astype(int).tolist()))


def ase_edges(system: System) -> list[tuple[int, ...]]:
    """The same rows from ASE, in double precision."""
    positions, cell, pbc, cutoff = system
    return edges(*primitive_neighbor_list("ijS", pbc, cell, positions.astype(float), cutoff))


def rows(indptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """First atom (E,) of each edge of a CSR list."""
    return np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
