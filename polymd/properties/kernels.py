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
    def of(cls, rows: Sequence[Mapping[int, int]]) -> CountMatrix:
        """From a mapping of feature code to count for every polymer."""
        codes = {code: column for column, code in enumerate(sorted(set().union(*rows)))}
        order = [sorted((codes[code], count) for code, count in row.items()) for row in rows]
        return cls(
            np.cumsum([0, *(len(row) for row in order)], dtype=np.int64),
            np.array([column for row in order for column, _ in row], dtype=np.int64),
            np.array([count for row in order for _, count in row], dtype=np.float64),
        )

    def divided(self, sizes: Floats) -> CountMatrix:
        """Every row divided by its size (N,)."""
        return CountMatrix(self.starts, self.columns, self.counts / np.repeat(sizes, np.diff(self.starts)))

    def dense(self) -> Floats:
        """As an array (N, features)."""
        full = np.zeros((len(self.starts) - 1, int(self.columns.max(initial=-1)) + 1))
        full[np.repeat(np.arange(len(full)), np.diff(self.starts)), self.columns] = self.counts
        return full


def min_max(rows: CountMatrix) -> Floats:
    """Σ min / Σ max of all pairs of rows, (N, N); Ralaivola et al., Neural Netw. 2005, 18, 1093."""
    shared = _minima(rows.starts, rows.columns, rows.counts)
    total = np.diag(shared)
    kernel: Floats = shared / (total[:, None] + total[None, :] - shared)
    return kernel


def matern(rows: Floats, columns: Floats, train: Floats) -> tuple[Floats, Floats]:
    """Matérn 3/2 kernels (R, C) of the median length of `train` and of four times that."""
    from scipy.spatial.distance import cdist, pdist

    length = float(np.median(pdist(train))) or 1.0
    scaled = np.sqrt(3.0) * cdist(rows, columns) / length
    near, far = ((1.0 + s) * np.exp(-s) for s in (scaled, scaled / 4.0))
    return near, far


@numba.njit(cache=True)
def _minima(starts: NDArray[np.int64], columns: NDArray[np.int64], counts: Floats) -> Floats:
    """Σ min over the columns of every pair of rows."""
    n = len(starts) - 1
    shared = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            a, b, total = starts[i], starts[j], 0.0
            while a < starts[i + 1] and b < starts[j + 1]:
                if columns[a] == columns[b]:
                    total += min(counts[a], counts[b])
                    a += 1
                    b += 1
                elif columns[a] < columns[b]:
                    a += 1
                else:
                    b += 1
            shared[i, j] = shared[j, i] = total
    return shared
