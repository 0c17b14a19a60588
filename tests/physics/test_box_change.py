"""A box that a barostat changes reaches both OpenMM forces of PolyGET."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openmm
import pytest
from ase import Atoms

import polymd
from polymd.diagnostics import torchforce_available
from polymd.potentials import PolyGETCalculator, python_force, torch_force
from polymd.testing import ADAPTER_ENERGY_RTOL
from polymd.units import EV_KJ_MOL

EDGE = 7.0  # Å


@pytest.mark.parametrize("make", [python_force, torch_force])
def test_energies_are_those_of_the_new_box(make: Callable[[Any], openmm.Force]) -> None:
    if make is torch_force and not torchforce_available()[0]:
        pytest.skip(torchforce_available()[1])
    chain = polymd.Polymer("*CCO*", 1)
    topology, positions = chain.to_openmm(), polymd.generate_conformations(chain, 1, seed=1)[0]
    topology.setPeriodicBoxVectors(0.1 * EDGE * np.eye(3) * openmm.unit.nanometer)
    system = openmm.System()
    for mass in chain.masses:
        system.addParticle(float(mass))
    system.setDefaultPeriodicBoxVectors(*topology.getPeriodicBoxVectors())
    system.addForce(make(topology))
    system.addForce(openmm.MonteCarloBarostat(1000.0, 300.0, 1))
    integrator = openmm.LangevinMiddleIntegrator(300.0, 1.0, 0.0005)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(0.1 * positions)
    energies = []
    for edge in (EDGE, 0.9 * EDGE):
        context.setPeriodicBoxVectors(*(0.1 * edge * np.eye(3)))
        energies.append(context.getState(energy=True).getPotentialEnergy()._value / EV_KJ_MOL)
        atoms = Atoms(chain.atomic_numbers, positions, cell=[edge] * 3, pbc=True)
        atoms.calc = PolyGETCalculator()
        assert energies[-1] == pytest.approx(atoms.get_potential_energy(), rel=ADAPTER_ENERGY_RTOL)
    assert energies[0] != pytest.approx(energies[1], rel=ADAPTER_ENERGY_RTOL)
    integrator.step(40)
    assert context.getState().getPeriodicBoxVolume()._value != pytest.approx((0.09 * EDGE) ** 3)
