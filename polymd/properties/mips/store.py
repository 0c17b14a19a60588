"""Many units read once, in flat arrays that are kept in a file."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.properties.chain_graph import chain_graph
from polymd.properties.fingerprints import graph_fingerprint
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.mips.graphs import ChainTensors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["UnitStore"]

_SAMPLE = 4000  # units that the vocabulary is made from, at most
_CHUNK = 1000


@dataclass(frozen=True)
class UnitStore:
    """N units; the atoms of unit n are atom_starts[n] : atom_starts[n + 1], and so on."""

    atom_starts: NDArray[np.int64]  #: (N + 1,)
    image_starts: NDArray[np.int64]  #: (N + 1,)
    atoms: NDArray[np.uint8]  #: (A, 7), `ChainTensors.atoms`
    backbone: NDArray[np.bool_]  #: (A,)
    images: NDArray[np.int16]  #: (P, 4), `ChainTensors.images`
    descriptors: NDArray[np.float16]  #: (N, D), `Vocabulary.values`
    physics: NDArray[np.float32]  #: (N, 28), `Fingerprint.physics`
    codes: NDArray[np.int64]  #: of the vocabulary
    means: NDArray[np.float32]
    spreads: NDArray[np.float32]

    @classmethod
    def read(
        cls,
        psmiles: Sequence[str],
        threshold: int,
        *,
        most_atoms: int,
        counts: int,
        tell: Callable[[str], None] = lambda _: None,
    ) -> UnitStore:
        """Read units as they are written; those that cannot be read or are larger are left out.

        The vocabulary has the `counts` that are commonest among the first units.
        """
        chains: list[ChainTensors] = []
        parts: list[NDArray[np.float16]] = []
        physics: list[NDArray[np.float32]] = []
        vocabulary, fingerprints = None, []
        for number, text in enumerate(psmiles, start=1):
            try:
                graph = chain_graph(text)
            except ValueError:  # such lists hold a few units that are no P-SMILES
                graph = None
            if graph is not None and len(graph.atoms) <= most_atoms:
                chains.append(ChainTensors.of(graph, threshold))
                fingerprints.append(graph_fingerprint(graph))
            enough = len(fingerprints) >= (_SAMPLE if vocabulary is None else _CHUNK)
            if enough or (fingerprints and number == len(psmiles)):
                vocabulary = vocabulary or Vocabulary.of(fingerprints, counts)
                parts.append(vocabulary.values(fingerprints).astype(np.float16))
                physics.append(np.array([f.physics for f in fingerprints], dtype=np.float32))
                fingerprints = []
                tell(f"{number} of {len(psmiles)} units read")
        if vocabulary is None or not chains:
            raise ValueError("no units that can be read; give a file with a column psmiles")
        return cls(
            np.cumsum([0, *(len(c) for c in chains)]),
            np.cumsum([0, *(len(c.images) for c in chains)]),
            np.concatenate([c.atoms for c in chains]).astype(np.uint8),
            np.concatenate([c.backbone for c in chains]),
            np.concatenate([c.images for c in chains]),
            np.concatenate(parts),
            np.concatenate(physics),
            vocabulary.codes,
            vocabulary.means,
            vocabulary.spreads,
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """Of the descriptors."""
        return Vocabulary(self.codes, self.means, self.spreads)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Atoms of every unit, (N,)."""
        return np.diff(self.atom_starts)

    def __len__(self) -> int:
        return len(self.descriptors)

    def __getitem__(self, unit: int) -> ChainTensors:
        atoms = slice(self.atom_starts[unit], self.atom_starts[unit + 1])
        images = slice(self.image_starts[unit], self.image_starts[unit + 1])
        return ChainTensors(self.atoms[atoms].astype(np.int64), self.backbone[atoms], self.images[images])

    def save(self, path: Path) -> None:
        """Write an npz file; one that is half written never takes the place of a whole one."""
        part = path.with_suffix(".part.npz")
        arrays: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        np.savez(part, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> UnitStore:
        """Read a file of `save`."""
        with np.load(path) as stored:
            return cls(**{f.name: stored[f.name] for f in fields(cls)})
