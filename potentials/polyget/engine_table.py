"""Hermite tables of the radial filters in numpy, from a model's weights; the equations are those of
`radial.py`.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def filter_table(
    weight: Array, bias: Array, centres: Array, widths: Array, cutoff: float, n_knots: int
) -> NDArray[np.float32]:
    """Values and slopes times the knot spacing, (n_knots, 2, n_filters), at even distances of [0, cutoff]
    Å.
    """
    weight, bias, centres, widths = (np.asarray(a, dtype=np.float64) for a in (weight, bias, centres, widths))
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
