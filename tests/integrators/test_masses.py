"""Heavier hydrogens."""

import numpy as np
import pytest

from polymd import Polymer
from polymd.integrators import repartition_hydrogen_mass


def test_every_group_keeps_its_mass() -> None:
    chain = Polymer("*CCO*", 2)
    masses = repartition_hydrogen_mass(chain.masses, chain.atomic_numbers, chain.bonds, 3.0)
    assert masses.sum() == pytest.approx(chain.masses.sum())
    np.testing.assert_allclose(masses[chain.atomic_numbers == 1], 3.0)
    assert masses[chain.atomic_numbers == 6].max() < 9.0
    assert (chain.masses[chain.atomic_numbers == 1] < 1.1).all()


def test_a_carbon_lighter_than_its_hydrogens_is_refused() -> None:
    chain = Polymer("*CC*", 1)  # ethane
    with pytest.raises(ValueError, match=r"hydrogen_mass 4 amu would leave 3\.0\d amu to atom 0"):
        repartition_hydrogen_mass(chain.masses, chain.atomic_numbers, chain.bonds, 4.0)
