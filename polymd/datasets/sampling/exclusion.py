"""Polymers that must not be labelled, however their repeat unit is spelled."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rdkit.Chem import Mol

_COPIES = (2, 3, 4, 6)
_RING = 6  #: units of the rings that are kept for testing


class Exclusion:
    """A set of polymers; `psmiles in exclusion` is true for every spelling, shift, reversal and repeat.

    Two units are the same polymer when their canonical chains are equal, or some number of copies of the
    one, closed to a ring, is the same molecule as some number of copies of the other; stereo and isotopes
    are ignored. Copolymers that contain an excluded unit beside others are not recognised. A string that is
    no P-SMILES is compared as it is.
    """

    def __init__(self, polymers: Iterable[str] = ()) -> None:
        polymers = list(polymers)
        self._keys = {key for psmiles in polymers for key in polymer_keys(psmiles)}
        self._compositions = {composition(psmiles) for psmiles in polymers}

    def __contains__(self, psmiles: str) -> bool:
        if composition(psmiles) not in self._compositions:  # most are told apart without building rings
            return False
        return not self._keys.isdisjoint(polymer_keys(psmiles))


def read_exclusion(path: str | Path) -> Exclusion:
    """Exclusion of a JSON or CSV file: every string in it, at any depth, with two stars.

    Raises ValueError for another ending, a file that cannot be read or without P-SMILES.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no file {str(path)!r} of excluded polymers")
    text = path.read_text(encoding="utf-8")
    if path.suffix.lower() == ".json":
        try:
            content: Any = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"{str(path)!r} is not JSON: {error}") from error
    elif path.suffix.lower() == ".csv":
        content = list(csv.reader(text.splitlines()))
    else:
        raise ValueError(f"excluded polymers {str(path)!r} end in {path.suffix!r}; allowed: .json, .csv")
    polymers = [string.strip() for string in _strings(content) if string.count("*") == 2]
    if not polymers:
        raise ValueError(f"{str(path)!r} has no P-SMILES; write strings with two stars, such as '*CC*'")
    return Exclusion(polymers)


def _strings(content: Any) -> Iterable[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value)


def composition(psmiles: str) -> frozenset[tuple[int, int]]:
    """Smallest whole numbers of atoms by element, such as {(6, 1), (1, 2)} of `*CC*`."""
    from polymd.psmiles import PSmilesError, parse

    try:
        unit = parse(psmiles)
    except PSmilesError:
        return frozenset({(-1, hash(psmiles))})
    counts = Counter(atom.GetAtomicNum() for atom in unit.GetAtoms() if atom.GetAtomicNum())
    counts[1] += sum(atom.GetTotalNumHs() for atom in unit.GetAtoms())
    divisor = math.gcd(*counts.values())
    return frozenset((z, n // divisor) for z, n in counts.items())


@lru_cache(maxsize=100_000)
def polymer_keys(psmiles: str) -> frozenset[str]:
    """Canonical chain of a unit and SMILES of rings of 2, 3, 4 and 6 copies, without stereo and isotopes."""
    from rdkit import Chem

    from polymd.psmiles import PSmilesError
    from polymd.repeats import canonical_chain

    try:
        unit = without_isotopes(psmiles)
    except PSmilesError:
        return frozenset({psmiles})
    rings = (ring_of(unit, copies)[0] for copies in _COPIES)
    return frozenset(
        {canonical_chain(unit), *(str(Chem.MolToSmiles(r, isomericSmiles=False)) for r in rings)}
    )


def without_isotopes(psmiles: str) -> str:
    """A P-SMILES of the same unit with all isotopes and stereo dropped, deuterium as implicit hydrogen."""
    from rdkit import Chem

    from polymd.psmiles import parse

    unit = parse(psmiles)
    for atom in unit.GetAtoms():
        atom.SetIsotope(0)
    return str(Chem.MolToSmiles(Chem.RemoveHs(unit), isomericSmiles=False))


def ring_of(psmiles: str, copies: int) -> tuple[Mol, list[int]]:
    """Copies of a unit bonded head to tail and closed to a ring, and its backbone atoms in order."""
    from rdkit import Chem

    from polymd.psmiles import parse, star_indices

    unit = parse(psmiles)
    for atom in unit.GetAtoms():
        atom.SetIsotope(0)
    head, tail = star_indices(unit)
    path = Chem.GetShortestPath(unit, head, tail)[1:-1]
    order = unit.GetBondBetweenAtoms(head, path[0]).GetBondType()
    ring = Chem.RWMol()
    for _ in range(copies):
        ring.InsertMol(unit)
    size = unit.GetNumAtoms()
    for i in range(copies):
        here, there = i * size + path[-1], (i + 1) % copies * size + path[0]
        if here != there and ring.GetBondBetweenAtoms(here, there) is None:
            ring.AddBond(here, there, order)
    backbone = [i * size + atom for i in range(copies) for atom in path]
    for i in range(copies):
        ring.ReplaceAtom(i * size + head, Chem.Atom(0))
    stars = sorted((i * size + s for i in range(copies) for s in (head, tail)), reverse=True)
    for star in stars:
        ring.RemoveAtom(star)
    backbone = [atom - sum(star < atom for star in stars) for atom in backbone]
    ring.UpdatePropertyCache(strict=False)
    return ring.GetMol(), backbone


def is_ring_of_six(psmiles: str, n_units: int) -> bool:
    """Whether a ring of units is one of six (or a multiple) in any way to count its units.

    Units are counted as spelled and as the shortest repeat along the ring: `*CCCC*` three times is six
    units of polyethylene, `*CC*` three times six of polymethylene.
    """
    from rdkit import Chem

    ring, backbone = ring_of(psmiles, n_units)
    Chem.FastFindRings(ring)
    ranks = list(Chem.CanonicalRankAtoms(ring, breakTies=False, includeChirality=False))
    word = [ranks[atom] for atom in backbone]
    period = next(p for p in range(1, len(word) + 1) if word == word[p:] + word[:p])
    return n_units % _RING == 0 or (len(word) // period) % _RING == 0
