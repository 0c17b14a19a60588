"""Kinds of units: the geometries that each repeat unit has inside its chain, and how growth turns them.

A unit is cut out of the chain with its surroundings, embedded (ETKDG) and minimised (MMFF94, else UFF);
its atoms and the two neighbouring backbone atoms are kept. Units of equal stereo share their conformers,
units of mirrored stereo share them mirrored. All of it depends on the chain alone, not on a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.etkdg import embed, minimise
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.internal import dihedrals
from polymd.conformations.kernels import Units
from polymd.conformations.rotors import unit_rotors
from polymd.conformations.windows import cut_out, kekulised, surroundings

if TYPE_CHECKING:
    from rdkit.Chem import Mol

__all__ = ["Key", "Turn", "UnitKind", "mirrored_key", "pack", "unit_key", "unit_kinds"]

Key = tuple[tuple[int, int, int], tuple[int, ...]]
_WINDOWS = 2
_CONFORMERS = 4
_STEPS = 100  # of minimisation
_SEED = 1


@dataclass(frozen=True)
class Turn:
    """A rotor of a unit in local indices: `moving` turns about the axis from torsion[1] to torsion[2]."""

    torsion: tuple[int, int, int, int]
    moving: tuple[int, ...]


@dataclass(frozen=True)
class UnitKind:
    """Conformers of one kind of unit.

    A local index counts the unit's A atoms in chain order, then the previous (A) and the next (A + 1)
    backbone atom. `line` holds (before, head, after head) and (before tail, tail, after) of the backbone.
    """

    coordinates: NDArray[np.float64]  # (C, A + 2, 3) Å
    line: tuple[int, int, int, int, int, int]
    turns: tuple[Turn, ...]
    entry: NDArray[np.float64]  # (C,) rad, torsion of the junction to the previous unit

    def mirrored(self) -> UnitKind:
        """The same conformers seen in a mirror."""
        flip = np.array([-1.0, 1.0, 1.0])
        return replace(self, coordinates=self.coordinates * flip, entry=-self.entry)


def unit_kinds(chain: Chain, types: NDArray[np.int64]) -> tuple[list[UnitKind], NDArray[np.int64], list[int]]:
    """Kinds of units of a chain, the kind (U,) of each unit, and for each kind a unit that is of it.

    `types` (U,) are numbers of the units' P-SMILES.

    Raises
    ------
    ConformationError
        A unit cannot be embedded.
    """
    mol = kekulised(chain.mol)
    keys = [unit_key(chain, types, i) for i in range(chain.n_units)]
    first = {key: i for i, key in reversed(list(enumerate(keys)))}
    kinds: dict[Key, UnitKind] = {}
    for key in dict.fromkeys(keys):
        mirror = mirrored_key(key)
        if mirror in kinds:
            kinds[key] = kinds[mirror].mirrored()
        else:
            units = [(i, k != key) for i, k in enumerate(keys) if k in (key, mirror)]
            kinds[key] = _conformers(chain, mol, units)
    order = list(kinds)
    number = {key: k for k, key in enumerate(order)}
    return (
        list(kinds.values()),
        np.array([number[key] for key in keys], dtype=np.int64),
        [first[key] for key in order],
    )


def unit_key(chain: Chain, types: NDArray[np.int64], i: int) -> Key:
    """P-SMILES of the unit and its neighbours, and chiral tags: units of equal keys have equal conformers."""
    before = int(types[i - 1]) if i > 0 else -1
    after = int(types[i + 1]) if i + 1 < chain.n_units else -1
    tags = tuple(int(chain.mol.GetAtomWithIdx(a).GetChiralTag()) for a in chain.atoms[i])
    return (before, int(types[i]), after), tags


def mirrored_key(key: Key) -> Key:
    """Key of the mirror image."""
    return key[0], tuple({1: 2, 2: 1}.get(tag, tag) for tag in key[1])


def _conformers(chain: Chain, mol: Mol, units: list[tuple[int, bool]]) -> UnitKind:
    """Conformers of the first of `units` (number, whether it is a mirror image) from windows around some."""
    first = units[0][0]
    chosen = [units[k] for k in range(0, len(units), -(-len(units) // _WINDOWS))]
    coordinates, entries = [], []
    for number, (i, mirrored) in enumerate(chosen):
        window = surroundings(mol, chain.local(i))
        piece = cut_out(mol, window)
        where = {atom: k for k, atom in enumerate(window)}
        for positions in embed(piece, _CONFORMERS // len(chosen), _SEED + number):
            relaxed = minimise(piece, positions, _STEPS)
            if not keeps_stereo(piece, relaxed):
                relaxed = positions
            if mirrored:
                relaxed = relaxed * np.array([-1.0, 1.0, 1.0])
            coordinates.append(relaxed[[where[a] for a in chain.local(i)]])
            start = chain.span[i][0]
            quad = [where[a] for a in chain.line[start - 1 : start + 3]] if i > 0 else []
            entries.append(dihedrals(relaxed[None], np.array([quad]))[0, 0] if quad else 0.0)
    return UnitKind(
        np.stack(coordinates), chain.joints(first), _turns(chain, first), np.array(entries, dtype=np.float64)
    )


def _turns(chain: Chain, i: int) -> tuple[Turn, ...]:
    """Rotors of a unit without its junction, in the order of `unit_rotors`."""
    local = chain.local(i)
    where = {atom: k for k, atom in reversed(list(enumerate(local)))}
    turns = []
    for rotor in unit_rotors(chain, i):
        if chain.unit_of[rotor.near] == i:
            torsion = (where[rotor.before], where[rotor.near], where[rotor.far], where[rotor.after])
            turns.append(Turn(torsion, tuple(sorted(_branch(chain, rotor.near, rotor.far, where)))))
    return tuple(turns)


def _branch(chain: Chain, near: int, far: int, where: dict[int, int]) -> set[int]:
    """Local indices of the atoms beyond the bond near-far."""
    seen, front = {near, far}, [far]
    while front:
        fresh = [a for a in chain.neighbors[front.pop()] if a in where and a not in seen]
        seen.update(fresh)
        front += fresh
    return {where[a] for a in seen - {near, far}}


def pack(kinds: Sequence[UnitKind]) -> Units:
    """Kinds of units as the flat arrays that the kernels read."""
    turns = [turn for kind in kinds for turn in kind.turns]
    torsions = [
        dihedrals(kind.coordinates, np.array([t.torsion for t in kind.turns], dtype=np.int64).reshape(-1, 4))
        for kind in kinds
    ]
    stages = [rows for kind in kinds for rows in _stage_rows(kind)]
    return Units(
        rows=np.concatenate([kind.coordinates.reshape(-1, 3) for kind in kinds]),
        first_row=_starts([kind.coordinates.size // 3 for kind in kinds])[:-1],
        n_rows=np.array([kind.coordinates.shape[1] for kind in kinds], dtype=np.int64),
        first_conformer=_starts([len(kind.entry) for kind in kinds]),
        entry=np.concatenate([kind.entry for kind in kinds]),
        line=np.array([kind.line for kind in kinds], dtype=np.int64),
        first_rotor=_starts([len(kind.turns) for kind in kinds]),
        axes=np.array([turn.torsion[1:3] for turn in turns], dtype=np.int64).reshape(-1, 2),
        moving=np.array([k for turn in turns for k in turn.moving], dtype=np.int64),
        first_moving=_starts([len(turn.moving) for turn in turns]),
        torsions=np.concatenate([table.ravel() for table in torsions]),
        first_torsion=_starts([table.size for table in torsions])[:-1],
        stage_rows=np.array([k for rows in stages for k in rows], dtype=np.int64),
        first_stage_row=_starts([len(rows) for rows in stages]),
    )


def _starts(sizes: list[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _stage_rows(kind: UnitKind) -> list[list[int]]:
    """Rows that each stage settles: those that it moves and no later one. Row A, the atom before, is none."""
    n_rows = kind.coordinates.shape[1]
    stage = np.zeros(n_rows, dtype=np.int64)
    for number, turn in enumerate(kind.turns, start=1):
        stage[list(turn.moving)] = number
    return [
        [row for row in range(n_rows) if stage[row] == s and row != n_rows - 2]
        for s in range(len(kind.turns) + 1)
    ]
