"""Placing several chains in a periodic box without overlap, by random insertion at low density."""

import numpy as np
from numpy.typing import NDArray

from polymd.units import G_CM3

_CLEARANCE = 2.0  # Å between atoms of different chains or images; minimisation does the rest
_TRIALS = 200  # random placements tried for one chain


def box_length(total_mass: float, density: float) -> float:
    """Edge in Å of the cube that holds `total_mass` amu at `density` g/cm³."""
    return float((total_mass / (density * G_CM3)) ** (1.0 / 3.0))


def place_chains(chains: list[NDArray[np.float64]], length: float, *, seed: int) -> NDArray[np.float64]:
    """Put chains into a periodic cube one by one, each turned and shifted at random until nothing overlaps.

    Parameters
    ----------
    chains
        Positions (n_i, 3) in Å of each chain, all in one piece.
    length
        Edge of the cube in Å.
    seed
        Of the random numbers.

    Returns
    -------
    numpy.ndarray
        (Σ n_i, 3) Å, chains whole, their centres in the box.

    Raises
    ------
    ValueError
        When a chain finds no place: the density is too high for insertion.
    """
    rng = np.random.default_rng(seed)
    placed = np.empty((0, 3))
    for i, chain in enumerate(chains):
        for _ in range(_TRIALS):
            trial = (chain - chain.mean(axis=0)) @ _random_rotation(rng).T + rng.uniform(0, length, 3)
            if not _overlaps(trial, placed, length):
                placed = np.concatenate([placed, trial])
                break
        else:
            raise ValueError(
                f"chain {i + 1} of {len(chains)} finds no free place in a box of {length:.1f} Å after "
                f"{_TRIALS} trials; chains are inserted, not compressed: give a lower density"
            )
    return placed


def _overlaps(trial: NDArray[np.float64], placed: NDArray[np.float64], length: float) -> bool:
    """Whether a chain comes too near to placed chains or to its own periodic images."""
    from scipy.spatial import cKDTree

    wrapped = cKDTree(trial % length, boxsize=length)
    if len(placed) and wrapped.count_neighbors(cKDTree(placed % length, boxsize=length), _CLEARANCE):
        return True
    return bool(len(wrapped.query_pairs(_CLEARANCE)) > len(cKDTree(trial).query_pairs(_CLEARANCE)))


def _random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.random(rng=rng).as_matrix(), dtype=np.float64)
