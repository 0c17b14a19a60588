"""What kernels compare of many polymers: their fingerprints as one table, and its scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.kernels import CountMatrix, matern, min_max

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from polymd.properties.fingerprints import Fingerprint

    Floats = NDArray[np.float64]

__all__ = ["DENSE", "N_KERNELS", "DenseScale", "Features", "Scaling", "kinds_of_counts"]

#: parts of a `Fingerprint` that kernels compare by their distance
DENSE = ("descriptors", "bands", "contributions")
N_KERNELS = 4 + 2 * len(DENSE)  #: of a process

_KIND = 1 << 32  # codes are 32 bits; above them stands the kind: 0 path, 1 environment, 2 of one bond at most


@dataclass(frozen=True)
class Features:
    """Fingerprints of N polymers."""

    codes: NDArray[np.int64]  #: (F,), code and kind of every column of `counts`
    counts: CountMatrix  #: (N, F), environments and paths
    atoms: Floats  #: (N,), of the smallest repeat, hydrogens included
    dense: tuple[Floats, ...]  #: descriptors (N, D), bands (N, 12) and contributions (N, C)

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
            tuple(np.array([getattr(f, part) for f in fingerprints]) for part in DENSE),
        )

    def __len__(self) -> int:
        return len(self.atoms)

    def rows(self, chosen: NDArray[np.intp]) -> Features:
        """Some of the polymers, in the same columns."""
        dense = tuple(part[chosen] for part in self.dense)
        return Features(self.codes, self.counts.rows(chosen), self.atoms[chosen], dense)

    def bonds(self, columns: int) -> csr_array:
        """Environments of one bond at most, an atom, among the first columns, (N, B)."""
        return self._an_atom().sparse(self.codes[:columns] >= 2 * _KIND)

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
class DenseScale:
    """Scale of features whose distance tells how alike polymers are."""

    spreads: Floats  #: (D,)
    length: float  #: median distance of the training set, features divided by their spreads

    @classmethod
    def of(cls, features: Floats) -> DenseScale:
        """From the features (T, D) of a training set."""
        from scipy.spatial.distance import pdist

        spreads = _spread(features)
        length = float(np.median(pdist(features / spreads))) if len(features) > 1 else 0.0
        return cls(spreads, length or 1.0)

    def distances(self, rows: Floats, columns: Floats) -> Floats:
        """Between two sets, (R, C), in lengths."""
        from scipy.spatial.distance import cdist

        found: Floats = cdist(rows / self.spreads, columns / self.spreads)
        found /= self.length
        return found


@dataclass(frozen=True)
class Scaling:
    """Means, spreads and lengths of a training set, by which kernels are scaled."""

    bond_means: Floats  #: (B,)
    bond_spreads: Floats  #: (B,), times √B, so that b · b is about one
    dense: tuple[DenseScale, ...]  #: of `DENSE`

    @classmethod
    def of(cls, bonds: csr_array, dense: Sequence[Floats]) -> Scaling:
        """From the features of a training set, (T, B) and those of `DENSE`."""
        full = bonds.toarray()
        spreads = _spread(full) * full.shape[1] ** 0.5
        return cls(full.mean(axis=0), spreads, tuple(DenseScale.of(part) for part in dense))

    def parts(
        self,
        wanted: Sequence[bool],
        intensive: Floats,
        extensive: Floats,
        bonds: tuple[csr_array, csr_array],
        dense: tuple[Sequence[Floats], Sequence[Floats]],
    ) -> Iterator[Floats]:
        """The wanted kernels (R, C) between two sets: of counts, of bonds, and two of each part of `DENSE`.

        Of `bonds` and `dense` the first is of the rows, the second of the columns.
        """
        if wanted[0]:
            yield intensive
        if wanted[1]:
            yield intensive * intensive * intensive  # many times faster than a power
        if wanted[2]:
            yield extensive
        if wanted[3]:
            yield self._linear(*bonds)
        for number, scale in enumerate(self.dense):
            near, far = wanted[4 + 2 * number : 6 + 2 * number]
            if near or far:
                distances = scale.distances(dense[0][number], dense[1][number])
                yield from (matern(distances, length) for length, it in ((1.0, near), (4.0, far)) if it)

    def own(self, bonds: csr_array) -> Floats:
        """The kernels between each polymer and itself, (N_KERNELS, N), from its bonds (N, B)."""
        own = np.ones((N_KERNELS, bonds.shape[0]))
        weights, means = self._weights()
        own[3] = bonds.power(2) @ weights - 2.0 * (bonds @ means) + self.bond_means @ means
        return own

    def _linear(self, rows: csr_array, columns: csr_array) -> Floats:
        """b · b' with b about the training set's mean and over its spreads; most of a row is zero."""
        weights, means = self._weights()
        weighted = columns.T.toarray(order="C")
        weighted *= weights[:, None]
        product: Floats = rows @ weighted
        product -= (rows @ means)[:, None]
        product -= columns @ means - self.bond_means @ means
        return product

    def _weights(self) -> tuple[Floats, Floats]:
        weights = self.bond_spreads**-2
        return weights, weights * self.bond_means


def kinds_of_counts(fingerprint: Fingerprint) -> dict[int, int]:
    """All counts of a polymer, by code and kind."""
    small = fingerprint.bonds
    found = {_KIND * (1 + (code in small)) + code: n for code, n in fingerprint.environments.items()}
    return found | fingerprint.paths


def _spread(features: Floats) -> Floats:
    """Standard deviation of every column; 1 where the training set knows but one value."""
    spread: Floats = features.std(axis=0)
    return np.where(spread > 1e-12, spread, 1.0)
