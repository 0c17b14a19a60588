"""Several chains in a periodic cube: grown together, or ready ones inserted at low density."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.units import G_CM3

if TYPE_CHECKING:
    from collections.abc import Sequence

    from polymd.conformations.excluded_volume import Table, Volumes
    from polymd.conformations.growth import ChainGrower
    from polymd.polymer import Polymer

__all__ = ["box_length", "grow_box", "place_chains"]

_ATTEMPTS = 10  # at growing one chain among those that are there
_CLEARANCE = 2.0  # Å between atoms of different chains or images; minimisation does the rest
_TRIALS = 200  # random placements tried for one chain


def box_length(total_mass: float, density: float) -> float:
    """Edge in Å of the cube that holds `total_mass` amu at `density` g/cm³."""
    return float((total_mass / (density * G_CM3)) ** (1.0 / 3.0))


def grow_box(
    polymers: Sequence[Polymer], length: float, *, seed: int, solvent: float = 1.0
) -> list[NDArray[np.float64]]:
    """Grow chains one after the other into a periodic cube, each around those that are there.

    Growth is that of `polymd.generate_conformations`, its excluded volume that of all chains and of their
    images; a chain begins anywhere in the cube.

    Parameters
    ----------
    polymers
        Linear chains, alike or not.
    length
        Edge of the cube in Å.
    seed
        Of the random numbers.
    solvent
        Quality of the solvent, 0 to 1; 1 suits a melt.

    Returns
    -------
    list of numpy.ndarray
        (n_i, 3) Å of each chain, whole, its first unit in the cube.

    Raises
    ------
    ValueError
        A ring, a box in which atoms would see two images of others, or a chain that finds no room: the
        density is too high for growth.
    ConformationError
        A unit cannot be embedded.
    """
    from polymd.conformations.excluded_volume import make_table, volumes

    if any(polymer.ring for polymer in polymers):
        raise ValueError("a ring cannot be grown into a box; allowed: linear chains; fix: place_chains")
    if not polymers:
        return []
    offsets = np.cumsum([0, *(polymer.n_atoms for polymer in polymers)])
    sizes = volumes(
        np.concatenate([polymer.atomic_numbers for polymer in polymers]),
        np.concatenate([polymer.bonds + offset for polymer, offset in zip(polymers, offsets, strict=False)]),
        1.0 - solvent,
    )
    if length < 2.0 * sizes.reach:
        raise ValueError(
            f"a box of {length:.1f} Å is too small for growth, where atoms see each other up to "
            f"{sizes.reach:.1f} Å; allowed: twice that or more; fix: more chains, or a lower density"
        )
    table = make_table(int(offsets[-1]), sizes.reach, length)
    growers = _growers(polymers, solvent)
    children = np.random.SeedSequence(seed).spawn(len(polymers))
    for i, (grower, child) in enumerate(zip(growers, children, strict=True)):
        if not _grown(grower, int(offsets[i]), table, sizes, np.random.default_rng(child)):
            raise ValueError(
                f"chain {i + 1} of {len(polymers)} finds no room in a box of {length:.1f} Å after "
                f"{_ATTEMPTS} attempts; chains are grown, not compressed: give a lower density"
            )
    return np.split(table.positions, offsets[1:-1])


def _growers(polymers: Sequence[Polymer], solvent: float) -> list[ChainGrower]:
    """One for each chain, the same for chains that are alike down to their stereo."""
    from rdkit import Chem

    from polymd.conformations.growth import ChainGrower

    made: dict[str, ChainGrower] = {}
    growers = []
    for polymer in polymers:
        key = Chem.MolToSmiles(polymer.to_rdkit(), canonical=False)  # tells the order of atoms and stereo
        if key not in made:
            made[key] = ChainGrower(polymer, solvent=solvent)
        growers.append(made[key])
    return growers


def _grown(grower: ChainGrower, offset: int, table: Table, sizes: Volumes, rng: np.random.Generator) -> bool:
    """Whether a sound chain was grown into the table, its atoms from `offset` on."""
    from polymd.conformations.excluded_volume import remove_last
    from polymd.conformations.growth import chain_problem

    stop = offset + grower.polymer.n_atoms
    for _ in range(_ATTEMPTS):
        left = grower.grow_into(table, sizes, offset, rng)
        chain = table.positions[offset:stop]
        if not left and chain_problem(grower.polymer, chain, chain) is None:
            return True
        for atom in range(stop - 1, offset - 1, -1):
            remove_last(table, atom)
    return False


def place_chains(chains: list[NDArray[np.float64]], length: float, *, seed: int) -> list[NDArray[np.float64]]:
    """Put ready chains into a periodic cube one by one, turned and shifted at random until nothing overlaps.

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
    list of numpy.ndarray
        (n_i, 3) Å of each chain, whole, its centre in the box.

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
    return np.split(placed, np.cumsum([len(chain) for chain in chains])[:-1])


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
