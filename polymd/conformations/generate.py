"""The one call for conformations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["generate_conformations"]

_METHODS = ("auto", "growth", "polyconf", "etkdg")


def generate_conformations(
    polymer: Polymer,
    n: int,
    *,
    method: Literal["auto", "growth", "polyconf", "etkdg"] = "auto",
    seed: int = 0,
    solvent: float = 1.0,
) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a polymer, hydrogens included, centred, in the polymer's atom order.

    Parameters
    ----------
    polymer
        Chain or ring.
    n
        How many, 0 or more.
    method
        "growth": units grown by torsions drawn from a network, with excluded volume (`grow_chains`); rings
        of units are grown open and closed, short ones embedded and minimised (`make_rings`). "polyconf":
        the generative model of arXiv 2504.08859 (`polymd.conformations.polyconf`), assembled with excluded
        volume, for linear homopolymers; crowded chains may keep clashes. "etkdg": RDKit's ETKDGv3 as it
        is, slow beyond some hundred atoms. "auto": growth.
    seed
        The same seed gives the same conformations.
    solvent
        Quality of the solvent for growth, 0 to 1: in a good one (1) atoms far along the chain only repel
        each other, in a poor one (0) they attract each other as in vacuum, and chains are denser.

    Raises
    ------
    ValueError
        Unknown method, negative n or seed, solvent outside 0 to 1; a ring or copolymer for "polyconf".
    ConformationError
        (a RuntimeError) No sound conformation was found.
    """
    if method not in _METHODS:
        raise ValueError(f"unknown method {method!r}; allowed: {', '.join(_METHODS)}; fix: use 'auto'")
    if n < 0 or seed < 0:
        raise ValueError(f"n is {n} and seed is {seed}; allowed: 0 or more; fix: such as n=1, seed=0")
    if not 0.0 <= solvent <= 1.0:
        raise ValueError(f"solvent is {solvent}; allowed: 0 (poor) to 1 (good); fix: such as solvent=1.0")
    if n == 0:
        return np.empty((0, polymer.n_atoms, 3))
    if method == "etkdg":
        from polymd.conformations.etkdg import embed

        chains = embed(polymer.to_rdkit(), n, seed)
        chains -= chains.mean(axis=1, keepdims=True)
        return chains
    if method == "polyconf":
        from polymd.conformations.polyconf.sampling import sample_chains

        return sample_chains(polymer, n, seed)
    if polymer.ring:
        from polymd.conformations.rings import make_rings

        return make_rings(polymer, n, seed, solvent)
    from polymd.conformations.growth import grow_chains

    return grow_chains(polymer, n, seed, solvent)
