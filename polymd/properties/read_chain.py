"""A polymer that is read once for all the models that look at it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from polymd.properties.chain_graph import ChainGraph, chain_graph
from polymd.properties.fingerprints import Fingerprint, graph_fingerprint
from polymd.repeats import canonical_chain, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ReadChain", "read_chains"]


class ReadChain:
    """The smallest repeat of a P-SMILES; raises PSmilesError as `polymd.psmiles.parse`."""

    def __init__(self, psmiles: str) -> None:
        self.psmiles = shortened(psmiles)
        self.graph: ChainGraph = chain_graph(self.psmiles)

    @cached_property
    def canonical(self) -> str:
        """One P-SMILES for all spellings of the chain."""
        return canonical_chain(self.psmiles)

    @cached_property
    def fingerprint(self) -> Fingerprint:
        """The same for all spellings of the chain."""
        return graph_fingerprint(self.graph)


def read_chains(polymers: Sequence[str]) -> list[ReadChain]:
    """Read polymers; the ValueError of one that cannot be read says which one it was."""
    found = []
    for number, psmiles in enumerate(polymers, start=1):
        try:
            found.append(ReadChain(psmiles))
        except ValueError as error:
            if len(polymers) == 1:
                raise
            raise ValueError(f"polymer {number} of {len(polymers)}: {error}") from error
    return found
