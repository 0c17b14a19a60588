"""Cubic Hermite tables of the radial filters: making them without torch, and reading them in Numba kernels.

    f(d) = h00 T[k, 0] + h10 T[k, 1] + h01 T[k+1, 0] + h11 T[k+1, 1],   k = floor(d / spacing), t = d /
    spacing - k h00 = (1 + 2t)(1 - t)^2,  h10 = t (1 - t)^2,  h01 = t^2 (3 - 2t),  h11 = t^2 (t - 1)

T[k, 0] is the filter at knot k and T[k, 1] its slope times the spacing, as `RadialFilters.table` of
`radial.py` gives them in torch. The error of a value falls with the fourth power of the spacing.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.lanes import accumulate, load


class Table(NamedTuple):
    """Knots (K, 2, F) float32 of F filters on [0, cutoff] and the inverse of their spacing, 1/Å."""

    knots: NDArray[np.float32]
    inverse_spacing: np.float32


def make_table(knots: Any, cutoff: float) -> Table:
    """Table from an array of knots (K, 2, F)."""
    return Table(np.ascontiguousarray(knots, np.float32), np.float32((len(knots) - 1) / cutoff))


def filter_knots(weights: Any, cutoff: float, n_knots: int) -> NDArray[np.float32]:
    """Knots (n_knots, 2, F) of the filters of `radial.py`, from their weight, bias, centres and widths."""
    weight, bias, centres, widths = (np.asarray(a, dtype=np.float64) for a in weights)
    d = np.linspace(0.0, cutoff, n_knots)[:, None]
    t = np.exp(-5.0 * d / cutoff)
    y = t - centres
    basis = np.exp(-widths * y * y)
    z = basis @ weight.T + bias
    dz = (basis * (10.0 / cutoff) * widths * y * t) @ weight.T
    sigma = 1.0 / (1.0 + np.exp(-z))
    x = d / cutoff
    phi = 1.0 + x**3 * (-10.0 + x * (15.0 - 6.0 * x))
    dphi = -30.0 * x * x * (1.0 - x) ** 2 / cutoff
    slope = sigma * (1.0 + z * (1.0 - sigma)) * dz * phi + z * sigma * dphi
    return np.stack([z * sigma * phi, slope * cutoff / (n_knots - 1)], axis=1).astype(np.float32)


@numba.njit(inline="always")
def locate(table: Table, d: Any) -> Any:
    """Knot k below d and the four weights of its rows, float32."""
    x = d * table.inverse_spacing
    k = min(int(x), table.knots.shape[0] - 2)
    t = x - k
    s = 1 - t
    f = np.float32
    return k, (f((1 + 2 * t) * s * s), f(t * s * s), f(t * t * (3 - 2 * t)), f(-t * t * s))


@numba.njit(inline="always")
def slope_weights(table: Table, d: Any, k: int) -> Any:
    """The four weights' derivatives by d, float32, 1/Å."""
    t = d * table.inverse_spacing - k
    s = table.inverse_spacing
    a = 6 * t * (t - 1) * s
    f = np.float32
    return f(a), f((3 * t - 1) * (t - 1) * s), f(-a), f(t * (3 * t - 2) * s)


@numba.njit(inline="always")
def read(table: Table, k: int, weights: Any, out: Any) -> None:
    """out (F,) = weights . rows of knots k and k + 1."""
    t0, t1, t2, t3 = table.knots[k, 0], table.knots[k, 1], table.knots[k + 1, 0], table.knots[k + 1, 1]
    w0, w1, w2, w3 = weights
    for c in range(len(out)):
        out[c] = w0 * t0[c] + w1 * t1[c] + w2 * t2[c] + w3 * t3[c]


@numba.njit(inline="always")
def read_adjoint(gradient: Any, k: int, weights: Any, g_knots: Any) -> None:
    """Add to the gradient of the knots (K, 2, F) what `read` owes to that of its output (F,)."""
    t0, t1, t2, t3 = g_knots[k, 0], g_knots[k, 1], g_knots[k + 1, 0], g_knots[k + 1, 1]
    w0, w1, w2, w3 = weights
    for c in range(len(gradient)):
        t0[c] += w0 * gradient[c]
        t1[c] += w1 * gradient[c]
        t2[c] += w2 * gradient[c]
        t3[c] += w3 * gradient[c]


@numba.njit(inline="always")
def read_lanes(knots: Any, offset: Any, filters: Any, weights: Any, n: Any) -> Any:
    """n filters of a table, from the flat offset of the first one's value at the knot below on."""
    w0, w1, w2, w3 = weights
    value = load(knots, offset, n) * w0 + load(knots, offset + filters, n) * w1
    return value + load(knots, offset + 2 * filters, n) * w2 + load(knots, offset + 3 * filters, n) * w3


@numba.njit(inline="always")
def add_lanes(g_knots: Any, offset: Any, filters: Any, weights: Any, gradient: Any) -> None:
    """Add to the gradient of the knots what `read_lanes` owes to that of its value."""
    w0, w1, w2, w3 = weights
    accumulate(g_knots, offset, gradient * w0)
    accumulate(g_knots, offset + filters, gradient * w1)
    accumulate(g_knots, offset + 2 * filters, gradient * w2)
    accumulate(g_knots, offset + 3 * filters, gradient * w3)
