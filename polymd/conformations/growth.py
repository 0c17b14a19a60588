"""Chain growth: units are added one after the other, by torsion, with excluded volume and backtracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.clashes import clash_count, graph_neighbors, van_der_waals_radii
from polymd.conformations.etkdg import ConformationError, minimise
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.library import pack, unit_conformers
from polymd.conformations.relax import Shape, push_off

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["grow_chains"]

_GROWTH_SCALE = 0.68
_MARGIN = 0.88
_TRIALS = 100
_ATTEMPTS = 5
_STRETCH = 0.15


def grow_chains(polymer: Polymer, n: int, seed: int) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a linear chain.

    Unit geometries come from embedded and minimised windows of the chain (`unit_conformers`); junction
    torsions and torsions in the unit are drawn from what those windows show, with noise, bolder the more
    draws fail; a draw that brings atoms four or more bonds apart closer than 0.68 of their summed van der
    Waals radii is refused; a few units are taken back where all draws fail. The chain is then relaxed
    by `push_off` and verified: no clash, bonds within 0.15 Å, stereo as in `polymer`.

    Raises
    ------
    ConformationError
        A unit cannot be embedded, or no attempt gave a chain that passes.
    """
    from polymd.conformations.kernels import grow

    root = np.random.SeedSequence(seed)
    kinds, kind_of_unit = unit_conformers(polymer, int(root.generate_state(1)[0]) % (2**31 - 1))
    library = pack(kinds)
    starts = np.searchsorted(polymer.unit_index, np.arange(polymer.n_units + 1)).astype(np.int64)
    radii = _GROWTH_SCALE * van_der_waals_radii(polymer.atomic_numbers)
    indptr, indices = graph_neighbors(polymer.n_atoms, polymer.bonds)
    shape = Shape.of(polymer)
    chains = []
    for child in root.spawn(n):
        rng = np.random.default_rng(child)
        for attempt in range(_ATTEMPTS):
            raw, left = grow(rng, kind_of_unit, starts, library, radii, indptr, indices, _TRIALS)
            problem: str | None = f"{left} clashes in growth"
            if left and attempt + 1 < _ATTEMPTS:
                continue
            chain = push_off(shape, raw, _MARGIN)
            if problem := _problem(polymer, chain, raw):
                chain = push_off(shape, minimise(polymer.to_rdkit(), chain, 50), _MARGIN)
                problem = _problem(polymer, chain, raw)
            if not problem:
                break
        else:
            raise ConformationError(
                f"no sound chain of {polymer.name} after {_ATTEMPTS} attempts ({problem}); allowed: chains"
                " without clashes and with the given stereo; fix: another seed, or method='etkdg'"
            )
        chains.append(chain - chain.mean(axis=0))
    return np.stack(chains) if chains else np.empty((0, polymer.n_atoms, 3))


def _problem(polymer: Polymer, chain: NDArray[np.float64], raw: NDArray[np.float64]) -> str | None:
    """What is wrong with a grown chain, None if nothing is."""
    if not np.all(np.isfinite(chain)):
        return "positions are not finite"
    if count := clash_count(polymer, chain):
        return f"{count} clash{'es' * (count > 1)}"
    i, j = polymer.bonds.T
    stretch = np.abs(np.linalg.norm(chain[i] - chain[j], axis=1) - np.linalg.norm(raw[i] - raw[j], axis=1))
    if stretch.max() > _STRETCH:
        return f"a bond is off by {stretch.max():.2f} Å"
    return None if keeps_stereo(polymer.to_rdkit(), chain) else "its stereo is not the given one"
