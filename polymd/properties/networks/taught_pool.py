"""What is learnt of chains without labels: their Hückel bands, descriptors and commonest counts.

All of it is computed from the infinite chain in milliseconds and is the same for every spelling. A network
that can tell it from its own view of a unit knows how far electrons are conjugated and what is bonded to what
before it sees a label. Published pre-trainings of P-SMILES transformers and 3D towers have no such task.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from torch.nn import functional

from polymd.properties.bands import BANDS
from polymd.properties.fingerprints import DESCRIPTORS
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.read_chain import ReadChain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float32]

__all__ = ["TaughtPool", "teaching_loss"]

_SAMPLE = 4000  # chains that scales and the commonest counts are taken from, at most
_CHUNK = 1000
_MOST_ATOMS = 60  # of a repeat; larger ones are left out
_MOST = 5.0  # spreads from the mean; what lies beyond is cut off
_LEAST = 1e-6


@dataclass(frozen=True)
class TaughtPool:
    """N canonical chains, and D numbers of each, standardised."""

    chains: list[str]
    values: NDArray[np.float16]  #: (N, D): bands, descriptors, then roots of counts an atom

    @classmethod
    def read(
        cls, psmiles: Sequence[str], counts: int, tell: Callable[[str], None] = lambda _: None
    ) -> TaughtPool:
        """Those that can be read and are no larger than 60 atoms, each once.

        Scales, and which `counts` are the commonest, come from the first 4,000. Raises ValueError where
        nothing can be read.
        """
        chains: dict[str, None] = {}
        parts: list[NDArray[np.float16]] = []
        scales, found = None, []
        for number, text in enumerate(psmiles, start=1):
            chain = _read(text)
            if chain is not None and chain.canonical not in chains:
                chains[chain.canonical] = None
                found.append(chain.fingerprint)
            if len(found) >= (_SAMPLE if scales is None else _CHUNK) or (found and number == len(psmiles)):
                scales = scales or _Scales.of(found, counts)
                parts.append(scales.values(found).astype(np.float16))
                found = []
                tell(f"{number} of {len(psmiles)} units read")
        if not chains:
            raise ValueError("no units that can be read; give a file with a column psmiles")
        return cls(list(chains), np.concatenate(parts))

    @property
    def width(self) -> int:
        """D."""
        return int(self.values.shape[1])

    def of(self, chain: str) -> Floats:
        """The numbers (D,) of one chain."""
        row: Floats = self.values[self._rows[chain]].astype(np.float32)
        return row

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {chain: row for row, chain in enumerate(self.chains)}

    def save(self, path: Path) -> None:
        """Write an npz file; one that is half written never takes the place of a whole one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.npz")
        np.savez(part, chains=np.array(self.chains), values=self.values)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> TaughtPool:
        """Read a file of `save`."""
        with np.load(path) as stored:
            return cls(stored["chains"].tolist(), stored["values"])


@dataclass(frozen=True)
class _Scales:
    """How fingerprints become numbers."""

    vocabulary: Vocabulary
    mean: Floats  # (12,), of bands
    spread: Floats

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint], counts: int) -> _Scales:
        bands = np.array([fingerprint.bands for fingerprint in fingerprints], dtype=np.float32)
        spread = bands.std(axis=0)
        spread = np.where(spread > _LEAST, spread, 1.0).astype(np.float32)
        return cls(Vocabulary.of(fingerprints, counts), bands.mean(axis=0), spread)

    def values(self, fingerprints: Sequence[Fingerprint]) -> Floats:
        bands = np.array([fingerprint.bands for fingerprint in fingerprints], dtype=np.float32)
        standard = np.clip((bands - self.mean) / self.spread, -_MOST, _MOST)
        return np.concatenate([standard, self.vocabulary.values(fingerprints)], axis=1)


def teaching_loss(told: Tensor, true: Tensor) -> Tensor:
    """Mean squared errors of bands, of descriptors and of counts, added up; both (B, D)."""
    groups = [len(BANDS), len(DESCRIPTORS), true.shape[1] - len(BANDS) - len(DESCRIPTORS)]
    errors = [
        functional.mse_loss(one, other)
        for one, other in zip(told.float().split(groups, dim=1), true.split(groups, dim=1), strict=True)
        if one.shape[1]
    ]
    return sum(errors[1:], errors[0])


def _read(psmiles: str) -> ReadChain | None:
    """None for what is no P-SMILES, of which such lists hold a few, and for large units."""
    try:
        chain = ReadChain(psmiles)
    except ValueError:
        return None
    return chain if len(chain.graph.atoms) <= _MOST_ATOMS else None
