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

__all__ = ["DenseScale", "Features", "Scaling", "kinds_of_counts"]

_KIND = 1 << 32  # codes are 32 bits; above them stands the kind: 0 path, 1 environment, 2 of one bond at most


@dataclass(frozen=True)
class Features:
    """Fingerprints of N polymers."""

    codes: NDArray[np.int64]  #: (F,), code and kind of every column of `counts`
    counts: CountMatrix  #: (N, F), environments and paths
    atoms: Floats  #: (N,), of the smallest repeat, hydrogens included
    dense: tuple[Floats, Floats]  #: (N, D) descriptors and (N, 12) bands

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
            (np.array([f.descriptors for f in fingerprints]), np.array([f.bands for f in fingerprints])),
        )

    def __len__(self) -> int:
        return len(self.atoms)

    def rows(self, chosen: NDArray[np.intp]) -> Features:
        """Some of the polymers, in the same columns."""
        dense = (self.dense[0][chosen], self.dense[1][chosen])
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

    def kernels(self, rows: Floats, columns: Floats) -> tuple[Floats, Floats]:
        """Matérn kernels (R, C) of the length and of four times that."""
        return matern(rows / self.spreads, columns / self.spreads, self.length)


@dataclass(frozen=True)
class Scaling:
    """Means, spreads and lengths of a training set, by which kernels are scaled."""

    bond_means: Floats  #: (B,)
    bond_spreads: Floats  #: (B,), times √B, so that b · b is about one
    descriptors: DenseScale
    bands: DenseScale

    @classmethod
    def of(cls, bonds: csr_array, dense: tuple[Floats, Floats]) -> Scaling:
        """From the features of a training set, (T, B), (T, D) and (T, 12)."""
        full = bonds.toarray()
        spreads = _spread(full) * full.shape[1] ** 0.5
        return cls(full.mean(axis=0), spreads, DenseScale.of(dense[0]), DenseScale.of(dense[1]))

    def parts(
        self,
        intensive: Floats,
        extensive: Floats,
        bonds: tuple[csr_array, csr_array],
        dense: tuple[tuple[Floats, Floats], tuple[Floats, Floats]],
    ) -> Iterator[Floats]:
        """The eight kernels (R, C) between two sets: of counts, bonds, descriptors and bands.

        Of `bonds` and `dense` the first is of the rows, the second of the columns.
        """
        yield intensive
        yield intensive * intensive * intensive  # many times faster than a power
        yield extensive
        yield self._linear(*bonds)
        rows, columns = dense
        yield from self.descriptors.kernels(rows[0], columns[0])
        yield from self.bands.kernels(rows[1], columns[1])

    def own(self, bonds: csr_array) -> Floats:
        """The eight kernels between each polymer and itself, (8, N), from its bonds (N, B)."""
        own = np.ones((8, bonds.shape[0]))
        weights, means = self._weights()
        own[3] = bonds.power(2) @ weights - 2.0 * (bonds @ means) + self.bond_means @ means
        return own

    def _linear(self, rows: csr_array, columns: csr_array) -> Floats:
        """b · b' with b about the training set's mean and over its spreads; most of a row is zero."""
        weights, means = self._weights()
        weighted = columns.T.toarray()
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
