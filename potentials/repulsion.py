"""Short-range repulsion: the universal screened Coulomb potential of Ziegler, Biersack and Littmark (ZBL).

    E(d) = k_e Z_i Z_j / d  sum_m c_m exp(-b_m d / a)  phi(d / (r_i + r_j)),   a = 0.46850 Å / (Z_i^0.23 + Z_j^0.23)

with k_e = 14.399645 eV Å and the coefficients c, b of "The Stopping and Range of Ions in Matter" (1985), eqs.
2-60 to 2-65. phi is the C2 envelope of `polyget.radial`, zero from the sum of the covalent radii on, so that the
term is (nearly) silent at bonds and walls off everything below them: atoms never fuse.
"""

import numba
import numpy as np
import torch
from ase.data import covalent_radii
from numpy.typing import NDArray
from torch import Tensor

COULOMB = 14.399645
SCREENING = 0.46850
WEIGHTS = (0.18175, 0.50986, 0.28022, 0.02817)
DECAYS = (3.19980, 0.94229, 0.40290, 0.20162)


def zbl_energy(z_i: Tensor, z_j: Tensor, d: Tensor, radii: Tensor) -> Tensor:
    """Energy of every pair, eV; atomic numbers (P,), distances d (P,) Å, covalent radii (119,) Å."""
    reach = radii.index_select(0, z_i) + radii.index_select(0, z_j)
    x = torch.clamp(d / reach, max=1.0)
    phi = 1.0 + x * x * x * (-10.0 + x * (15.0 - 6.0 * x))
    zi, zj = z_i.to(d.dtype), z_j.to(d.dtype)
    s = d * (zi**0.23 + zj**0.23) / 0.46850
    screen = (
        0.18175 * torch.exp(-3.19980 * s)
        + 0.50986 * torch.exp(-0.94229 * s)
        + 0.28022 * torch.exp(-0.40290 * s)
        + 0.02817 * torch.exp(-0.20162 * s)
    )
    return 14.399645 * zi * zj / d * screen * phi


RADII: NDArray[np.float64] = np.asarray(covalent_radii, dtype=np.float64)


@numba.njit(nogil=True, cache=True)
def zbl_pair(z_i: float, z_j: float, d: float, reach: float) -> tuple[float, float]:
    """Energy of one pair (eV) and its derivative by d (eV/Å)."""
    if d >= reach:
        return 0.0, 0.0
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
    return bare * screen * phi, bare * (dscreen * phi + screen * dphi - screen * phi / d)
