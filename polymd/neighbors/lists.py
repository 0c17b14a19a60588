"""Neighbour lists in the two shapes their users want: letters as in ASE, or rows with reverse edges."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numba import config
from numpy.typing import ArrayLike, NDArray

from polymd.neighbors.grid import Float, Grid, build_grid
from polymd.neighbors.runs import all_shifts
from polymd.neighbors.search import Found, Pairs, Rows, fill_pairs, find_pairs, reverse_edges

T = TypeVar("T")
R = TypeVar("R")

LETTERS = "ijSDd"

ATOMS_A_THREAD = 2500
"""Atoms that are worth a thread of their own."""


class CSR(NamedTuple):
    """Full neighbour list in compressed rows: edges indptr[i] to indptr[i + 1] - 1 leave atom i.

    Edge e goes from i to the image `positions[neighbors[e]] + shifts[e] @ cell`; edge `reverse[e]` goes back,
    with the opposite shift. Rows are sorted, in an order that depends on the input only.
    """

    indptr: NDArray[np.int64]  # (N + 1,)
    neighbors: NDArray[np.int32]  # (E,)
    shifts: NDArray[np.int32]  # (E, 3)
    reverse: NDArray[np.int32]  # (E,)


def neighbor_list(
    quantities: str, positions: ArrayLike, cell: ArrayLike, pbc: ArrayLike, cutoff: float
) -> NDArray[Any] | tuple[NDArray[Any], ...]:
    """All pairs closer than the cutoff, each in both directions, with the letters of ASE and matscipy.

    Parameters
    ----------
    quantities
        Any of the letters below; one array a letter is returned, in their order (no tuple for one letter).
        `i` (E,) int32 first atom, ascending; `j` (E,) int32 second atom; `S` (E, 3) int32 cell shift of `j`;
        `D` (E, 3) vector `positions[j] - positions[i] + S @ cell` in Å; `d` (E,) its length in Å.
    positions
        (N, 3) in Å, anywhere in space. float32 stays so in the test, `D` and `d`; all else becomes float64.
    cell
        (3, 3) in Å, rows are lattice vectors, right- or left-handed; rows along open directions are not read.
    pbc
        (3,) or one bool: whether the system is periodic along each lattice vector.
    cutoff
        in Å, any length, more than the cell too.

    Raises
    ------
    ValueError
        for an unknown letter, a wrong shape, positions or a cell that are not finite, a cutoff not above
        zero, a cell singular along periodic directions, or one with a million images within the cutoff.
    """
    if not quantities or not set(quantities) <= set(LETTERS):
        raise ValueError(f"unknown quantities in {quantities!r}; give any of the letters {LETTERS}")
    x, cells, periodic, cutoff = check_system(positions, cell, pbc, cutoff)
    _, _, pairs = _search(x, np.zeros(len(x), np.int64), cells, periodic, cutoff, quantities)
    arrays: dict[str, NDArray[Any]] = dict(zip(LETTERS, pairs, strict=True))
    found = tuple(arrays[letter] for letter in quantities)
    return found[0] if len(found) == 1 else found


def symmetric_csr(
    positions: ArrayLike,
    cell: ArrayLike,
    pbc: ArrayLike,
    cutoff: float,
    *,
    batch: ArrayLike | None = None,
) -> CSR:
    """All pairs closer than the cutoff as compressed rows, with the index of each edge's reverse.

    Parameters
    ----------
    positions, cell, pbc, cutoff
        as for `neighbor_list`; with `batch`, `cell` may also be (B, 3, 3), one for each molecule.
    batch
        (N,) integers from 0 to B - 1 in any order: atoms of different molecules are never neighbours.

    Raises
    ------
    ValueError
        as `neighbor_list`, and for a batch of wrong shape, of negative numbers or beyond the cells given.
    """
    x, cells, periodic, cutoff = check_system(positions, cell, pbc, cutoff, batched=batch is not None)
    molecule, cells = _check_batch(batch, len(x), cells)
    grid, indptr, pairs = _search(x, molecule, cells, periodic, cutoff, "jS")
    return CSR(indptr, pairs.neighbors, pairs.shifts, reverse_edges(grid.order, indptr, pairs.neighbors))


def check_system(
    positions: ArrayLike, cell: ArrayLike, pbc: ArrayLike, cutoff: float, *, batched: bool = False
) -> tuple[NDArray[Float], NDArray[np.float64], NDArray[np.bool_], float]:
    """Positions (N, 3) float32 or float64, cells (B, 3, 3), pbc (3,) and cutoff, or a ValueError."""
    x = np.asarray(positions)
    if x.dtype != np.float32:
        x = x.astype(np.float64)
    if x.size == 0:
        x = x.reshape(0, 3)
    if x.ndim != 2 or x.shape[1] != 3:
        raise ValueError(f"positions have shape {x.shape}; give (N, 3), in Å")
    if not np.isfinite(x).all():
        atom = int(np.flatnonzero(~np.isfinite(x).all(axis=1))[0])
        raise ValueError(f"position of atom {atom} is {x[atom].tolist()}; all positions must be finite")
    cells = np.asarray(cell, dtype=np.float64)
    if cells.shape[-2:] != (3, 3) or cells.ndim not in (2, 2 + batched):
        raise ValueError(f"cell has shape {cells.shape}; give (3, 3), rows are lattice vectors in Å")
    periodic = np.asarray(pbc, dtype=np.bool_)
    if periodic.shape not in ((), (3,)):
        raise ValueError(f"pbc has shape {periodic.shape}; give three bools, or one for all directions")
    periodic = np.broadcast_to(periodic, (3,)).copy()
    if not np.isfinite(cells[..., periodic, :]).all():
        raise ValueError(f"cell {cells.tolist()} must be finite along periodic directions")
    if not (np.isfinite(cutoff) and cutoff > 0):
        raise ValueError(f"cutoff is {cutoff}; give a finite length above 0, in Å")
    return np.ascontiguousarray(x), cells.reshape(-1, 3, 3), periodic, float(cutoff)


def _check_batch(
    batch: ArrayLike | None, n_atoms: int, cells: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Molecule of each atom (N,) and a cell (B, 3, 3) for each molecule."""
    if batch is None:
        return np.zeros(n_atoms, np.int64), cells
    molecule = np.asarray(batch)
    if molecule.shape != (n_atoms,) or (n_atoms and not np.issubdtype(molecule.dtype, np.integer)):
        raise ValueError(
            f"batch has shape {molecule.shape}, type {molecule.dtype}; give {n_atoms} integers, one an atom"
        )
    if n_atoms and molecule.min() < 0:
        raise ValueError(f"batch holds {molecule.min()}; number the molecules from 0")
    count = int(molecule.max()) + 1 if n_atoms else 1
    if len(cells) == 1:
        cells = np.broadcast_to(cells, (count, 3, 3))
    elif len(cells) < count:
        raise ValueError(f"batch holds {count - 1} but there are {len(cells)} cells; give one a molecule")
    return np.ascontiguousarray(molecule, dtype=np.int64), cells


