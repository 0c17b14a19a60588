"""Heavier hydrogens, for longer steps."""

import numpy as np
from numpy.typing import NDArray


def repartition_hydrogen_mass(
    masses: NDArray[np.float64],
    atomic_numbers: NDArray[np.int64],
    bonds: NDArray[np.int64],
    hydrogen_mass: float,
) -> NDArray[np.float64]:
    """Masses with hydrogens of `hydrogen_mass`, taken from the atoms they are bonded to.

    The sum of the masses of each group, and with it every equilibrium property of positions, stays: masses
    enter the configurational part of the canonical distribution nowhere. Only motion becomes slower at the
    hydrogens. Hopkins et al., J. Chem. Theory Comput. 2015, 11, 1864 (doi:10.1021/ct5010406).

    Parameters
    ----------
    masses, atomic_numbers
        (N,), masses in amu.
    bonds
        (M, 2) atom indices.
    hydrogen_mass
        amu; 3 is usual.

    Raises
    ------
    ValueError
        When an atom would be left lighter than its hydrogens.
    """
    result = masses.copy()
    for pair in bonds:
        for hydrogen, heavy in (pair, pair[::-1]):
            if atomic_numbers[hydrogen] == 1 and atomic_numbers[heavy] != 1:
                result[heavy] -= hydrogen_mass - masses[hydrogen]
                result[hydrogen] = hydrogen_mass
    heavy = atomic_numbers != 1
    if (result[heavy] < hydrogen_mass).any():
        worst = int(np.flatnonzero(heavy)[np.argmin(result[heavy])])
        raise ValueError(
            f"hydrogen_mass {hydrogen_mass:g} amu would leave {result[worst]:.2f} amu to atom {worst} "
            f"(atomic number {atomic_numbers[worst]}); 3 amu is the most for CH3 groups"
        )
    return result
