from __future__ import annotations

from typing import Any

import numpy as np
import openmm
import pytest

from polymd.datasets.polybench.ambertools import AmberToolsError
from polymd.datasets.polybench.system import gaff2_energy, gaff2_system
from polymd.polymer import Polymer
from polymd.testing import FLOAT32_RTOL, LOG_RTOL
from polymd.units import EV_KJ_MOL


def test_every_term_is_that_of_tleap(pet: dict[str, Any]) -> None:
    polymer = Polymer(pet["psmiles"], pet["n_units"])
    system = gaff2_system(polymer, constraints=False)
    for group, force in enumerate(system.getForces()):
        force.setForceGroup(group)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform)
    context.setPositions(0.1 * pet["positions"])
    for group, force in enumerate(system.getForces()):
        energy = context.getState(getEnergy=True, groups={group}).getPotentialEnergy()._value
        assert energy == pytest.approx(pet["energies"][type(force).__name__], rel=LOG_RTOL), force
    total = sum(pet["energies"].values()) / EV_KJ_MOL
    assert gaff2_energy(polymer, pet["positions"][None]) == pytest.approx([total], rel=FLOAT32_RTOL)


@pytest.mark.parametrize("n_units", [2, 3, 8])
def test_chains_of_any_length_are_neutral_and_keep_their_mass(pet: dict[str, Any], n_units: int) -> None:
    polymer = Polymer(pet["psmiles"], n_units)
    system = gaff2_system(polymer)
    nonbonded = next(f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    charges = [nonbonded.getParticleParameters(i)[0]._value for i in range(polymer.n_atoms)]
    masses = np.array([system.getParticleMass(i)._value for i in range(polymer.n_atoms)])
    hydrogens = polymer.atomic_numbers == 1
    assert sum(charges) == pytest.approx(0.0, abs=1e-9)
    assert masses.sum() == pytest.approx(polymer.masses.sum())
    np.testing.assert_allclose(masses[hydrogens], 3.0)
    assert system.getNumConstraints() == hydrogens.sum()


def test_what_has_no_parameters_is_refused(pet: dict[str, Any]) -> None:
    for polymer in (
        Polymer(pet["psmiles"], 1),
        Polymer(pet["psmiles"], 3, ring=True),
        Polymer(pet["psmiles"], 3, end_groups=("C", "[H]")),
    ):
        with pytest.raises(ValueError, match="linear chains of two or more units"):
            gaff2_system(polymer)
    with pytest.raises(AmberToolsError, match="no program 'antechamber'"):
        gaff2_system(Polymer("*CCO*", 3))
    with pytest.raises(ValueError, match="unknown charges"):
        gaff2_system(Polymer(pet["psmiles"], 3), charges="resp")  # type: ignore[arg-type]
