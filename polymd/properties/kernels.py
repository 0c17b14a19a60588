"""Kernels between polymers: min-max of counts, Matérn of descriptors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

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

    def _unsigned(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Indices that are never negative: loops over them become gathers of whole vectors."""
        return self.starts.astype(np.uint64), self.columns.astype(np.uint64)

    def dense(self, kept: NDArray[np.bool_]) -> Floats:
        """The kept columns as an array (N, kept); `kept` as in `only`."""
        chosen = self.only(kept)
        full = np.zeros((len(self), int(kept.sum())))
        rows = np.repeat(np.arange(len(full)), np.diff(chosen.starts))
        full[rows, (np.cumsum(kept) - 1)[chosen.columns]] = chosen.counts
        return full


def min_max(rows: CountMatrix, others: CountMatrix | None = None) -> Floats:
    """Σ min / Σ max of all pairs of rows, (N, M); Ralaivola et al., Neural Netw. 2005, 18, 1093.

    `others` share their columns with `rows`; by default they are the rows themselves.
    """
    same = others is None
    others = rows if others is None else others
    width = int(max(rows.columns.max(initial=-1), others.columns.max(initial=-1))) + 1
    starts, columns = rows._unsigned()
    other_starts, other_columns = others._unsigned()
    shared = _minima(starts, columns, rows.counts, other_starts, other_columns, others.counts, width, same)
    kernel: Floats = shared / (_totals(rows)[:, None] + _totals(others)[None, :] - shared)
    return kernel


def matern(rows: Floats, columns: Floats, length: float) -> tuple[Floats, Floats]:
    """Matérn 3/2 kernels (R, C) of a length and of four times that."""
    from scipy.spatial.distance import cdist

    scaled = cdist(rows, columns)
    scaled *= np.sqrt(3.0) / length
    near = np.exp(-scaled)
    near *= 1.0 + scaled
    scaled *= 0.25
    far = np.exp(-scaled)
    far *= 1.0 + scaled
    return near, far


def _totals(rows: CountMatrix) -> Floats:
    """Sum of every row; no row is empty."""
    totals: Floats = np.add.reduceat(rows.counts, rows.starts[:-1])
    return totals


@numba.njit(cache=True, nogil=True, fastmath=True)
def _minima(
    starts: NDArray[np.uint64],
    columns: NDArray[np.uint64],
    counts: Floats,
    other_starts: NDArray[np.uint64],
    other_columns: NDArray[np.uint64],
    other_counts: Floats,
    width: int,
    same: bool,
) -> Floats:
    """Σ min over the columns of every pair of rows: a row is spread out once, the others gather from it."""
    shared = np.zeros((len(starts) - 1, len(other_starts) - 1))
    spread = np.zeros(width)
    for i in range(len(starts) - 1):
        for place in range(starts[i], starts[i + 1]):
            spread[columns[place]] = counts[place]
        for j in range(i + 1 if same else len(other_starts) - 1):
            total = 0.0
            for place in range(other_starts[j], other_starts[j + 1]):
                total += min(spread[other_columns[place]], other_counts[place])
            shared[i, j] = total
            if same:
                shared[j, i] = total
        for place in range(starts[i], starts[i + 1]):
            spread[columns[place]] = 0.0
    return shared
