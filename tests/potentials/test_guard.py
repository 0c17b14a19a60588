"""The guard agrees with the calculator and speaks up above its limit."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule as build
from ase.md.verlet import VelocityVerlet

from polymd import testing
from polymd.potentials import PolyGETCalculator, UncertaintyError, UncertaintyGuard


@pytest.fixture
def ethanol() -> Atoms:
    return build("CH3CH2OH")


def test_reads_what_the_calculator_gives(ethanol: Atoms, committee_model: str) -> None:
    guard = UncertaintyGuard(ethanol.numbers, committee_model, limit=10.0)
    for cell in (None, 6.0 * np.eye(3)):
        atoms = Atoms(ethanol.numbers, ethanol.positions, cell=cell, pbc=cell is not None)
        atoms.calc = PolyGETCalculator(committee_model, committee=True)
        reading = guard.check(atoms.positions, cell)
        assert reading.energy == pytest.approx(atoms.get_potential_energy())
        np.testing.assert_allclose(reading.forces, atoms.get_forces(), atol=testing.ADAPTER_FORCE_ATOL)
        std = atoms.calc.results["forces_std"]
        np.testing.assert_allclose(reading.forces_std, std, atol=testing.ADAPTER_FORCE_ATOL)
        assert reading.largest == reading.forces_std[reading.atom] == reading.forces_std.max()


def test_stops_dynamics_of_another_program(ethanol: Atoms, committee_model: str) -> None:
    ethanol.calc = PolyGETCalculator(committee_model)
    guard = UncertaintyGuard(ethanol.numbers, committee_model, limit=0.05)
    dynamics = VelocityVerlet(ethanol, 0.1)
    dynamics.attach(lambda: guard.check(ethanol.positions), interval=2)
    with pytest.raises(
        UncertaintyError, match=r"forces_std is \d\.\d\d eV/Å on [CHO]\d, above the limit"
    ) as caught:
        dynamics.run(4)
    assert caught.value.reading.largest > 0.05


def test_bad_arguments(ethanol: Atoms, committee_model: str) -> None:
    with pytest.raises(ValueError, match="limit -1 eV/Å is not a positive number"):
        UncertaintyGuard(ethanol.numbers, committee_model, limit=-1)
    with pytest.raises(ValueError, match="does not know the element Fe"):
        UncertaintyGuard([26], committee_model, limit=1)
