"""What growth is measured against, and one call for all methods of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.etkdg import ConformationError, embed
from polymd.conformations.generate import generate_conformations

if TYPE_CHECKING:
    from polymd.datasets.polybench.storage import ReferenceChain
    from polymd.polymer import Polymer

__all__ = ["embedded_in_time", "generate", "uniform_growth"]


def generate(
    polymer: Polymer,
    method: str,
    n: int,
    *,
    seed: int = 0,
    library: Sequence[ReferenceChain] = (),
    limit: float | None = None,
) -> NDArray[np.float64]:
    """At most n conformations (n, N, 3) in Å by a method of `generate_conformations` or one of the baselines.

    "uniform" is `uniform_growth`, "oracle" `oracle_growth` from library chains of the polymer, "etkdg" with
    `limit` seconds `embedded_in_time`.

    Raises
    ------
    ConformationError
        The method gives no conformation of the polymer.
    """
    if method == "uniform":
        return uniform_growth(polymer, n, seed)
    if method == "oracle":
        from polymd.conformations.metrics.oracle import oracle_growth

        return oracle_growth(polymer, library, n, seed)
    if method == "etkdg" and limit is not None:
        return embedded_in_time(polymer, n, seed, limit)
    return generate_conformations(polymer, n, method=method, seed=seed)  # type: ignore[arg-type]


def embedded_in_time(polymer: Polymer, n: int, seed: int, limit: float) -> NDArray[np.float64]:
    """Those of n ETKDG conformations (at most n, N, 3) in Å that came within `limit` seconds each.

    Raises
    ------
    ConformationError
        None came.
    """
    mol, found = polymer.to_rdkit(), []
    for k in range(n):
        try:
            found.append(embed(mol, 1, seed + k, limit)[0])
        except ConformationError:
            if k == 0:  # what takes too long once does so again
                break
    if not found:
        raise ConformationError(f"ETKDG gave no conformation of {polymer.name} within {limit:g} s")
    chains = np.stack(found)
    return np.asarray(chains - chains.mean(axis=1, keepdims=True))


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
