"""Numba kernels of the embedding's sum over neighbours, on a half list of pairs: S_i = sum_j e_j f(d_ij)."""

from typing import Any

import numpy as np

from polymd.potentials.polyget.hermite import locate, read, read_adjoint, slope_weights
from polymd.potentials.polyget.jit import kernel


@kernel
def forward(pairs: Any, table: Any, value: Any, out: Any) -> None:
    """Adds S (N, C) to out; value (N, C) holds e."""
    f = np.empty(value.shape[1], np.float32)
    for p in range(len(pairs.distance)):
        i, j = pairs.atoms[p, 0], pairs.atoms[p, 1]
        k, weights = locate(table, pairs.distance[p])
        read(table, k, weights, f)
        for c in range(len(f)):
            out[i, c] += value[j, c] * f[c]
            out[j, c] += value[i, c] * f[c]


@kernel
def backward_to_positions(pairs: Any, table: Any, value: Any, g_out: Any, g_d: Any) -> None:
    """Adds to g_d (P,) what S owes to the distances."""
    f = np.empty(value.shape[1], np.float32)
    for p in range(len(pairs.distance)):
        i, j = pairs.atoms[p, 0], pairs.atoms[p, 1]
        k, _ = locate(table, pairs.distance[p])
        read(table, k, slope_weights(table, pairs.distance[p], k), f)
        s = np.float32(0)
        for c in range(len(f)):
            s += (g_out[i, c] * value[j, c] + g_out[j, c] * value[i, c]) * f[c]
        g_d[p] += s


@kernel
def backward_to_weights(pairs: Any, table: Any, value: Any, g_out: Any, g_value: Any, g_knots: Any) -> None:
    """Adds to g_value (N, C) and g_knots (K, 2, C)."""
    f = np.empty(value.shape[1], np.float32)
    for p in range(len(pairs.distance)):
        i, j = pairs.atoms[p, 0], pairs.atoms[p, 1]
        k, weights = locate(table, pairs.distance[p])
        read(table, k, weights, f)
        for c in range(len(f)):
            g_value[j, c] += g_out[i, c] * f[c]
            g_value[i, c] += g_out[j, c] * f[c]
            f[c] = g_out[i, c] * value[j, c] + g_out[j, c] * value[i, c]
        read_adjoint(f, k, weights, g_knots)
