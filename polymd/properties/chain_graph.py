"""The graph of an infinite chain: the atoms of one unit, bonds with the unit they lead to, distances.

The stars of a unit are gone: its tail atom is bonded to the head atom of the next unit (star linking).
All that is read from this graph belongs to the infinite chain: a longer unit or another cut of the same
chain has the same atoms, as many times over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from polymd.psmiles import parse, star_indices

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rdkit.Chem import Mol

__all__ = ["ATOM_FIELDS", "ChainGraph", "chain_graph", "molecule_graph", "unit_graph"]

#: columns of `ChainGraph.atoms`
ATOM_FIELDS = ("number", "hydrogens", "charge", "aromatic", "smallest_ring", "neighbours", "unsaturation")


@dataclass(frozen=True)
class ChainGraph:
    """One unit of an infinite chain; A heavy atoms, B bonds, each in both directions."""

    atoms: NDArray[np.int64]  #: (A, 7), integers, columns `ATOM_FIELDS`; unsaturation is 2 (order - 1) summed
    edges: NDArray[np.int64]  #: (2 B, 2), from an atom of the unit to an atom
    images: NDArray[np.int64]  #: (2 B,), the unit that the edge leads to: -1, 0 or 1
    orders: NDArray[np.int64]  #: (2 B,), twice the bond order: 2 single, 3 aromatic, 4 double, 6 triple
    backbone: NDArray[np.bool_]  #: (A,), on a shortest way from unit to unit

    @cached_property
    def neighbours(self) -> list[list[tuple[int, int, int]]]:
        """Of every atom its bonds as (other atom, unit it leads to, twice the order)."""
        found: list[list[tuple[int, int, int]]] = [[] for _ in self.atoms]
        for (i, j), image, order in zip(
            self.edges.tolist(), self.images.tolist(), self.orders.tolist(), strict=True
        ):
            found[i].append((j, image, order))
        return found

    @cached_property
    def adjacency(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """`neighbours` as arrays: where bonds of each atom start (A + 1,), other atoms and units (2 B,)."""
        order = np.argsort(self.edges[:, 0], kind="stable")
        starts = np.searchsorted(self.edges[order, 0], np.arange(len(self.atoms) + 1))
        return starts, self.edges[order, 1], self.images[order]

    @cached_property
    def depths(self) -> NDArray[np.int64]:
        """Bonds from the backbone of every atom, (A,)."""
        found = np.where(self.backbone, 0, -1)
        shell, away = set(np.flatnonzero(self.backbone).tolist()), 0
        while shell:
            away += 1
            shell = {j for i in shell for j, _, _ in self.neighbours[i] if found[j] < 0}
            found[list(shell)] = away
        return found

    def pairs(self, longest: int) -> NDArray[np.int64]:
        """All atoms within `longest` bonds of an atom of the unit, on the infinite chain.

        Returns
        -------
        array (P, 4)
            Atom of the unit, other atom, its unit, shortest-path distance in bonds, 1 to `longest`.
        """
        from polymd.properties.walks import shells

        return shells(*self.adjacency, longest)


def chain_graph(psmiles: str) -> ChainGraph:
    """The graph of the infinite chain of a P-SMILES; stereo is not in it.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`.
    """
    from polymd.repeats import substitute_stars

    unit = parse(psmiles)
    mol = substitute_stars(psmiles)  # same atom order; aromaticity with real atoms beyond the stars
    stars = star_indices(unit)
    head, tail = _ends(unit)
    link = round(2 * unit.GetAtomWithIdx(stars[0]).GetBonds()[0].GetBondTypeAsDouble())
    return _graph(unit, mol, [(tail, head, 1, link)])


def unit_graph(psmiles: str, *, stars: bool) -> ChainGraph:
    """The graph of one unit for itself, its stars kept as atoms of number 0 or removed.

    The "star keep" and "star remove" baselines of MIPS: they depend on how a chain is cut into units.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`.
    """
    unit = parse(psmiles)
    return _graph(unit, unit, [], keep_stars=stars)


def molecule_graph(smiles: str) -> ChainGraph:
    """The graph of a molecule without stars: one unit that is bonded to no other, no backbone.

    Raises
    ------
    ValueError
        RDKit cannot read the SMILES, or it has no atoms or a star.
    """
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None or not mol.GetNumAtoms() or star_indices(mol):
        raise ValueError(
            f"bad SMILES {smiles!r}; allowed: molecules without stars; fix: write it as in 'CCO', or give a "
            "repeat unit to chain_graph"
        )
    return _graph(mol, mol, [])


def _ends(unit: Mol) -> tuple[int, int]:
    """The head atom and the tail atom of a unit."""
    head, tail = (unit.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in star_indices(unit))
    return head, tail


def _graph(
    unit: Mol, mol: Mol, links: list[tuple[int, int, int, int]], *, keep_stars: bool = False
) -> ChainGraph:
    """The graph of the atoms of `unit` with the bonds of `mol`, and bonds to the next unit."""
    from rdkit import Chem

    stars = () if keep_stars else star_indices(unit)
    place = {i: n for n, i in enumerate(i for i in range(unit.GetNumAtoms()) if i not in stars)}
    bonds = list(links)
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if i in place and j in place:
            bonds.append((i, j, 0, round(2 * bond.GetBondTypeAsDouble())))
    both = [(place[i], place[j], m, o) for i, j, m, o in bonds]
    both += [(j, i, -m, o) for i, j, m, o in both]
    table = np.array(both, dtype=np.int64).reshape(-1, 4)
    on_way = np.zeros(unit.GetNumAtoms(), dtype=np.bool_)
    if star_indices(unit):
        head, tail = _ends(unit)
        ways = Chem.GetDistanceMatrix(unit)
        on_way = ways[head] + ways[tail] == ways[head, tail]
    return ChainGraph(
        atoms=_atoms(unit, mol, list(place), table),
        edges=table[:, :2],
        images=table[:, 2],
        orders=table[:, 3],
        backbone=on_way[list(place)],
    )


def _atoms(unit: Mol, mol: Mol, kept: list[int], bonds: NDArray[np.int64]) -> NDArray[np.int64]:
    """`ChainGraph.atoms` of the atoms kept of `unit`, aromatic and in rings as in `mol`."""
    rings = mol.GetRingInfo()
    atoms = [unit.GetAtomWithIdx(i) for i in kept]
    columns = [
        [atom.GetAtomicNum() for atom in atoms],
        [atom.GetTotalNumHs() for atom in atoms],
        [atom.GetFormalCharge() for atom in atoms],
        [mol.GetAtomWithIdx(i).GetIsAromatic() for i in kept],
        [rings.MinAtomRingSize(i) for i in kept],
        np.bincount(bonds[:, 0], minlength=len(kept)),
        np.bincount(bonds[:, 0], bonds[:, 3] - 2, minlength=len(kept)),
    ]
    return np.array(columns, dtype=np.float64).T.astype(np.int64)
