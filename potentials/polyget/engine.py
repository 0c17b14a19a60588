"""PolyGET without torch: energies, forces and virial from the safetensors weights, float32, CPU.

Sums over neighbours run in the kernels of `pair_messages.py`, the steps of each atom in those of
`engine_nodes.py` and `engine_readout.py`; the backward pass is derived by hand. The order of the steps is
that of `model.PolyGET.forward`, then the same backwards. Each step is shared out over threads, by ranges of
pairs or of atoms, and the next begins when all have ended. Arrays are kept from one call to the next.
"""

import copy
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import scipy.linalg.cython_blas  # noqa: F401  (Numba's products: here before threadpoolctl counts libraries)
from numba import config
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from polymd.potentials.polyget import engine_weights
from polymd.potentials.polyget.engine_embedding import Embedding
from polymd.potentials.polyget.engine_pass import Pass, Scratch, share
from polymd.potentials.polyget.pair_messages import Pairs
from polymd.potentials.repulsion import RADII, zbl_pairs

Array = NDArray[np.float32]
KNOTS = 1024
PAIRS_A_THREAD = 2000


@dataclass
class Result:
    """Atomic energies (N,) eV and the energy's gradient by every pair vector r_j - r_i, (P, 3) eV/Å."""

    energies: NDArray[np.float64]
    gradient: Array


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()


def one_blas_thread() -> AbstractContextManager[Any]:
    """The matrix products are shared out over threads like all else: BLAS has no more to share out. Its
    threads, waiting for a core somebody else uses, made a step of 162 atoms twelve times longer.
    """
    limited: AbstractContextManager[Any] = _blas().limit(limits=1, user_api="blas")
    return limited


class Engine:
    """A trained model. `weights` are the arrays of its safetensors file, `architecture` its sizes.

    Not for two threads at a time: each call uses the arrays of the last.
    """

    def __init__(
        self, weights: dict[str, NDArray[Any]], architecture: dict[str, Any], knots: int = KNOTS
    ) -> None:
        self.cutoff = float(architecture["cutoff"])
        self.channels, self.heads = int(architecture["channels"]), int(architecture["heads"])
        self.n_layers = int(architecture["layers"])
        self.atomic_energies = np.asarray(weights["atomic_energies"], dtype=np.float64)
        self.species = np.full(119, -1, dtype=np.int64)
        self.species[list(architecture["elements"])] = np.arange(len(architecture["elements"]))
        self.tables = engine_weights.tables(weights, self.n_layers, self.cutoff, knots)
        self.embedding = engine_weights.embedding(weights, self.tables[0])
        self.layers = [engine_weights.layer(weights, n) for n in range(self.n_layers)]
        self.readout = engine_weights.readout(weights)
        self._scratch: Scratch | None = None
        self._most_threads: int | None = None

    def single(self) -> "Engine":
        """This model for one thread, with arrays of its own: to be called beside others like it, within
        `one_blas_thread`.
        """
        other = copy.copy(self)
        other._scratch, other._most_threads = None, 1
        return other

    def _prepare(self, n: int, n_pairs: int) -> Scratch:
        most = self._most_threads or int(getattr(config, "NUMBA_NUM_THREADS", 1))
        threads = max(1, min(most, n_pairs // PAIRS_A_THREAD))
        scratch = self._scratch
        if scratch is None or (scratch.n, scratch.threads) != (n, threads):
            self._scratch = scratch = Scratch(n, self.channels, self.n_layers, threads)
        return scratch

    def compute(self, numbers: NDArray[np.int64], pairs: NDArray[np.int32], vectors: Array) -> Result:
        """Energies and gradients; numbers (N,), half list pairs (P, 2) within the cutoff, vectors r_j -
        r_i (P, 3) Å. Molecules that share no pair are as good as alone: many go in one call.
        """
        if self._most_threads == 1:
            return self._compute(numbers, pairs, vectors)
        with one_blas_thread():
            return self._compute(numbers, pairs, vectors)

    def _compute(self, numbers: NDArray[np.int64], pairs: NDArray[np.int32], vectors: Array) -> Result:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        d = np.sqrt(np.einsum("pa,pa->p", vectors, vectors))
        whole = Pairs(pairs, d, vectors / d[:, None])
        s = self._prepare(len(numbers), len(d))
        species = self.species[numbers]
        way = Pass(self.layers, self.readout, self.tables[1:], self.heads, s, whole)
        embedding = Embedding(self.embedding, species, way)
        share(s.threads, embedding.near)
        share(s.threads, embedding.combine)
        way.forward()
        way.backward()
        share(s.threads, embedding.combine_back)
        share(s.threads, embedding.near_back)
        repulsion, gradient = np.zeros((s.threads, len(numbers))), np.empty_like(whole.unit)

        def finish(t: int) -> None:
            part, g_d, g_u = way.parts[t]
            zbl_pairs(numbers, part.atoms, part.distance, RADII, repulsion[t], g_d)
            along = np.einsum("pa,pa->p", g_u, part.unit)
            out = gradient[slice(*way.cuts[t])]
            np.multiply((g_d - along / part.distance)[:, None], part.unit, out=out)
            out += g_u / part.distance[:, None]

        share(s.threads, finish)
        total = s.energies.astype(np.float64) + self.atomic_energies[species] + repulsion.sum(axis=0)
        return Result(total, gradient)
