"""Unit conformers: the geometries that each repeat unit has inside its chain, for the growth builder.

Every unit is cut out of the chain with its surroundings, embedded (ETKDG) and minimised (MMFF94, else UFF);
its atoms, the two neighbouring backbone atoms and the torsion of its junction are kept. Units of equal
stereo share their conformers, units of mirrored stereo share them mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.etkdg import embed, minimise
from polymd.conformations.geometry import dihedral
from polymd.conformations.kernels import Packed
from polymd.conformations.windows import cut_out, kekulised, surroundings

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from polymd.polymer import Polymer

__all__ = ["Rotor", "UnitConformers", "pack", "unit_conformers"]

Key = tuple[str, tuple[int, ...]]
_WINDOWS = 4


@dataclass(frozen=True)
class Rotor:
    """A rotatable bond of a unit, local indices: `moving` turns about the axis from axis[0] to axis[1]."""

    axis: tuple[int, int]
    torsion: tuple[int, int, int, int]
    moving: tuple[int, ...]
    stiff: bool


@dataclass(frozen=True)
class UnitConformers:
    """Conformers of one kind of unit.

    A local index counts the unit's atoms in chain order, then the previous (A) and the next (A + 1)
    backbone atom. `line` holds (before, head, after head) and (before tail, tail, after) of the backbone.
    """

    coordinates: NDArray[np.float64]  # (C, A + 2, 3) Å
    entry: NDArray[np.float64]  # (C,) torsion of the junction to the previous unit, rad
    line: tuple[int, int, int, int, int, int]
    rotors: tuple[Rotor, ...]
    torsions: NDArray[np.float64]  # (C, rotors) rad
    stiff_entry: bool

    def mirrored(self) -> UnitConformers:
        """The same conformers seen in a mirror."""
        flip = np.array([-1.0, 1.0, 1.0])
        return UnitConformers(
            self.coordinates * flip, -self.entry, self.line, self.rotors, -self.torsions, self.stiff_entry
        )


def unit_conformers(polymer: Polymer, seed: int) -> tuple[list[UnitConformers], NDArray[np.int64]]:
    """Kinds of units of a chain and the kind (U,) of each unit.

    Raises
    ------
    ConformationError
        A unit cannot be embedded.
    """
    mol = kekulised(polymer.to_rdkit())
    frame = _Frame(polymer, mol)
    keys = [frame.key(i) for i in range(polymer.n_units)]
    kinds: dict[Key, UnitConformers] = {}
    for key in dict.fromkeys(keys):
        mirror = _mirror(key)
        if mirror in kinds:
            kinds[key] = kinds[mirror].mirrored()
        else:
            units = [(i, k != key) for i, k in enumerate(keys) if k in (key, mirror)]
            kinds[key] = _conformers(frame, units, seed)
    order = list(kinds)
    return list(kinds.values()), np.array([order.index(key) for key in keys], dtype=np.int64)


def pack(kinds: list[UnitConformers]) -> Packed:
    """Unit conformers as the flat arrays that the growth kernels read."""
    rotors = [rotor for kind in kinds for rotor in kind.rotors]

    def starts(sizes: list[int]) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    return Packed(
        rows=np.concatenate([kind.coordinates.reshape(-1, 3) for kind in kinds]),
        first_row=starts([kind.coordinates.size // 3 for kind in kinds])[:-1],
        n_rows=np.array([kind.coordinates.shape[1] for kind in kinds], dtype=np.int64),
        entry=np.concatenate([kind.entry for kind in kinds]),
        first_conformer=starts([len(kind.entry) for kind in kinds]),
        line=np.array([kind.line for kind in kinds], dtype=np.int64),
        stiff_entry=np.array([kind.stiff_entry for kind in kinds], dtype=np.int64),
        first_rotor=starts([len(kind.rotors) for kind in kinds]),
        axes=np.array([rotor.axis for rotor in rotors], dtype=np.int64).reshape(-1, 2),
        stiff=np.array([rotor.stiff for rotor in rotors], dtype=np.int64),
        moving=np.array([k for rotor in rotors for k in rotor.moving], dtype=np.int64),
        first_moving=starts([len(rotor.moving) for rotor in rotors]),
        torsions=np.concatenate([kind.torsions.reshape(-1) for kind in kinds]),
        first_torsion=starts([kind.torsions.size for kind in kinds])[:-1],
    )


class _Frame:
    """A chain's atoms and backbone, unit by unit."""

    def __init__(self, polymer: Polymer, mol: Mol) -> None:
        self.mol = mol
        self.n_units = polymer.n_units
        self.atoms = [polymer.unit_atoms(i).tolist() for i in range(polymer.n_units)]
        backbone = polymer.backbone.tolist()
        per = len(backbone) // polymer.n_units
        first, last = self._cap(backbone, 0), self._cap(backbone, -1)
        self.line = [first, *backbone, last]
        self.span = [(i * per, (i + 1) * per + 2) for i in range(polymer.n_units)]

    def _cap(self, backbone: list[int], end: int) -> int:
        """An atom that continues the backbone past its end: of the end group, or another neighbour."""
        around = [a.GetIdx() for a in self.mol.GetAtomWithIdx(backbone[end]).GetNeighbors()]
        return max(int(a) for a in around if len(backbone) == 1 or a != backbone[1 if end == 0 else -2])

    def key(self, i: int) -> Key:
        """Place in the chain and chiral tags: units of equal keys have equal conformers."""
        place = "first" * (i == 0) + "last" * (i == self.n_units - 1)
        return place, tuple(int(self.mol.GetAtomWithIdx(a).GetChiralTag()) for a in self.atoms[i])

    def local(self, i: int) -> list[int]:
        """Chain indices of a unit's local indices."""
        start, stop = self.span[i]
        return [*self.atoms[i], self.line[start], self.line[stop - 1]]

    def place(self, i: int) -> tuple[int, int, int, int, int, int]:
        """Local indices of the first three and last three atoms of the unit's stretch of backbone."""
        start, stop = self.span[i]
        atoms = self.atoms[i]
        own = {atom: k for k, atom in enumerate(atoms)}
        stretch = [own.get(a, -1) for a in self.line[start:stop]]
        stretch[0] = len(atoms) if i > 0 else stretch[0]
        stretch[-1] = len(atoms) + 1 if i < self.n_units - 1 else stretch[-1]
        return stretch[0], stretch[1], stretch[2], stretch[-3], stretch[-2], stretch[-1]


