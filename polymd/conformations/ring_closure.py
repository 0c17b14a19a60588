"""Rings of many units: chains grown open, those whose ends are near each other closed by their torsions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.growth import ChainGrower, chain_problem
from polymd.conformations.internal import covalent_lengths
from polymd.conformations.relax import Shape, push_off
from polymd.conformations.rotors import unit_rotors

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["RingGrower"]

Floats = NDArray[np.float64]

_GROWN = 60  # open chains a ring is chosen from
_MARGIN = 0.80
_ITERATIONS = 80
_LARGEST = 0.15  # rad, of a torsion's change in one iteration
_DAMPING = 1.0  # Å²
_CLOSED = 0.02  # Å
_BEST = 5  # open chains tried before others are grown
_ATTEMPTS = 4


@dataclass(frozen=True)
class _Joint:
    """A backbone bond that may turn, and the atoms beyond it."""

    near: int
    far: int
    beyond: NDArray[np.int64]


class RingGrower:
    """Grows rings of a polymer whose units are joined by single bonds.

    Closing turns the backbone's bonds until the bond lengths and directions at the ends meet: Gauss-Newton
    steps d = -J^T (J J^T + damping)^-1 r of the torsions, the smallest that lessen the six misfits r of
    the last unit's end and of the atom it should meet; J is the product of each bond's axis and the
    distance from it, as in inverse kinematics (S. R. Buss, 2009, equation 11).
    """

    def __init__(self, polymer: Polymer, solvent: float) -> None:
        self.ring, self.chain = polymer, polymer.opened()
        self.grower = ChainGrower(self.chain, solvent=solvent)
        view = Chain.of(self.chain)
        self.caps = [int(self.chain.unit_atoms(unit)[-1]) for unit in (0, self.chain.n_units - 1)]
        self.head, self.tail = int(self.chain.backbone[0]), int(self.chain.backbone[-1])
        pair = np.array([[self.head, self.tail]], dtype=np.int64)
        self.length = float(covalent_lengths(self.chain.atomic_numbers, pair)[0])
        self.joints = [joint for i in range(view.n_units) for joint in _joints(view, i)]

    def grow(self, rng: np.random.Generator) -> Floats | None:
        """Positions (N, 3) in Å of one ring, None where all attempts left it open or crowded."""
        for _ in range(_ATTEMPTS):
            opened = [self.grower.grow(rng)[0] for _ in range(_GROWN)]
            gaps = [float(np.linalg.norm(self._misfit(x))) for x in opened]
            for k in np.argsort(gaps)[:_BEST]:
                closed = self._closed(opened[int(k)])
                if closed is None:
                    continue
                raw = np.delete(closed, self.caps, axis=0)
                relaxed = push_off(Shape.of(self.ring), raw, _MARGIN)
                if chain_problem(self.ring, relaxed, raw) is None:
                    return np.asarray(relaxed - relaxed.mean(axis=0))
        return None

    def _misfit(self, x: Floats) -> Floats:
        """(6,) Å: from the head to where the tail's bond ends, and from the tail to where the head's does."""
        after = self._reached(x, self.tail, self.caps[1])
        before = self._reached(x, self.head, self.caps[0])
        return np.concatenate([after - x[self.head], x[self.tail] - before])

    def _reached(self, x: Floats, end: int, cap: int) -> Floats:
        """Where the ring's next atom is when it takes the place of a cap."""
        direction = x[cap] - x[end]
        return np.asarray(x[end] + self.length * direction / np.linalg.norm(direction))

    def _closed(self, x: Floats) -> Floats | None:
        x = x.copy()
        near = np.array([joint.near for joint in self.joints])
        far = np.array([joint.far for joint in self.joints])
        for _ in range(_ITERATIONS):
            misfit = self._misfit(x)
            if float(np.abs(misfit).max()) < _CLOSED:
                return x
            axes = x[far] - x[near]
            axes /= np.linalg.norm(axes, axis=1, keepdims=True)
            after = self._reached(x, self.tail, self.caps[1])
            jacobian = np.concatenate(
                [np.cross(axes, after - x[far]), np.cross(axes, x[self.tail] - x[far])], axis=1
            ).T
            square = jacobian @ jacobian.T + _DAMPING * np.eye(6)
            step = -jacobian.T @ np.linalg.solve(square, misfit)
            step *= min(1.0, _LARGEST / max(float(np.abs(step).max()), 1e-12))
            for joint, angle in zip(reversed(self.joints), reversed(step.tolist()), strict=True):
                _turn(x, joint, angle)
        return None


def _turn(x: Floats, joint: _Joint, angle: float) -> None:
    """Turn the atoms beyond a joint by an angle (rad), in place."""
    from scipy.spatial.transform import Rotation

    axis = x[joint.far] - x[joint.near]
    turn = Rotation.from_rotvec(angle * axis / np.linalg.norm(axis))
    x[joint.beyond] = turn.apply(x[joint.beyond] - x[joint.far]) + x[joint.far]


def _joints(chain: Chain, unit: int) -> list[_Joint]:
    """Backbone bonds of a unit that turn easily."""
    joints = []
    for rotor in unit_rotors(chain, unit):
        bond = chain.mol.GetBondBetweenAtoms(rotor.near, rotor.far)
        if rotor.backbone and not rotor.free and not bond.GetIsConjugated():
            seen, front = {rotor.near, rotor.far}, [rotor.far]
            while front:
                fresh = [a for a in chain.neighbors[front.pop()] if a not in seen]
                seen.update(fresh)
                front += fresh
            beyond = np.array(sorted(seen - {rotor.near, rotor.far}), dtype=np.int64)
            joints.append(_Joint(rotor.near, rotor.far, beyond))
    return joints