def _parts(grid: Grid) -> list[tuple[int, int]]:
    """Ranges of cells with about as many atoms each: one a Numba thread, if that many atoms are worth it."""
    threads = min(int(getattr(config, "NUMBA_NUM_THREADS", 1)), len(grid.order) // ATOMS_A_THREAD)
    if threads < 2:
        return [(0, len(grid.molecule))]
    marks = np.searchsorted(grid.start, np.linspace(0, len(grid.order), threads + 1)).tolist()
    return list(pairwise(marks))


def _in_threads(work: Callable[[T], R], parts: Sequence[T]) -> list[R]:
    """The results of `work` on each part, a thread each; the first is done by the caller's."""
    started = [_pool(len(parts)).submit(work, part) for part in parts[1:]]
    return [work(parts[0]), *(other.result() for other in started)]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="polymd-neighbors")


def _allocate(edges: int, dtype: np.dtype[Float], quantities: str) -> Pairs:
    """Arrays for so many edges, `j` and `S` always, the others where wanted.

    They are views of one block. The C library then gives the memory of the last list back at the next call;
    of several blocks it returns some to the system, and touching them anew costs a quarter of the search.
    """
    whole, real = np.dtype(np.int32), np.dtype(dtype)
    kinds = {"i": (whole, 1), "j": (whole, 1), "S": (whole, 3), "D": (real, 3), "d": (real, 1)}
    wanted = set(quantities) | {"j", "S"}
    sizes = {q: edges * columns * kind.itemsize * (q in wanted) for q, (kind, columns) in kinds.items()}
    block = np.empty(sum(sizes.values()), np.uint8)
    arrays: dict[str, NDArray[Any]] = {}
    begin = 0
    for q in "DdijS":  # doubles first, on multiples of eight bytes
        kind, columns = kinds[q]
        array = block[begin : begin + sizes[q]].view(kind)
        arrays[q] = array.reshape(-1, columns) if columns > 1 else array
        begin += sizes[q]
    return Pairs(*(arrays[q] for q in LETTERS))


def _search(
    x: NDArray[Float],
    molecule: NDArray[np.int64],
    cells: NDArray[np.float64],
    pbc: NDArray[np.bool_],
    cutoff: float,
    quantities: str,
) -> tuple[Grid, NDArray[np.int64], Pairs]:
    """Find the neighbours cell by cell; allocate exactly; write atom by atom, so from end to end."""
    n = len(x)
    span = np.abs(x).max(initial=0.0) + np.abs(cells[:, pbc]).sum() + cutoff
    search = cutoff + 16.0 * float(np.finfo(x.dtype).eps) * float(span)
    grid = build_grid(x, molecule, cells, pbc, search)
    shifts = all_shifts(grid)
    cutoff2 = x.dtype.type(cutoff) ** 2
    rows = Rows(*np.empty((3, n), np.int64))
    parts = _parts(grid)
    found = _in_threads(lambda part: find_pairs(grid, shifts, part, cutoff2, rows), parts)
    indptr = np.zeros(n + 1, np.int64)
    np.cumsum(rows.size, out=indptr[1:])
    edges = int(indptr[-1])
    if edges > np.iinfo(np.int32).max:
        raise ValueError(
            f"{edges} pairs are closer than {cutoff} Å; at most 2147483647 fit: lower the cutoff"
        )
    pairs = _allocate(edges, x.dtype, quantities)

    def fill(part: tuple[tuple[int, int], Found]) -> None:
        (first, last), near = part
        atoms = np.sort(grid.order[grid.start[first] : grid.start[last]])
        fill_pairs(grid, shifts, atoms, rows, near, indptr, pairs)

    _in_threads(fill, list(zip(parts, found, strict=True)))
    return grid, indptr, pairs
