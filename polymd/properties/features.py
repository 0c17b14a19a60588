"""What kernels compare of many polymers: their fingerprints as one table, and its scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.kernels import CountMatrix, matern, min_max

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float64]

__all__ = ["Features", "Scaling", "kinds_of_counts"]

_KIND = 1 << 32  # codes are 32 bits; above them stands the kind: 0 path, 1 environment, 2 of one bond at most


@dataclass(frozen=True)
class Features:
    """Fingerprints of N polymers."""

    codes: NDArray[np.int64]  #: (F,), code and kind of every column of `counts`
    counts: CountMatrix  #: (N, F), environments and paths
    atoms: Floats  #: (N,), of the smallest repeat, hydrogens included
    descriptors: Floats  #: (N, D)

    @classmethod
    def of(cls, fingerprints: Sequence[Fingerprint], known: Features | None = None) -> Features:
        """The table of some polymers; its first columns are those of the `known` table."""
        rows = [kinds_of_counts(f) for f in fingerprints]
        first = [] if known is None else known.codes.tolist()
        codes = [*first, *sorted(set().union(*rows).difference(first))]
        return cls(
            np.array(codes, dtype=np.int64),
            CountMatrix.of(rows, codes),
            np.array([f.n_atoms for f in fingerprints], dtype=np.float64),
            np.array([f.descriptors for f in fingerprints]),
        )

    def __len__(self) -> int:
        return len(self.atoms)

    def rows(self, chosen: NDArray[np.intp]) -> Features:
        """Some of the polymers, in the same columns."""
        return Features(self.codes, self.counts.rows(chosen), self.atoms[chosen], self.descriptors[chosen])

    def bonds(self, columns: int) -> Floats:
        """Environments of one bond at most, an atom, among the first columns, (N, B)."""
        return self._an_atom().dense(self.codes[:columns] >= 2 * _KIND)

    def intensive(self, other: Features | None = None) -> Floats:
        """Min-max kernel of all counts an atom, (N, M); the columns of one table begin the other's."""
        return min_max(self._an_atom(), None if other is None else other._an_atom())

    def extensive(self, other: Features | None = None) -> Floats:
        """Min-max kernel of the counts of environments, (N, M); without another table with itself."""
        return min_max(self._environments(), None if other is None else other._environments())

    def _an_atom(self) -> CountMatrix:
        return self.counts.divided(self.atoms)

    def _environments(self) -> CountMatrix:
        return self.counts.only(self.codes >= _KIND)


@dataclass(frozen=True)
class Scaling:
    """Means, spreads and lengths of a training set, by which kernels are scaled."""

    bond_means: Floats  #: (B,)
    bond_spreads: Floats  #: (B,), times √B, so that b · b is about one
    descriptor_spreads: Floats  #: (D,)
    length: float  #: median distance of scaled descriptors

    @classmethod
    def of(cls, bonds: Floats, descriptors: Floats) -> Scaling:
        """From the features of a training set, (T, B) and (T, D)."""
        from scipy.spatial.distance import pdist

        spreads = _spread(descriptors)
        length = float(np.median(pdist(descriptors / spreads))) if len(descriptors) > 1 else 0.0
        return cls(bonds.mean(axis=0), _spread(bonds) * bonds.shape[1] ** 0.5, spreads, length or 1.0)

    def parts(
        self,
        intensive: Floats,
        extensive: Floats,
        bonds: tuple[Floats, Floats],
        descriptors: tuple[Floats, Floats],
    ) -> Iterator[Floats]:
        """The six kernels (R, C) between two sets: min-max kernels, scaled bonds and descriptors."""
        yield intensive
        yield intensive * intensive * intensive  # many times faster than a power
        yield extensive
        yield bonds[0] @ bonds[1].T
        d, others = (features / self.descriptor_spreads for features in descriptors)
        yield from matern(d, others, self.length)

    def own(self, bonds: Floats) -> Floats:
        """The six kernels between each polymer and itself, (6, N), from its scaled bonds."""
        own = np.ones((6, len(bonds)))
        own[3] = (bonds**2).sum(axis=1)
        return own

    def scaled(self, bonds: Floats) -> Floats:
        """Features of bonds about the training set's mean, (N, B)."""
        scaled: Floats = (bonds - self.bond_means) / self.bond_spreads
        return scaled


def kinds_of_counts(fingerprint: Fingerprint) -> dict[int, int]:
    """All counts of a polymer, by code and kind."""
    small = fingerprint.bonds
    found = {_KIND * (1 + (code in small)) + code: n for code, n in fingerprint.environments.items()}
    return found | fingerprint.paths


def _spread(features: Floats) -> Floats:
    """Standard deviation of every column; 1 where the training set knows but one value."""
    spread: Floats = features.std(axis=0)
    return np.where(spread > 1e-12, spread, 1.0)
