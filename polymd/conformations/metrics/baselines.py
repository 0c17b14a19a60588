"""What growth is measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["uniform_growth"]


def uniform_growth(polymer: Polymer, n: int, seed: int) -> NDArray[np.float64]:
    """Self-avoiding growth with uniform torsions: conformations (n, N, 3) in Å of a linear chain.

    The same growth with the same bond lengths, angles and excluded volume as method "growth", but every
    rotatable torsion is drawn from the whole circle. Clashes that growth leaves stay in.

    Raises
    ------
    ConformationError
        A unit cannot be embedded.
    """
    from polymd.conformations.growth import ChainGrower
    from polymd.conformations.network import Network, load_network

    trained = load_network()
    torsions = ("single.out.", "coupled.out.")
    weights = {k: np.zeros_like(w) if k.startswith(torsions) else w for k, w in trained.weights.items()}
    grower = ChainGrower(polymer, Network(weights, trained.sizes, trained.card))
    chains = [grower.grow(np.random.default_rng(child))[0] for child in np.random.SeedSequence(seed).spawn(n)]
    return np.stack([chain - chain.mean(axis=0) for chain in chains])
