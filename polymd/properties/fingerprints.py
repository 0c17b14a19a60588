"""Fingerprints of infinite chains that do not depend on the unit that a chain is written with.

Counts of atom environments (Morgan), of pairs of atoms by distance and of paths of four atoms are taken
on the infinite chain, once for every atom of its smallest repeat. They are integers, and the same ones for
every repeat and shift.
"""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.bands import BANDS, band_features
from polymd.properties.chain_graph import ChainGraph, chain_graph
from polymd.properties.contributions import CONTRIBUTIONS, contributions
from polymd.properties.walks import four_atom_paths
from polymd.repeats import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["DESCRIPTORS", "PHYSICS", "Fingerprint", "fingerprint", "graph_fingerprint"]

RADIUS = 3  #: bonds, of the largest atom environment
LONGEST = 7  #: bonds, of the farthest pair of atoms

_ELEMENTS = (5, 6, 7, 8, 9, 14, 15, 16, 17, 35)
#: names of `Fingerprint.descriptors`; fractions are of the heavy atoms
DESCRIPTORS = (
    *(f"fraction_{number}" for number in _ELEMENTS),
    "hydrogens",
    "charged",
    "aromatic",
    "in_ring",
    "backbone",
    "backbone_in_ring",
    "branching",
    "terminal",
    "double",
    "triple",
    "donors",
    "acceptors",
    "side_rings",
    "bridging",
    "log_atoms",
)
PHYSICS = BANDS + CONTRIBUTIONS  #: names of `Fingerprint.physics`


@dataclass(frozen=True)
class Fingerprint:
    """Features of the smallest repeat of an infinite chain."""

    environments: dict[int, int]  #: atoms by their environment up to `RADIUS` bonds
    bonds: dict[int, int]  #: the part of them that looks no further than one bond
    paths: dict[int, int]  #: pairs up to `LONGEST` bonds and paths of four atoms, from both ends
    n_atoms: int  #: atoms of the smallest repeat, hydrogens included
    descriptors: NDArray[np.float64]  #: (25,), `DESCRIPTORS`
    bands: NDArray[np.float64]  #: (12,), `polymd.properties.bands.BANDS`
    contributions: NDArray[np.float64]  #: (16,), `polymd.properties.contributions.CONTRIBUTIONS`
    elements: frozenset[int]  #: atomic numbers of the heavy atoms

    @property
    def physics(self) -> NDArray[np.float64]:
        """Bands and contributions, (28,)."""
        return np.concatenate([self.bands, self.contributions])


def fingerprint(psmiles: str) -> Fingerprint:
    """The fingerprint of an infinite chain; blind to stereo.

    Divide the counts by `n_atoms` for intensive features; as they are they grow with the smallest repeat.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`.
    """
    return graph_fingerprint(chain_graph(shortened(psmiles)))


def graph_fingerprint(graph: ChainGraph) -> Fingerprint:
    """The same from the graph of the smallest repeat."""
    shells = list(_environments(graph, RADIUS))
    return Fingerprint(
        environments=_tally(shells),
        bonds=_tally(shells[:2]),
        paths=paths(graph),
        n_atoms=len(graph.atoms) + int(graph.atoms[:, 1].sum()),
        descriptors=descriptors(graph),
        bands=band_features(graph),
        contributions=contributions(graph),
        elements=frozenset(graph.atoms[:, 0].tolist()),
    )


def environments(graph: ChainGraph, radius: int = RADIUS) -> dict[int, int]:
    """Number of atoms of every environment of 0 to `radius` bonds (Rogers and Hahn, JCIM 2010, 50, 742)."""
    return _tally(_environments(graph, radius))


def _environments(graph: ChainGraph, radius: int) -> Iterator[list[int]]:
    """Codes of all atoms, of environments of 0 to `radius` bonds in turn."""
    codes = [_code(tuple(row)) for row in graph.atoms.tolist()]
    yield codes
    for bonds_away in range(1, radius + 1):
        codes = [
            _environment(bonds_away, codes[i], tuple(sorted((order, codes[j]) for j, _, order in bonds)))
            for i, bonds in enumerate(graph.neighbours)
        ]
        yield codes


def _tally(shells: Iterable[list[int]]) -> dict[int, int]:
    """How often each code occurs, by code."""
    counts: Counter[int] = Counter()
    for codes in shells:
        counts.update(codes)
    return dict(sorted(counts.items()))


def paths(graph: ChainGraph) -> dict[int, int]:
    """Number of atom pairs by distance and of paths of four atoms, each counted from both ends."""
    codes = [_code(("kind", *row)) for row in graph.atoms[:, [0, 2, 3, 5, 6]].tolist()]
    kinds = sorted(set(codes))  # numbered in the order of their codes
    number = np.searchsorted(kinds, codes)
    counts: Counter[int] = Counter()
    pairs = graph.pairs(LONGEST)
    ends = np.sort(number[pairs[:, :2]], axis=1)
    for (distance, one, other), count in _counted(np.column_stack([pairs[:, 3], ends])):
        counts[_code((distance, kinds[one], kinds[other]))] += count
    path = number[four_atom_paths(*graph.adjacency)]
    ahead = path[:, 0] * len(kinds) + path[:, 1] <= path[:, 3] * len(kinds) + path[:, 2]
    for (i, j, k, m), count in _counted(np.where(ahead[:, None], path, path[:, ::-1])):
        counts[_code(("path", kinds[i], kinds[j], kinds[k], kinds[m]))] += count
    return dict(sorted(counts.items()))


def _counted(rows: NDArray[np.int64]) -> Iterator[tuple[list[int], int]]:
    """Every different row of small integers (N, K), and how often it stands there."""
    base = int(rows.max(initial=0)) + 1
    powers = base ** np.arange(rows.shape[1])[::-1]
    numbers, counts = np.unique(rows @ powers, return_counts=True)
    different = numbers[:, None] // powers % base
    yield from zip(different.tolist(), counts.tolist(), strict=True)


def descriptors(graph: ChainGraph) -> NDArray[np.float64]:
    """Fractions and the size of the unit, shape (25,), in the order of `DESCRIPTORS`."""
    number, hydrogens, charge, aromatic, ring, neighbours, _ = graph.atoms.T
    hetero = np.isin(number, (7, 8, 16))
    single = (graph.orders == 2) & (ring[graph.edges[:, 0]] == 0) & (ring[graph.edges[:, 1]] == 0)
    columns = [
        *(number == element for element in _ELEMENTS),
        hydrogens,
        charge != 0,
        aromatic,
        ring > 0,
        graph.backbone,
        graph.backbone & (ring > 0),
        neighbours > 2,
        neighbours == 1,
        np.bincount(graph.edges[graph.orders == 4, 0], minlength=len(number)),
        np.bincount(graph.edges[graph.orders == 6, 0], minlength=len(number)),
        hetero & (hydrogens > 0),
        hetero & (hydrogens == 0),
        ~graph.backbone & (ring > 0),
        np.bincount(graph.edges[single, 0], minlength=len(number)),
    ]
    fractions = [int(np.sum(column)) / len(number) for column in columns]
    return np.array([*fractions, np.log(len(number))])


@lru_cache(maxsize=1 << 16)
def _code(value: tuple[object, ...]) -> int:
    """A 32-bit code that is the same in every process."""
    return zlib.crc32(repr(value).encode())


@lru_cache(maxsize=1 << 16)
def _environment(bonds_away: int, code: int, around: tuple[tuple[int, int], ...]) -> int:
    """The code of an atom and those bonded to it, (order of the bond, code) ascending."""
    return zlib.crc32(repr((bonds_away, code, list(around))).encode())