def _mirror(key: Key) -> Key:
    return key[0], tuple({1: 2, 2: 1}.get(tag, tag) for tag in key[1])


def _conformers(frame: _Frame, units: list[tuple[int, bool]], seed: int) -> UnitConformers:
    """Conformers of the first of `units` (number, whether it is a mirror image) from windows around some."""
    rng = np.random.default_rng(seed)
    first = units[0][0]
    chosen = [units[k] for k in sorted(rng.permutation(len(units))[:_WINDOWS].tolist())]
    rotors = _rotors(frame, first)
    coordinates, entries = [], []
    for i, mirrored in chosen:
        window = surroundings(frame.mol, frame.local(i))
        piece = cut_out(frame.mol, window)
        where = {atom: k for k, atom in enumerate(window)}
        wanted = int(np.clip(600 // piece.GetNumAtoms(), 4, 12)) // (1 if len(units) > 1 else 2)
        count = -(-wanted // len(chosen))
        for positions in embed(piece, count, int(rng.integers(2**31 - 1))):
            relaxed = minimise(piece, positions)
            if mirrored:
                relaxed = relaxed * np.array([-1.0, 1.0, 1.0])
            coordinates.append(relaxed[[where[a] for a in frame.local(i)]])
            start = frame.span[i][0]
            quad = frame.line[start - 1 : start + 3] if i > 0 else []
            entries.append(dihedral(*relaxed[[where[a] for a in quad]]) if quad else 0.0)
    torsions = [[dihedral(*xyz[list(rotor.torsion)]) for rotor in rotors] for xyz in coordinates]
    start = frame.span[first][0]
    bond = frame.mol.GetBondBetweenAtoms(frame.line[start], frame.line[start + 1])
    return UnitConformers(
        np.stack(coordinates),
        np.array(entries, dtype=np.float64),
        frame.place(first),
        rotors,
        np.array(torsions, dtype=np.float64).reshape(len(coordinates), len(rotors)),
        first > 0 and bond.GetBondTypeAsDouble() != 1.0,
    )


def _rotors(frame: _Frame, i: int) -> tuple[Rotor, ...]:
    """Single chain bonds of a unit about which more than a methyl group turns."""
    from rdkit import Chem

    local = frame.local(i)
    n_own = len(frame.atoms[i])
    index = {atom: k for k, atom in enumerate(local[:n_own])}
    before, head, _, _, tail, after = frame.place(i)
    near: list[list[int]] = [[] for _ in local]
    for atom in frame.atoms[i]:
        near[index[atom]] = [
            index[b.GetIdx()] for b in frame.mol.GetAtomWithIdx(atom).GetNeighbors() if b.GetIdx() in index
        ]
    for star, end in ((before, head), (after, tail)):
        if star >= n_own:
            near[star].append(end)
            near[end].append(star)
    rotors = []
    for bond in frame.mol.GetBonds():
        pair = [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
        if bond.IsInRing() or bond.GetBondTypeAsDouble() != 1.0 or not set(pair) <= set(index):
            continue
        if any(frame.mol.GetAtomWithIdx(a).GetHybridization() == Chem.HybridizationType.SP for a in pair):
            continue
        a, b = index[pair[0]], index[pair[1]]
        moving = _branch(near, a, b)
        if head in moving:
            a, b, moving = b, a, _branch(near, b, a)
        ends = [k for k in near[a] if k != b], [k for k in near[b] if k != a]
        hydrogens = [k < n_own and frame.mol.GetAtomWithIdx(local[k]).GetAtomicNum() == 1 for k in ends[1]]
        if ends[0] and ends[1] and not (all(hydrogens) and len(hydrogens) == 3):
            quad = (ends[0][0], a, b, ends[1][0])
            rotors.append(Rotor((a, b), quad, tuple(sorted(moving - {b})), bool(bond.GetIsConjugated())))
    return tuple(rotors)


def _branch(near: list[list[int]], a: int, b: int) -> set[int]:
    """Local indices reached from b without going through a."""
    seen, front = {b}, [b]
    while front:
        for k in near[front.pop()]:
            if k != a and k not in seen:
                seen.add(k)
                front.append(k)
    return seen
