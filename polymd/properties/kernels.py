"""Kernels between polymers: min-max of counts, Matérn of descriptors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    Floats = NDArray[np.float64]

__all__ = ["CountMatrix", "matern", "min_max"]


@dataclass(frozen=True)
class CountMatrix:
    """Counts of N polymers in compressed rows, columns ascending."""

    starts: NDArray[np.int64]  #: (N + 1,)
    columns: NDArray[np.int64]  #: (nonzero,)
    counts: Floats  #: (nonzero,)

    @classmethod
    def of(cls, rows: Sequence[Mapping[int, int]], known: Sequence[int] = ()) -> CountMatrix:
        """From a mapping of feature code to count for every polymer.

        The columns are the `known` codes in their order, then all other codes, ascending.
        """
        codes = {code: column for column, code in enumerate(known)}
        for code in sorted(set().union(*rows) - codes.keys()):
            codes[code] = len(codes)
        order = [sorted((codes[code], count) for code, count in row.items()) for row in rows]
        return cls(
            np.cumsum([0, *(len(row) for row in order)], dtype=np.int64),
            np.array([column for row in order for column, _ in row], dtype=np.int64),
            np.array([count for row in order for _, count in row], dtype=np.float64),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    def rows(self, chosen: NDArray[np.intp]) -> CountMatrix:
        """Some of the rows."""
        lengths = np.diff(self.starts)[chosen]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        places = np.repeat(self.starts[chosen] - starts[:-1], lengths) + np.arange(starts[-1])
        return CountMatrix(starts, self.columns[places], self.counts[places])

    def only(self, kept: NDArray[np.bool_]) -> CountMatrix:
        """The counts whose column is kept; `kept` (columns,), columns beyond it are dropped."""
        inside = self.columns < len(kept)
        inside[inside] = kept[self.columns[inside]]
        before = np.concatenate([[0], np.cumsum(inside)]).astype(np.int64)
        return CountMatrix(before[self.starts], self.columns[inside], self.counts[inside])

    def divided(self, sizes: Floats) -> CountMatrix:
        """Every row divided by its size (N,)."""
        return CountMatrix(self.starts, self.columns, self.counts / np.repeat(sizes, np.diff(self.starts)))

    def sparse(self, kept: NDArray[np.bool_]) -> csr_array:
        """The kept columns as a matrix (N, kept) of scipy; `kept` as in `only`."""
        from scipy.sparse import csr_array

        chosen = self.only(kept)
        columns = (np.cumsum(kept) - 1)[chosen.columns]
        return csr_array((chosen.counts, columns, chosen.starts), shape=(len(self), int(kept.sum())))


def min_max(rows: CountMatrix, others: CountMatrix | None = None) -> Floats:
    """Σ min / Σ max of all pairs of rows, (N, M); Ralaivola et al., Neural Netw. 2005, 18, 1093.

    `others` share their columns with `rows`; by default they are the rows themselves.
    """
    same = others is None
    others = rows if others is None else others
    width = int(max(rows.columns.max(initial=-1), others.columns.max(initial=-1))) + 1
    postings = _postings(others.starts, others.columns, others.counts, width)
    totals = _totals(rows), _totals(others)
    kernel: Floats = _min_over_max(rows.starts, rows.columns, rows.counts, *postings, *totals, same)
    return kernel


def matern(distances: Floats, length: float) -> Floats:
    """Matérn's kernel of order 3/2 and a length; Rasmussen and Williams 2006, equation 4.17."""
    scaled = distances * (np.sqrt(3.0) / length)
    kernel: Floats = np.exp(-scaled)
    scaled += 1.0
    kernel *= scaled
    return kernel


def _totals(rows: CountMatrix) -> Floats:
    """Sum of every row; no row is empty."""
    totals: Floats = np.add.reduceat(rows.counts, rows.starts[:-1])
    return totals


@numba.njit(cache=True, nogil=True)
def _postings(
    starts: NDArray[np.int64], columns: NDArray[np.int64], counts: Floats, width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """The same matrix in compressed columns: where each begins (width + 1,), its rows ascending, counts."""
    begins = np.zeros(width + 1, dtype=np.int64)
    for column in columns:
        begins[column + 1] += 1
    for column in range(width):
        begins[column + 1] += begins[column]
    free = begins[:-1].copy()
    members, values = np.empty_like(columns), np.empty_like(counts)
    for i in range(len(starts) - 1):
        for place in range(starts[i], starts[i + 1]):
            to = free[columns[place]]
            free[columns[place]] += 1
            members[to], values[to] = i, counts[place]
    return begins, members, values


@numba.njit(cache=True, nogil=True)
def _min_over_max(
    starts: NDArray[np.int64],
    columns: NDArray[np.int64],
    counts: Floats,
    begins: NDArray[np.int64],
    members: NDArray[np.int64],
    values: Floats,
    totals: Floats,
    other_totals: Floats,
    same: bool,
) -> Floats:
    """Σ min / Σ max of every pair of rows from Σ max = the rows' totals - Σ min.

    The others come as postings, so that only columns that both rows have are looked at. With `same`, rows
    after a row are taken from its mirror image.
    """
    kernel = np.zeros((len(totals), len(other_totals)))
    for i in range(len(totals)):
        row = kernel[i]
        for place in range(starts[i], starts[i + 1]):
            column, count = columns[place], counts[place]
            for posting in range(begins[column], begins[column + 1]):
                j = members[posting]
                if same and j > i:
                    break
                row[j] += min(count, values[posting])
        for j in range(i + 1 if same else len(other_totals)):
            row[j] /= totals[i] + other_totals[j] - row[j]
        if same:
            kernel[:i, i] = row[:i]
    return kernel
