"""Chains of a trajectory: where each copy of the chain begins, and its atoms in Å."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from mdtraj import Topology, Trajectory

ANGSTROM_PER_NM = 10.0


def chain_atoms(topology: "Topology") -> NDArray[np.int64]:
    """`(C, n)` atom indices of the topology's C chains.

    Raises
    ------
    ValueError
        There is no chain, or the chains have different numbers of atoms.
    """
    chains = [np.array([atom.index for atom in chain.atoms], dtype=np.int64) for chain in topology.chains]
    sizes = sorted({chain.size for chain in chains})
    if len(sizes) != 1:
        raise ValueError(f"chains of {sizes} atoms; give a topology of one or several copies of one chain")
    return np.stack(chains)


def chain_masses(topology: "Topology") -> NDArray[np.float64]:
    """`(C, n)` masses of the chains' atoms in amu."""
    masses = np.array([atom.element.mass for atom in topology.atoms], dtype=np.float64)
    return masses[chain_atoms(topology)]


def positions(trajectory: "Trajectory", atoms: NDArray[np.int64]) -> NDArray[np.float64]:
    """`(F, *atoms.shape, 3)` positions of `atoms` in Å, in double precision."""
    return np.asarray(trajectory.xyz[:, atoms], dtype=np.float64) * ANGSTROM_PER_NM


def backbone_atoms(topology: "Topology", backbone: ArrayLike, fewest: int) -> NDArray[np.int64]:
    """`(C, B)` atom indices of the backbone of every chain.

    Parameters
    ----------
    topology
        One or several copies of the chain.
    backbone
        `(B,)` atom indices within one chain, in chain order: `Polymer.backbone`.
    fewest
        The number of backbone atoms needed.

    Raises
    ------
    ValueError
        Too few backbone atoms, or an index outside the chain.
    """
    chains = chain_atoms(topology)
    within = np.asarray(backbone, dtype=np.int64)
    if within.ndim != 1 or within.size < fewest:
        raise ValueError(
            f"a backbone of shape {within.shape}; give {fewest} atoms or more (Polymer.backbone)"
        )
    if within.min() < 0 or within.max() >= chains.shape[1]:
        raise ValueError(
            f"backbone atoms {within.min()} to {within.max()} in chains of {chains.shape[1]} atoms;"
            " give indices within one chain (Polymer.backbone)"
        )
    return chains[:, within]
