"""Conformations of rings of units: embedded, minimised and relaxed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.clashes import clash_count
from polymd.conformations.etkdg import ConformationError, embed, minimise
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.relax import Shape, push_off

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["embed_rings"]

_ATTEMPTS = 5
_MARGIN = 0.80


def embed_rings(polymer: Polymer, n: int, seed: int) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a ring of units: ETKDG, then MMFF94 or UFF, then `push_off`.

    Raises
    ------
    ConformationError
        The ring cannot be embedded, or every attempt left clashes or lost stereo.
    """
    mol, shape = polymer.to_rdkit(), Shape.of(polymer)
    rng = np.random.default_rng(seed)
    chains = []
    for _ in range(n):
        for _ in range(_ATTEMPTS):
            chain = minimise(mol, embed(mol, 1, int(rng.integers(2**31 - 1)))[0], 500)
            if clash_count(polymer, chain):
                chain = push_off(shape, chain, _MARGIN)
            if not clash_count(polymer, chain) and keeps_stereo(mol, chain):
                break
        else:
            raise ConformationError(
                f"no sound conformation of {polymer.name} after {_ATTEMPTS} attempts; allowed: rings that"
                " close without clashes; fix: another seed or number of units"
            )
        chains.append(chain - chain.mean(axis=0))
    return np.stack(chains)
