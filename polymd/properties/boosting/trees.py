"""Regression trees on binned features, grown leaf by leaf from histograms (Ke et al., LightGBM, NIPS 2017).

A split of a leaf with n rows, residuals of sum G, into left and right gains

    G_l² / (n_l + λ) + G_r² / (n_r + λ) - G² / (n + λ),        λ: `RIDGE`

and a leaf says G / (n + λ). The leaf of the largest gain is split next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BINS", "Forest", "grow", "says"]

BINS = 64  #: of a feature, at most
RIDGE = 1.0
LEAST = 4  #: rows of a leaf


class Forest(NamedTuple):
    """Trees one after the other; node n of a tree has children left[n] and left[n] + 1, or none: 0."""

    starts: NDArray[np.int64]  #: (trees + 1,), where the nodes of a tree begin
    features: NDArray[np.int64]  #: (nodes,)
    bins: NDArray[np.uint8]  #: (nodes,), the last bin that goes left
    left: NDArray[np.int64]  #: (nodes,), counted from the beginning of the tree
    values: NDArray[np.float32]  #: (nodes,), of leaves


@numba.njit(cache=True, nogil=True)
def says(forest: Forest, binned: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sum of all trees for rows of binned features (N, F): (N,)."""
    found = np.zeros(len(binned))
    for tree in range(len(forest.starts) - 1):
        root = forest.starts[tree]
        for row in range(len(binned)):
            node = root
            while forest.left[node] > 0:
                right = binned[row, forest.features[node]] > forest.bins[node]
                node = root + forest.left[node] + (1 if right else 0)
            found[row] += forest.values[node]
    return found


@numba.njit(cache=True, nogil=True)
def grow(
    binned: NDArray[np.uint8],
    residuals: NDArray[np.float64],
    rows: NDArray[np.int64],
    chosen: NDArray[np.int64],
    n_leaves: int,
) -> tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], NDArray[np.float32]]:
    """One tree of at most `n_leaves` on some rows and some features.

    Returns
    -------
    features, bins, left, values
        Of every node, as in `Forest`.
    """
    size = 2 * n_leaves - 1
    features, bins = np.zeros(size, np.int64), np.zeros(size, np.uint8)
    left, values = np.zeros(size, np.int64), np.zeros(size, np.float32)
    begins, ends = np.zeros(size, np.int64), np.zeros(size, np.int64)
    gains = np.zeros(size)
    sums = np.zeros((size, len(chosen), BINS))
    counts = np.zeros((size, len(chosen), BINS), np.int32)
    order = rows.copy()
    ends[0] = len(order)
    _fill(binned, residuals, order[:], chosen, sums[0], counts[0])
    gains[0], features[0], bins[0], values[0] = _best(sums[0], counts[0])
    nodes = 1
    while nodes + 2 <= size:
        node = np.argmax(gains[:nodes])
        if gains[node] <= 0.0:
            break
        gains[node] = 0.0
        begin, end, feature = begins[node], ends[node], chosen[features[node]]
        middle = _divide(order[begin:end], binned[:, feature], bins[node]) + begin
        left[node], features[node] = nodes, feature
        begins[nodes], ends[nodes] = begin, middle
        begins[nodes + 1], ends[nodes + 1] = middle, end
        small = nodes if middle - begin <= end - middle else nodes + 1
        large = 2 * nodes + 1 - small
        _fill(binned, residuals, order[begins[small] : ends[small]], chosen, sums[small], counts[small])
        sums[large] = sums[node] - sums[small]
        counts[large] = counts[node] - counts[small]
        for child in (nodes, nodes + 1):
            gains[child], features[child], bins[child], values[child] = _best(sums[child], counts[child])
        nodes += 2
    return features[:nodes], bins[:nodes], left[:nodes], values[:nodes]


@numba.njit(cache=True, nogil=True)
def _fill(
    binned: NDArray[np.uint8],
    residuals: NDArray[np.float64],
    rows: NDArray[np.int64],
    chosen: NDArray[np.int64],
    sums: NDArray[np.float64],
    counts: NDArray[np.int32],
) -> None:
    """Histograms of some rows, (features, BINS)."""
    for row in rows:
        residual = residuals[row]
        for f in range(len(chosen)):
            place = binned[row, chosen[f]]
            sums[f, place] += residual
            counts[f, place] += 1


@numba.njit(cache=True, nogil=True)
def _best(sums: NDArray[np.float64], counts: NDArray[np.int32]) -> tuple[float, int, int, float]:
    """Gain, feature and bin of the best split of a leaf, the gain 0 where there is none; and its value."""
    total, n = sums[0].sum(), counts[0].sum()
    whole = total * total / (n + RIDGE)
    gain, feature, last = 1e-9, 0, -1
    for f in range(len(sums)):
        s, m = 0.0, 0
        for b in range(BINS - 1):
            if counts[f, b] == 0:
                continue
            s += sums[f, b]
            m += counts[f, b]
            if m < LEAST:
                continue
            if n - m < LEAST:
                break
            found = s * s / (m + RIDGE) + (total - s) ** 2 / (n - m + RIDGE) - whole
            if found > gain:
                gain, feature, last = found, f, b
    return (gain if last >= 0 else 0.0), feature, max(last, 0), total / (n + RIDGE)


@numba.njit(cache=True, nogil=True)
def _divide(rows: NDArray[np.int64], column: NDArray[np.uint8], last: int) -> int:
    """Put the rows whose bin is at most `last` first; how many there are."""
    right = np.empty_like(rows)
    n, m = 0, 0
    for row in rows:
        if column[row] <= last:
            rows[n] = row
            n += 1
        else:
            right[m] = row
            m += 1
    rows[n:] = right[:m]
    return n
