"""Descriptors of the infinite chain beside the graph: those of the Gaussian process, its commonest counts.

They are exactly the same for every spelling of a chain. MIPS as published has 200 RDKit descriptors of the
unit in their place (arXiv 2507.20326), which are not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.features import kinds_of_counts
from polymd.properties.fingerprints import DESCRIPTORS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from polymd.properties.fingerprints import Fingerprint

__all__ = ["Vocabulary"]

_MOST = 5.0  # spreads from the mean; what lies beyond is cut off
_LEAST = 1e-6


@dataclass(frozen=True)
class Vocabulary:
    """Which counts are looked at, and the scales of everything; D = 25 descriptors and C counts."""

    codes: NDArray[np.int64]  #: (C,)
    means: NDArray[np.float32]  #: (D,)
    spreads: NDArray[np.float32]  #: (D,)

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint], size: int) -> Vocabulary:
        """The `size` counts that most of some unlabelled units have, and their means and spreads."""
        found: Counter[int] = Counter()
        for fingerprint in fingerprints:
            found.update(kinds_of_counts(fingerprint).keys())
        common = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:size]
        codes = np.array(sorted(code for code, _ in common), dtype=np.int64)
        length = len(codes) + len(DESCRIPTORS)
        raw = cls(codes, np.zeros(length, np.float32), np.ones(length, np.float32))._raw(fingerprints)
        spreads = raw.std(axis=0)
        return cls(codes, raw.mean(axis=0), np.where(spreads > _LEAST, spreads, 1.0).astype(np.float32))

    def __len__(self) -> int:
        return len(self.means)

    def values(self, fingerprints: Sequence[Fingerprint]) -> NDArray[np.float32]:
        """Standardised descriptors and roots of counts an atom, (N, D)."""
        standard = (self._raw(fingerprints) - self.means) / self.spreads
        clipped: NDArray[np.float32] = np.clip(standard, -_MOST, _MOST)
        return clipped

    def _raw(self, fingerprints: Sequence[Fingerprint]) -> NDArray[np.float32]:
        place = {code: column for column, code in enumerate(self.codes.tolist(), start=len(DESCRIPTORS))}
        raw = np.zeros((len(fingerprints), len(self)), dtype=np.float32)
        for row, fingerprint in zip(raw, fingerprints, strict=True):
            row[: len(DESCRIPTORS)] = fingerprint.descriptors
            known = [(place[c], n) for c, n in kinds_of_counts(fingerprint).items() if c in place]
            columns, counts = np.array(known or [(len(DESCRIPTORS), 0)]).T
            row[columns] = np.sqrt(counts / fingerprint.n_atoms)
        return raw
