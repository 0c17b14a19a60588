"""The units of a chain as padded arrays: what PolyConf reads of a molecular graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.graph_features import ATOM_FEATURES, chain_graph
from polymd.conformations.rotors import unit_rotors

if TYPE_CHECKING:
    from rdkit.Chem import Atom, Mol

    from polymd.polymer import Polymer

__all__ = ["BONDED", "FEATURES", "PAIR_KINDS", "ChainUnits", "chain_units", "check_linear"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEATURES = ATOM_FEATURES + 4
"""Of an atom: those of `graph_features`, star before, star after, handedness, which of the line."""
PAIR_KINDS = 9
"""Of a pair: none, itself, four kinds of bond, two bonds apart, three, more."""
BONDED = (2, 3, 4, 5)
_ORDERS = {1.0: 2, 1.5: 3, 2.0: 4, 3.0: 5}


@dataclass(frozen=True)
class ChainUnits:
    """U units, padded to A atoms and T turns. Local indices count a unit's atoms, then the stars."""

    atoms: Ints  # (U, A) chain index
    present: Bools  # (U, A)
    own: Bools  # (U, A) of the unit, no star
    features: NDArray[np.float32]  # (U, A, FEATURES)
    pairs: Ints  # (U, A, A)
    line: Ints  # (U, 6), see `assembly`
    plane: Ints  # (U,)
    quads: Ints  # (U, T, 4) before, near, far, after
    moving: Bools  # (U, T, A) turned about the axis from near to far
    turns: Bools  # (U, T) whether there is one
    free: Bools  # (U, T) beside a triple bond: the torsion is not defined


def check_linear(polymer: Polymer) -> None:
    """Raise ValueError for rings and copolymers, for which PolyConf is not made."""
    what = "ring" if polymer.ring else "copolymer" if polymer.unit_types.any() else ""
    if what:
        raise ValueError(
            f"method 'polyconf' cannot make the {what} {polymer.name}; allowed: linear homopolymers;"
            " fix: method='growth'"
        )


def chain_units(polymer: Polymer) -> ChainUnits:
    """Arrays of a linear homopolymer; ValueError for other polymers."""
    check_linear(polymer)
    chain = Chain.of(polymer)
    ranks = _ranks(chain)
    units = [_unit(chain, i, ranks) for i in range(chain.n_units)]
    n_atoms, n_turns = (max(len(unit[key]) for unit in units) for key in ("atoms", "quads"))
    shapes: dict[str, tuple[int, ...]] = {
        "atoms": (n_atoms,), "present": (n_atoms,), "own": (n_atoms,), "features": (n_atoms, FEATURES),
        "pairs": (n_atoms, n_atoms), "line": (6,), "plane": (), "quads": (n_turns, 4),
        "moving": (n_turns, n_atoms), "turns": (n_turns,), "free": (n_turns,),
    }  # fmt: skip
    arrays: dict[str, Any] = {}
    for name, shape in shapes.items():
        stacked = np.zeros((len(units), *shape), dtype=units[0][name].dtype)
        for i, unit in enumerate(units):
            filled: tuple[Any, ...] = (i, *(slice(size) for size in unit[name].shape))
            stacked[filled] = unit[name]
        arrays[name] = stacked
    return ChainUnits(**arrays)


