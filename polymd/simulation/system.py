"""From a config to the atoms that move: topology, masses, bonds, first positions, box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.packing import box_length, grow_box, place_chains
from polymd.integrators import repartition_hydrogen_mass
from polymd.simulation.config import DEFAULT_DENSITY, Config

if TYPE_CHECKING:
    from ase import Atoms
    from openmm.app import Topology

    from polymd.polymer import Polymer


@dataclass(frozen=True)
class MolecularSystem:
    """The atoms of a run, before any engine sees them.

    Attributes
    ----------
    topology
        OpenMM topology, one chain a polymer, with box vectors when periodic.
    atomic_numbers, masses
        (N,) and (N,) amu; hydrogens as heavy as the config says.
    bonds
        (M, 2) atom indices.
    positions
        (N, 3) Å, before minimisation.
    box
        Edge of the periodic cube in Å, or None in vacuum.
    """

    topology: Topology
    atomic_numbers: NDArray[np.int64]
    masses: NDArray[np.float64]
    bonds: NDArray[np.int64]
    positions: NDArray[np.float64]
    box: float | None

    @property
    def n_atoms(self) -> int:
        """Number of atoms."""
        return len(self.masses)

    @property
    def molecules(self) -> NDArray[np.int64]:
        """(N,) number of the molecule of each atom, from 0."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        i, j = self.bonds.T
        graph = coo_array((np.ones(len(i)), (i, j)), shape=(self.n_atoms, self.n_atoms))
        return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)

    def density(self, cell: NDArray[np.float64] | None) -> float | None:
        """g/cm³ in a cell (3, 3) of Å, or None in vacuum."""
        from polymd.units import G_CM3

        return None if cell is None else float(self.masses.sum() / abs(np.linalg.det(cell)) / G_CM3)

    def to_ase(self) -> Atoms:
        """ASE atoms with the same order, masses and box."""
        from ase import Atoms

        cell = None if self.box is None else [self.box] * 3
        return Atoms(
            numbers=self.atomic_numbers,
            positions=self.positions,
            masses=self.masses,
            cell=cell,
            pbc=cell is not None,
        )


def build_system(config: Config) -> MolecularSystem:
    """Chains with their conformations, in vacuum or in a box.

    Raises
    ------
    ValueError
        When the chain cannot be built or the box cannot be filled.
    """
    from polymd.polymer import Polymer

    chains = [
        Polymer(config.psmiles, config.units, tacticity=config.tacticity, seed=config.seed + i)
        for i in range(config.chains)
    ]
    masses = np.concatenate([chain.masses for chain in chains])
    box = None
    if config.chains > 1:
        box = box_length(float(masses.sum()), config.density or DEFAULT_DENSITY)
    conformations = _conformations(chains, box, config)
    numbers = np.concatenate([chain.atomic_numbers for chain in chains])
    offsets = np.cumsum([0, *(chain.n_atoms for chain in chains)])
    bonds = np.concatenate([chain.bonds + offset for chain, offset in zip(chains, offsets, strict=False)])
    if config.hydrogen_mass is not None:
        masses = repartition_hydrogen_mass(masses, numbers, bonds, config.hydrogen_mass)
    return MolecularSystem(
        topology=_topology(chains, conformations, box),
        atomic_numbers=numbers,
        masses=masses,
        bonds=bonds,
        positions=np.concatenate(conformations),
        box=box,
    )


def _conformations(chains: list[Polymer], box: float | None, config: Config) -> list[NDArray[np.float64]]:
    """Positions of every chain; in a box they are grown together, or inserted if another method made them."""
    from polymd.conformations import generate_conformations

    if box is not None and config.method in ("auto", "growth"):
        return grow_box(chains, box, seed=config.seed, solvent=config.solvent)
    ready = [
        generate_conformations(chain, 1, method=config.method, seed=chain.seed, solvent=config.solvent)[0]
        for chain in chains
    ]
    return ready if box is None else place_chains(ready, box, seed=config.seed)


def _topology(chains: list[Polymer], conformations: list[NDArray[np.float64]], box: float | None) -> Topology:
    from openmm import Vec3, unit
    from openmm.app import Modeller

    topology = chains[0].to_openmm()
    if len(chains) > 1:
        modeller = Modeller(topology, conformations[0] * unit.angstrom)
        for chain, positions in zip(chains[1:], conformations[1:], strict=True):
            modeller.add(chain.to_openmm(), positions * unit.angstrom)
        topology = modeller.topology
    if box is not None:
        edges = (Vec3(box, 0, 0), Vec3(0, box, 0), Vec3(0, 0, box))
        topology.setPeriodicBoxVectors(edges * unit.angstrom)
    return topology
