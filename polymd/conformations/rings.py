"""Conformations of rings of units: long ones grown, short ones embedded and minimised as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError, embed, minimise
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.relax import Shape, push_off

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from polymd.polymer import Polymer

__all__ = ["make_rings"]

_ATTEMPTS = 5
_MARGIN = 0.80
_GROWN = 30  # backbone atoms from which on rings are grown


def make_rings(polymer: Polymer, n: int, seed: int, solvent: float = 1.0) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a ring of units.

    Rings of 30 and more backbone atoms are grown open and closed (`RingGrower`); shorter ones, and those
    that do not close, are embedded by ETKDG, minimised (MMFF94 or UFF) and relaxed by `push_off`.

    Raises
    ------
    ConformationError
        The ring cannot be embedded, or every attempt left clashes or lost stereo.
    """
    from polymd.conformations.ring_closure import RingGrower

    mol = polymer.to_rdkit()
    single = mol.GetBondBetweenAtoms(int(polymer.backbone[0]), int(polymer.backbone[-1]))
    grown = len(polymer.backbone) >= _GROWN and single.GetBondTypeAsDouble() == 1.0
    grower = RingGrower(polymer, solvent) if grown else None
    rings = []
    for child in np.random.SeedSequence(seed).spawn(n):
        rng = np.random.default_rng(child)
        ring = grower.grow(rng) if grower else None
        rings.append(_embedded(polymer, mol, rng) if ring is None else ring)
    return np.stack(rings)


def _embedded(polymer: Polymer, mol: Mol, rng: np.random.Generator) -> NDArray[np.float64]:
    shape = Shape.of(polymer)
    for _ in range(_ATTEMPTS):
        ring = minimise(mol, embed(mol, 1, int(rng.integers(2**31 - 1)))[0], 500)
        if clash_count(polymer, ring):
            ring = push_off(shape, ring, _MARGIN)
        if not clash_count(polymer, ring) and keeps_stereo(mol, ring):
            return np.asarray(ring - ring.mean(axis=0))
    raise ConformationError(
        f"no sound conformation of {polymer.name} after {_ATTEMPTS} attempts; allowed: rings that"
        " close without clashes; fix: another seed or number of units"
    )
