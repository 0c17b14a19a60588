"""Kinds of polymers that errors are told apart by: features of a unit, the chemical class of its backbone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polymd.properties.chain_graph import ChainGraph

__all__ = ["CLASSES", "STRATA", "chemical_class", "strata"]

#: names of `strata`; a polymer lies in several or in none
STRATA = ("rings in backbone", "rings in side chain", "branched", "long side chains", "rare elements")
#: what `chemical_class` tells apart; the first that holds
CLASSES = (
    "silicon, phosphorus or boron",
    "amides and imides",
    "urethanes and ureas",
    "esters and carbonates",
    "other carbonyls",
    "sulfur",
    "ethers",
    "amines",
    "aromatic carbon",
    "unsaturated carbon",
    "saturated carbon",
)

_COMMON = (6, 7, 8, 9, 16, 17)
_LONG = 5  # bonds from the backbone


def strata(graph: ChainGraph) -> frozenset[str]:
    """Which of `STRATA` the smallest repeat of a chain belongs to.

    Branched: an atom of a side chain, in no ring, bonded to three or more. Long: a side chain with an atom
    five bonds from the backbone. Rare: neither C, N, O, F, S nor Cl.
    """
    number, _, _, _, ring, neighbours, _ = graph.atoms.T
    side = ~graph.backbone
    holds = (
        (graph.backbone & (ring > 0)).any(),
        (side & (ring > 0)).any(),
        (side & (ring == 0) & (neighbours > 2)).any(),
        graph.depths.max() >= _LONG,
        (~np.isin(number, _COMMON)).any(),
    )
    return frozenset(name for name, it in zip(STRATA, holds, strict=True) if it)


def chemical_class(graph: ChainGraph) -> str:
    """Which of `CLASSES` the backbone of a chain is of."""
    number, _, _, aromatic, _, _, unsaturation = graph.atoms[graph.backbone].T
    around = [_around_carbonyl(graph, i) for i in np.flatnonzero(graph.backbone).tolist()]
    carbonyls = [found for found in around if found is not None]
    holds = (
        np.isin(number, (5, 14, 15)).any(),
        any(found.count(7) == 1 and 8 not in found for found in carbonyls),
        any(7 in found for found in carbonyls),
        any(8 in found for found in carbonyls),
        bool(carbonyls),
        (number == 16).any(),
        (number == 8).any(),
        (number != 6).any(),
        aromatic.any(),
        (unsaturation > 0).any(),
    )
    return next((name for name, it in zip(CLASSES, holds, strict=False) if it), CLASSES[-1])


def _around_carbonyl(graph: ChainGraph, atom: int) -> list[int] | None:
    """Elements bonded to a carbonyl carbon of the backbone, its oxygen left out; None for other atoms."""
    numbers: NDArray[np.int64] = graph.atoms[:, 0]
    bonds = graph.neighbours[atom]
    oxygens = [j for j, _, order in bonds if order == 4 and numbers[j] == 8]
    if numbers[atom] != 6 or not oxygens:
        return None
    return [int(numbers[j]) for j, _, _ in bonds if j not in oxygens]
