"""A chain as growth sees it: atoms unit by unit, the line of backbone atoms, distances from the head."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from polymd.polymer import Polymer

__all__ = ["Chain"]


class Chain:
    """Atoms, bonds and backbone of a linear chain, read from head to tail.

    Attributes
    ----------
    mol
        The molecule, aromatic bonds as such.
    unit_of : list of int
        Unit of each atom.
    atoms : list of list of int
        Atoms of each unit, ascending.
    line : list of int
        The backbone with one more atom at each end.
    span : list of (int, int)
        Stretch of `line` of each unit: its backbone atoms and one atom before and after them.
    neighbors : list of list of int
        Bonded atoms of each atom, ascending.
    depth : (N,) int64
        Bonds from the first backbone atom.
    """

    def __init__(self, mol: Mol, backbone: Iterable[int], unit_of: Iterable[int]) -> None:
        self.mol = mol
        self.unit_of = [int(unit) for unit in unit_of]
        self.n_units = max(self.unit_of) + 1
        self.atoms: list[list[int]] = [[] for _ in range(self.n_units)]
        for atom, unit in enumerate(self.unit_of):
            self.atoms[unit].append(atom)
        self.neighbors: list[list[int]] = [[] for _ in self.unit_of]
        for bond in mol.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            self.neighbors[i].append(j)
            self.neighbors[j].append(i)
        for around in self.neighbors:
            around.sort()
        path = [int(atom) for atom in backbone]
        self.line = [self._cap(path, 0), *path, self._cap(path, -1)]
        self.place = {atom: k for k, atom in enumerate(self.line)}
        self.backbone = frozenset(path)
        stops = np.cumsum(np.bincount([self.unit_of[a] for a in path], minlength=self.n_units)).tolist()
        self.span = [(start, stop + 2) for start, stop in zip([0, *stops], stops, strict=False)]
        self.depth = self._depths(path[0])

    @classmethod
    def of(cls, polymer: Polymer) -> Chain:
        """The chain of a polymer, from its head."""
        return cls(polymer.to_rdkit(), polymer.backbone.tolist(), polymer.unit_index.tolist())

    def reversed(self) -> Chain:
        """The same chain read from its tail."""
        units = [self.n_units - 1 - unit for unit in self.unit_of]
        return Chain(self.mol, self.line[-2:0:-1], units)

    def _cap(self, path: list[int], end: int) -> int:
        """An atom that continues the backbone past its end: of the end group, or another neighbour."""
        inner = path[1 if end == 0 else -2] if len(path) > 1 else -1
        return max(a for a in self.neighbors[path[end]] if a != inner)

    def _depths(self, root: int) -> NDArray[np.int64]:
        depth = np.full(len(self.unit_of), -1, dtype=np.int64)
        depth[root] = 0
        front = [root]
        while front:
            beyond = []
            for i in front:
                for j in self.neighbors[i]:
                    if depth[j] < 0:
                        depth[j] = depth[i] + 1
                        beyond.append(j)
            front = beyond
        return depth

    def within(self, atoms: Iterable[int], reach: int) -> list[int]:
        """Atoms at most `reach` bonds from any of `atoms`, ascending."""
        found = set(atoms)
        front = set(found)
        for _ in range(reach):
            front = {j for i in front for j in self.neighbors[i]} - found
            found |= front
        return sorted(found)

    def local(self, i: int) -> list[int]:
        """Chain indices of a unit's local indices: its atoms, the backbone atoms before and after them."""
        start, stop = self.span[i]
        return [*self.atoms[i], self.line[start], self.line[stop - 1]]

    def joints(self, i: int) -> tuple[int, int, int, int, int, int]:
        """Local indices of the first three and last three atoms of the unit's stretch of the line."""
        start, stop = self.span[i]
        own = {atom: k for k, atom in enumerate(self.atoms[i])}
        stretch = [own.get(a, -1) for a in self.line[start:stop]]
        stretch[0] = len(own) if i > 0 else stretch[0]
        stretch[-1] = len(own) + 1 if i < self.n_units - 1 else stretch[-1]
        return stretch[0], stretch[1], stretch[2], stretch[-3], stretch[-2], stretch[-1]
