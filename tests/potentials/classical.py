"""A classical force field by hand, which counts any part of its terms."""

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import openmm
from openmm import app

BOX = 3.0 * np.eye(3)  # nm
Term = tuple[int, ...]
Counts = Callable[[Term], bool]


class Model:
    """A topology, positions (nm) and a classical System of it with terms and charges of a usual size."""

    def __init__(self, topology: app.Topology, positions: Any) -> None:
        self.topology, self.positions = topology, positions
        self.bonds = [(bond.atom1.index, bond.atom2.index) for bond in topology.bonds()]
        self.n_atoms = topology.getNumAtoms()

    def terms(self) -> list[Term]:
        """Bonds, angles and proper torsions."""
        near: dict[int, set[int]] = {i: set() for i in range(self.n_atoms)}
        for i, j in self.bonds:
            near[i].add(j)
            near[j].add(i)
        angles = [(i, j, k) for j in near for i, k in combinations(sorted(near[j]), 2)]
        torsions = [
            (i, j, k, m) for j, k in self.bonds for i in near[j] - {k} for m in near[k] - {j} if i != m
        ]
        return [*self.bonds, *angles, *torsions]

    def system(self, counts: Counts = lambda term: True, method: int = openmm.NonbondedForce.NoCutoff) -> Any:
        """System of the terms and pairs that count."""
        system = openmm.System()
        system.setDefaultPeriodicBoxVectors(*BOX)
        bonds, angles = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce()
        torsions, pairs = openmm.PeriodicTorsionForce(), openmm.NonbondedForce()
        for term in filter(counts, self.terms()):
            if len(term) == 2:
                bonds.addBond(*term, 0.13, 2e5)
            elif len(term) == 3:
                angles.addAngle(*term, 1.9, 400.0)
            else:
                torsions.addTorsion(*term, 3, 0.4, 2.0)
        pairs.setNonbondedMethod(method)
        for index, atom in enumerate(self.topology.atoms()):
            system.addParticle(atom.element.mass)
            pairs.addParticle(0.2 * (-1) ** index, 0.25 + 0.01 * (index % 3), 0.3)
        pairs.createExceptionsFromBonds(self.bonds, 0.8333, 0.5)
        for pair in combinations(range(self.n_atoms), 2):
            if not counts(pair):
                pairs.addException(*pair, 0.0, 1.0, 0.0, True)
        for force in (bonds, angles, torsions, pairs):
            system.addForce(force)
        return system
