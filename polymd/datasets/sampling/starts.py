"""Molecules to start from: oligomers, rings of units and pairs in contact, from a P-SMILES."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.sampling.exclusion import is_ring_of_six
from polymd.polymer import Polymer

_CONTACT = 2.4  #: Å, least distance between the molecules of a pair, about H to H in a melt
_STEP = 0.1  #: Å


@dataclass(frozen=True)
class Form:
    """A way to make a molecule of a repeat unit: `kind` "linear", "ring" or "pair" of so many units each."""

    kind: str
    n_units: int


@dataclass(frozen=True)
class Start:
    """A molecule with a first geometry: atomic numbers (N,), positions (N, 3) Å and masses (N,) amu."""

    psmiles: str
    form: Form
    numbers: NDArray[np.int64]
    positions: NDArray[np.float64]
    masses: NDArray[np.float64]

    @property
    def id(self) -> str:
        """Name of the molecule in the labelled file."""
        return f"{self.psmiles} x {self.form.n_units} {self.form.kind}"


def forms(psmiles: str, max_units: int, max_atoms: int) -> list[Form]:
    """Forms of a unit with at most `max_units` units and `max_atoms` atoms, small ones first.

    Rings of six units, counted in any way, and of fewer than three backbone atoms are left out. A unit
    too large even alone has no form.
    """
    polymer = Polymer(psmiles, 1)
    unit, backbone = polymer.n_atoms - 2, len(polymer.backbone)
    found = []
    for n in range(1, max_units + 1):
        chain = n * unit + 2
        if chain <= max_atoms:
            found.append((chain, Form("linear", n)))
        if n * unit <= max_atoms and n * backbone >= 4 and not is_ring_of_six(psmiles, n):
            found.append((n * unit, Form("ring", n)))
        if 2 * chain <= max_atoms:
            found.append((2 * chain, Form("pair", n)))
    return [form for _, form in sorted(found, key=lambda item: (item[0], item[1].kind))]


def make_start(psmiles: str, form: Form, seed: int) -> Start:
    """A conformation of a form, minimised on MMFF94 or UFF; pairs touch in a random orientation.

    Raises ConformationError or ValueError for what cannot be built.
    """
    polymer = Polymer(psmiles, form.n_units, ring=form.kind == "ring", seed=seed)
    chains = [_relaxed(polymer, seed + k) for k in range(2 if form.kind == "pair" else 1)]
    copies = len(chains)
    positions = bring_into_contact(chains[0], chains[1], seed) if copies == 2 else chains[0]
    return Start(
        psmiles, form, np.tile(polymer.atomic_numbers, copies), positions, np.tile(polymer.masses, copies)
    )


def _relaxed(polymer: Polymer, seed: int) -> NDArray[np.float64]:
    from polymd.conformations import generate_conformations
    from polymd.conformations.etkdg import minimise

    return minimise(polymer.to_rdkit(), generate_conformations(polymer, 1, seed=seed)[0], 200)


def bring_into_contact(
    first: NDArray[np.float64], second: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Both molecules (N1 + N2, 3): the second is turned at random and moved in until 2.4 Å are left."""
    from scipy.spatial.distance import cdist
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(seed)
    first = first - first.mean(axis=0)
    second = (second - second.mean(axis=0)) @ Rotation.random(rng=rng).as_matrix().T
    direction = rng.normal(size=3)
    direction /= np.linalg.norm(direction)
    reach = float(np.linalg.norm(first, axis=1).max() + np.linalg.norm(second, axis=1).max()) + _CONTACT
    while reach > 0 and cdist(first, second + (reach - _STEP) * direction).min() >= _CONTACT:
        reach -= _STEP
    return np.concatenate([first, second + reach * direction])
