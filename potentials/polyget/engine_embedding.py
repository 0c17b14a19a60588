"""The engine's first and last steps: features of atoms from their kinds and their neighbours', and back."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget import pair_embedding
from polymd.potentials.polyget.engine_pass import Pass
from polymd.potentials.polyget.hermite import Table

Array = NDArray[np.float32]


class EmbeddingWeights(NamedTuple):
    """Embeddings (K, C) of K kinds of atoms themselves and as neighbours, folded with the product that
    combines the two, (C, C) and its transpose; filters of the neighbours.
    """

    own: Array
    combine: Array
    combine_back: Array
    neighbour: Array
    table: Table


class Embedding:
    """x_i = own_i + combine sum_j e_j f(d_ij), on the parts of a `Pass`; each method does one part."""

    def __init__(self, weights: EmbeddingWeights, species: NDArray[np.int64], way: Pass) -> None:
        self.weights, self.species, self.way = weights, species, way
        self.value = weights.neighbour[species]

    def near(self, t: int) -> None:
        """Sums over neighbours, those of this part's pairs."""
        out = self.way.s.message[t]
        out.fill(0)
        pair_embedding.forward(self.way.parts[t][0], self.weights.table, self.value, out)

    def combine(self, t: int) -> None:
        """Features of this part's atoms."""
        s, (a, b) = self.way.s, self.way.atoms[t]
        np.matmul(s.message[:, a:b].sum(axis=0), self.weights.combine, out=s.x[a:b])
        s.x[a:b] += self.weights.own[self.species[a:b]]

    def combine_back(self, t: int) -> None:
        """Gradient by the sums over neighbours, of this part's atoms."""
        s, (a, b) = self.way.s, self.way.atoms[t]
        np.matmul(s.g_x[a:b], self.weights.combine_back, out=s.near[a:b])

    def near_back(self, t: int) -> None:
        """Gradient by the distances of this part's pairs."""
        pairs, g_d, _ = self.way.parts[t]
        pair_embedding.backward_to_positions(pairs, self.weights.table, self.value, self.way.s.near, g_d)
