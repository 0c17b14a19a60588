from __future__ import annotations

import numpy as np
import openmm
import pytest

from polymd.conformations.metrics.stability import starts_dynamics
from polymd.polymer import Polymer


@pytest.fixture
def springs() -> tuple[Polymer, openmm.System, np.ndarray]:
    """A chain in which bonded atoms hang on springs at their distance and all others repel each other."""
    from polymd.conformations.etkdg import embed

    polymer = Polymer("*CC(*)F", 2)
    x = embed(polymer.to_rdkit(), 1, 0)[0]
    system = openmm.System()
    for mass in polymer.masses:
        system.addParticle(mass)
    bonds = openmm.HarmonicBondForce()
    repulsion = openmm.NonbondedForce()
    for i in range(polymer.n_atoms):
        repulsion.addParticle(0.0, 0.1, 0.4)
        for j in range(i):
            bonds.addBond(i, j, 0.1 * float(np.linalg.norm(x[i] - x[j])), 3e3)
    system.addForce(bonds)
    system.addForce(repulsion)
    return polymer, system, x


def test_sound_chains_start_and_clashing_ones_do_not(
    springs: tuple[Polymer, openmm.System, np.ndarray],
) -> None:
    polymer, system, x = springs
    assert starts_dynamics(polymer, system, x, picoseconds=0.5)
    clash = x.copy()
    clash[0] = clash[-1] + 0.1
    assert not starts_dynamics(polymer, system, clash, picoseconds=0.5)


def test_a_chain_of_the_wrong_hand_does_not_count(
    springs: tuple[Polymer, openmm.System, np.ndarray],
) -> None:
    polymer, system, x = springs
    assert not starts_dynamics(polymer, system, -x, picoseconds=0.5)
