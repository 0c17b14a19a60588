"""Short-range repulsion: the universal screened Coulomb potential of Ziegler, Biersack and Littmark (ZBL).

    E(d) = k_e Z_i Z_j / d  sum_m c_m exp(-b_m d / a)  phi(d / (r_i + r_j)),   a = 0.46850 Å / (Z_i^0.23 +
    Z_j^0.23)

with k_e = 14.399645 eV Å and the coefficients c, b of "The Stopping and Range of Ions in Matter" (1985), eqs.
2-60 to 2-65. phi is the C2 envelope of `polyget.radial`, zero from the sum of the covalent radii on, so
that the term is (nearly) silent at bonds and walls off everything below them: atoms never fuse.

Two hydrogens have a wall besides, from `HYDROGEN_REACH` inwards,

    E(d) = `HYDROGEN_WALL` (1 - d / `HYDROGEN_REACH`)^3,

because no data hold them closer than that, and a network left alone there lets the hydrogens of a CH2 group
close up to a false minimum at 0.8 Å over a barrier of 1 eV. With the wall the energy of pinching them rises
all the way, as in the teacher. The price: no H2. Numba kernels are here; the torch twin for autograd and
TorchScript is `repulsion_module.py`.
"""

import numba
import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

COULOMB = 14.399645
SCREENING = 0.46850
WEIGHTS = (0.18175, 0.50986, 0.28022, 0.02817)
DECAYS = (3.19980, 0.94229, 0.40290, 0.20162)
HYDROGEN_REACH = 1.4  #: Å
HYDROGEN_WALL = 45.0  #: eV


RADII: NDArray[np.float64] = np.asarray(covalent_radii, dtype=np.float64)
"""Covalent radius of every atomic number, Å."""


def longest_reach(numbers: NDArray[np.int64]) -> float:
    """Distance (Å) beyond which no two atoms among these atomic numbers repel each other."""
    return max(2.0 * float(RADII[np.unique(numbers)].max()), HYDROGEN_REACH)


@numba.njit(nogil=True, cache=True)
def zbl_pair(z_i: float, z_j: float, d: float, reach: float) -> tuple[float, float]:
    """Energy of one pair (eV) and its derivative by d (eV/Å)."""
    wall, slope = 0.0, 0.0
    if z_i == 1.0 and z_j == 1.0 and d < HYDROGEN_REACH:
        y = 1.0 - d / HYDROGEN_REACH
        wall, slope = HYDROGEN_WALL * y * y * y, -3.0 * HYDROGEN_WALL / HYDROGEN_REACH * y * y
    if d >= reach:
        return wall, slope
    x = d / reach
    phi = 1.0 + x * x * x * (-10.0 + x * (15.0 - 6.0 * x))
    dphi = -30.0 * x * x * (1.0 - x) * (1.0 - x) / reach
    inverse_a = (z_i**0.23 + z_j**0.23) / SCREENING
    screen, dscreen = 0.0, 0.0
    for m in range(4):
        term = WEIGHTS[m] * np.exp(-DECAYS[m] * d * inverse_a)
        screen += term
        dscreen -= DECAYS[m] * inverse_a * term
    bare = COULOMB * z_i * z_j / d
    slope += bare * (dscreen * phi + screen * dphi - screen * phi / d)
    return wall + bare * screen * phi, slope


@numba.njit(nogil=True, cache=True)
def zbl_pairs(
    numbers: NDArray[np.int64],
    pairs: NDArray[np.int32],
    d: NDArray[np.float32],
    radii: NDArray[np.float64],
    energies: NDArray[np.float64],
    slopes: NDArray[np.float32],
) -> None:
    """Add the energy of every pair of a half list, half to each atom (N,) eV, and its slope dE/dd to (P,)
    eV/Å.
    """
    for p in range(len(pairs)):
        i, j = pairs[p, 0], pairs[p, 1]
        reach = radii[numbers[i]] + radii[numbers[j]]
        if d[p] < max(reach, HYDROGEN_REACH):
            energy, slope = zbl_pair(float(numbers[i]), float(numbers[j]), float(d[p]), reach)
            energies[i] += 0.5 * energy
            energies[j] += 0.5 * energy
            slopes[p] += np.float32(slope)
