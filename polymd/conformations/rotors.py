"""Rotatable bonds of a chain in the order in which growth draws them, and the terms of their torsions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from polymd.conformations.chain import Chain

__all__ = ["Rotor", "TorsionTerms", "torsion_terms", "unit_rotors"]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rotor:
    """A single bond outside rings about which the chain turns; atoms are chain indices.

    The torsion is before-near-far-after; `near` is closer to the chain's head. A bond next to a triple
    bond or cumulated double bonds is `free`: its torsion is not defined and any is as good.
    """

    near: int
    far: int
    before: int
    after: int
    backbone: bool
    free: bool


def unit_rotors(chain: Chain, i: int) -> list[Rotor]:
    """Rotors whose far atom is in unit `i`: the junction to unit i - 1, the backbone, then side groups."""
    rotors = []
    for far in chain.atoms[i]:
        for near in chain.neighbors[far]:
            if chain.depth[near] < chain.depth[far]:
                rotor = _rotor(chain, near, far)
                rotors += [rotor] if rotor else []
    return sorted(rotors, key=lambda r: (not r.backbone, int(chain.depth[r.far]), r.far))


def _rotor(chain: Chain, near: int, far: int) -> Rotor | None:
    bond = chain.mol.GetBondBetweenAtoms(near, far)
    if bond.IsInRing() or bond.GetBondTypeAsDouble() != 1.0:
        return None
    behind = [a for a in chain.neighbors[near] if a != far]
    ahead = [a for a in chain.neighbors[far] if a != near]
    if not behind or not ahead:
        return None
    ends = (chain.mol.GetAtomWithIdx(near), chain.mol.GetAtomWithIdx(far))
    before, after = min(behind, key=lambda a: int(chain.depth[a])), ahead[0]
    if near in chain.backbone and chain.line[chain.place[near] - 1] != far:
        before = chain.line[chain.place[near] - 1]
    if far in chain.backbone and chain.line[chain.place[far] + 1] != near:
        after = chain.line[chain.place[far] + 1]
    return Rotor(
        near,
        far,
        before,
        after,
        near in chain.backbone and far in chain.backbone,
        any(end.GetHybridization() == Chem.HybridizationType.SP for end in ends),
    )


@dataclass(frozen=True)
class TorsionTerms:
    """What the log density of each rotor's torsion is made of; all indices are into the given lists.

    A substituent's offset is how far it is turned about the bond from the reference atom of its side, so
    that the torsion between substituents s and t is that of the rotor plus both offsets.
    """

    offset_rotor: Ints  # (O,)
    offset_atom: Ints  # (O,) the substituent
    offset_far: Ints  # (O,) whether it is bonded to the far atom
    single_rotor: Ints  # (T,)
    single_atoms: Ints  # (T, 4) s, near, far, t
    single_offsets: Ints  # (T, 2) of s and t
    pair_child: Ints  # (P,) a rotor, and
    pair_parent: Ints  # (P,) a rotor drawn before it that shares an atom with it
    term_pair: Ints  # (Q,)
    term_atoms: (
        Ints  # (Q, 5) s, a, shared atom, d, t: torsion s-a-shared-d of the parent, a-shared-d-t of the child
    )
    term_offsets: Ints  # (Q, 4) parent's near and far, child's near and far


def torsion_terms(chain: Chain, rotors: Sequence[Rotor], first_child: int = 0) -> TorsionTerms:
    """Terms of the rotors from `first_child` on, which come after all they depend on."""
    offsets: dict[tuple[int, int, bool], int] = {}

    def offset(r: int, atom: int, far: bool) -> int:
        return offsets.setdefault((r, atom, far), len(offsets))

    def around(atom: int, other: int) -> list[int]:
        return [a for a in chain.neighbors[atom] if a != other]

    single: list[tuple[int, int, int, int, int, int, int]] = []
    pairs: list[tuple[int, int]] = []
    terms: list[tuple[int, ...]] = []
    touching: dict[int, list[int]] = {}
    for r, rotor in enumerate(rotors):
        if rotor.free:
            continue
        near, far = rotor.near, rotor.far
        if r >= first_child:
            for s in around(near, far):
                for t in around(far, near):
                    single.append((r, s, near, far, t, offset(r, s, False), offset(r, t, True)))
            for shared, d in ((near, far), (far, near)):
                for c in touching.get(shared, []):
                    parent = rotors[c]
                    a = parent.near if parent.far == shared else parent.far
                    for s in around(a, shared):
                        for t in around(d, shared):
                            ends = (s, d) if parent.far == shared else (d, s)
                            own = (a, t) if near == shared else (t, a)
                            turned = (
                                offset(c, ends[0], False),
                                offset(c, ends[1], True),
                                offset(r, own[0], False),
                                offset(r, own[1], True),
                            )
                            terms.append((len(pairs), s, a, shared, d, t, *turned))
                    pairs.append((r, c))
        touching.setdefault(near, []).append(r)
        touching.setdefault(far, []).append(r)

    def table(rows: Sequence[Sequence[int]], width: int) -> Ints:
        return np.array(rows, dtype=np.int64).reshape(-1, width)

    where, one, two, many = table(list(offsets), 3), table(single, 7), table(pairs, 2), table(terms, 10)
    return TorsionTerms(
        where[:, 0], where[:, 1], where[:, 2], one[:, 0], one[:, 1:5], one[:, 5:], two[:, 0], two[:, 1],
        many[:, 0], many[:, 1:6], many[:, 6:],
    )  # fmt: skip