def _unit(chain: Chain, i: int, ranks: list[tuple[int, int]]) -> dict[str, NDArray[Any]]:
    """Arrays of one unit, not padded."""
    atoms = list(dict.fromkeys(chain.local(i)))  # at chain ends the star is an atom of the unit
    where = {atom: k for k, atom in enumerate(atoms)}
    start, stop = chain.span[i]
    stretch = chain.line[start:stop]
    line = [where[a] for a in (*stretch[:3], *stretch[-3:])]
    rotors = [rotor for rotor in unit_rotors(chain, i) if chain.unit_of[rotor.near] == i]
    moving = np.zeros((len(rotors), len(atoms)), dtype=np.bool_)
    for k, rotor in enumerate(rotors):
        moving[k, _branch(chain, rotor.near, rotor.far, where)] = True
    features = np.zeros((len(atoms), FEATURES), dtype=np.float32)
    features[:, :ATOM_FEATURES] = chain_graph(chain, atoms).atoms
    features[line[0], ATOM_FEATURES] = features[line[5], ATOM_FEATURES + 1] = 1.0
    features[:, ATOM_FEATURES + 2] = [_handedness(chain.mol, a, ranks) for a in atoms]
    for k, atom in enumerate(stretch[1:-1]):
        features[where[atom], ATOM_FEATURES + 3] = 1.0 / (1.0 + k)
    quads = [[where[a] for a in (r.before, r.near, r.far, r.after)] for r in rotors]
    return {
        "atoms": np.array(atoms, dtype=np.int64),
        "present": np.ones(len(atoms), dtype=np.bool_),
        "own": np.array([chain.unit_of[a] == i for a in atoms], dtype=np.bool_),
        "features": features,
        "pairs": _pairs(chain, atoms, where),
        "line": np.array(line, dtype=np.int64),
        "plane": np.array(where[_plane(chain, stretch)], dtype=np.int64),
        "quads": np.array(quads, dtype=np.int64).reshape(-1, 4),
        "moving": moving,
        "turns": np.ones(len(rotors), dtype=np.bool_),
        "free": np.array([rotor.free for rotor in rotors], dtype=np.bool_),
    }


def _branch(chain: Chain, near: int, far: int, where: dict[int, int]) -> list[int]:
    """Local indices of the atoms beyond the bond near-far."""
    seen, front = {near, far}, [far]
    while front:
        fresh = [a for a in chain.neighbors[front.pop()] if a in where and a not in seen]
        seen.update(fresh)
        front += fresh
    return [where[a] for a in seen - {near, far}]


def _plane(chain: Chain, stretch: list[int]) -> int:
    """The backbone atom after the head, or the first after a straight piece, fixes the xy plane.

    The paper takes the star after the unit, which in *c1ccc(*)cc1 lies on the x axis.
    """
    from rdkit import Chem

    for k in range(2, len(stretch)):
        if chain.mol.GetAtomWithIdx(stretch[k - 1]).GetHybridization() != Chem.HybridizationType.SP:
            return stretch[k]
    return stretch[-1]


def _pairs(chain: Chain, atoms: list[int], where: dict[int, int]) -> Ints:
    """Kinds (n, n) of pairs by bonds between them, along bonds of these atoms."""
    n = len(atoms)
    kinds = np.full((n, n), PAIR_KINDS - 1, dtype=np.int64)
    bonded = np.zeros((n, n), dtype=np.int64)
    for k, atom in enumerate(atoms):
        for other in chain.neighbors[atom]:
            if other in where:
                bond = chain.mol.GetBondBetweenAtoms(atom, other)
                bonded[k, where[other]] = _ORDERS.get(bond.GetBondTypeAsDouble(), 2)
    one = bonded > 0
    two = one @ one
    kinds[(one @ two)] = 7
    kinds[two] = 6
    kinds[one] = bonded[one]
    np.fill_diagonal(kinds, 1)
    return kinds


def _ranks(chain: Chain) -> list[tuple[int, int]]:
    """Places of atoms in the order that handedness is read in: along the backbone, then by canonical rank."""
    from rdkit import Chem

    canonical = list(Chem.CanonicalRankAtoms(chain.mol, breakTies=False))
    last = len(chain.line)
    return [(chain.place.get(a, last), -int(rank)) for a, rank in enumerate(canonical)]


def _handedness(mol: Mol, i: int, ranks: list[tuple[int, int]]) -> float:
    """+1 or -1 of a stereo-centre, from its neighbours in the order of `ranks`; 0 of other atoms."""
    from rdkit import Chem

    atom: Atom = mol.GetAtomWithIdx(i)
    tag = atom.GetChiralTag()
    if tag not in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW):
        return 0.0
    around = [ranks[bond.GetOtherAtomIdx(i)] for bond in atom.GetBonds()]
    swaps = sum(around[b] < around[a] for a in range(len(around)) for b in range(a + 1, len(around)))
    sign = 1.0 if tag == Chem.ChiralType.CHI_TETRAHEDRAL_CW else -1.0
    return -sign if swaps % 2 else sign
