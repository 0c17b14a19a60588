"""One evaluation's way through the engine's layers and back, its steps shared out over threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget import engine_nodes as nodes
from polymd.potentials.polyget.engine_readout import ReadoutWeights, readout
from polymd.potentials.polyget.hermite import Table
from polymd.potentials.polyget.pair_messages import Pairs, backward_kernel, forward_kernel

Array = NDArray[np.float32]
UNUSED = np.zeros((1, 1), np.float32)


class Scratch:
    """Arrays of one size of system, of C channels in L layers, for T threads that add up pairs."""

    def __init__(self, n: int, c: int, layers: int, threads: int) -> None:
        def array(*shape: int) -> Array:
            return np.empty(shape, np.float32)

        self.n, self.threads = n, threads
        self.x, self.g_x, self.energies = array(n, c), array(n, c), array(n)
        self.vec, self.g_vec, self.g_vec_in = array(3 * n, c), array(3 * n, c), array(3 * n, c)
        self.tapes = []
        for k in range(layers):
            vectors = (3 * n, c) if k else (0, c)
            width = (5, 3) if k else (4, 1)
            self.tapes.append(
                nodes.Tape(
                    array(n, c),
                    array(n),
                    array(n, width[0] * c),
                    array(*vectors),
                    array(*vectors),
                    array(n, width[1] * c),
                    array(vectors[0], 3 * c),
                )
            )
        self.near, self.message = array(n, c), array(threads, n, c)
        self.vec_message, self.g_w = array(threads, 3 * n, c), array(threads, 3 * n, c)
        self.g_node, self.g_node_0 = array(threads, n, 5 * c), array(threads, n, 4 * c)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads - 1, thread_name_prefix="polyget")


def share(threads: int, work: Callable[[int], None]) -> None:
    """Do `work` for each part, the first one here; kernels release the interpreter's lock."""
    others = [_pool(threads).submit(work, part) for part in range(1, threads)]
    work(0)
    for other in others:
        other.result()


def _marks(n: int, parts: int) -> list[int]:
    return [n * part // parts for part in range(parts + 1)]


class Pass:
    """All layers from scratch.x to scratch.energies, and back to scratch.g_x, g_d (P,) and g_u (P, 3)."""

    def __init__(
        self,
        layers: list[nodes.LayerWeights],
        readout_weights: ReadoutWeights,
        tables: list[Table],
        heads: int,
        scratch: Scratch,
        pairs: Pairs,
    ) -> None:
        self.layers, self.readout_weights, self.tables, self.s = layers, readout_weights, tables, scratch
        self.c, self.h, self.last = scratch.x.shape[1], heads, len(layers) - 1
        self.g_d, self.g_u = np.zeros_like(pairs.distance), np.zeros_like(pairs.unit)
        atoms, cuts = _marks(scratch.n, scratch.threads), _marks(len(pairs.distance), scratch.threads)
        self.atoms, self.cuts = list(pairwise(atoms)), list(pairwise(cuts))
        self.parts = [
            (Pairs(pairs.atoms[a:b], pairs.distance[a:b], pairs.unit[a:b]), self.g_d[a:b], self.g_u[a:b])
            for a, b in self.cuts
        ]

    def forward(self) -> None:
        """Up to the last layer's sums over neighbours."""
        share(self.s.threads, lambda t: self._enter(0, t))
        for n in range(self.last):
            share(self.s.threads, partial(self._messages, n))
            share(self.s.threads, partial(self._between, n))
        share(self.s.threads, partial(self._messages, self.last))

    def backward(self) -> None:
        """The readout, then the gradients."""
        s = self.s
        share(self.s.threads, self._turn)
        for n in range(self.last, 0, -1):
            share(self.s.threads, partial(self._messages_back, n))
            s.g_vec, s.g_vec_in = s.g_vec_in, s.g_vec
            share(self.s.threads, partial(self._between_back, n))
        share(self.s.threads, partial(self._messages_back, 0))
        share(self.s.threads, partial(self._enter_back, 0))

    def _enter(self, n: int, t: int) -> None:
        s = self.s
        nodes.enter(self.c, n > 0)(*self.atoms[t], s.x, self.layers[n], s.tapes[n], s.message, s.vec_message)

    def _messages(self, n: int, t: int) -> None:
        tape = self.s.tapes[n]
        forward_kernel(self.c, self.h, n > 0)(
            self.parts[t][0], self.tables[n], tape.node, tape.w, self.s.message[t], self.s.vec_message[t]
        )

    def _update(self, n: int, t: int) -> None:
        s = self.s
        vec_out = s.vec if n == self.last else s.tapes[n + 1].vec
        nodes.update(self.c, n > 0)(
            *self.atoms[t], s.x, vec_out, self.layers[n], s.tapes[n], s.message, s.vec_message
        )

    def _between(self, n: int, t: int) -> None:
        self._update(n, t)
        self._enter(n + 1, t)

    def _turn(self, t: int) -> None:
        s = self.s
        self._update(self.last, t)
        readout(self.c)(*self.atoms[t], s.x, s.vec, self.readout_weights, s.energies, s.g_x, s.g_vec)
        self._update_back(self.last, t)

    def _update_back(self, n: int, t: int) -> None:
        s = self.s
        nodes.update_back(self.c, n > 0)(
            *self.atoms[t],
            s.g_x,
            s.g_vec,
            self.layers[n],
            s.tapes[n],
            s.message[0],
            s.g_vec_in,
            s.g_node if n else s.g_node_0,
            s.g_w,
        )

    def _messages_back(self, n: int, t: int) -> None:
        s, tape = self.s, self.s.tapes[n]
        pairs, g_d, g_u = self.parts[t]
        backward_kernel(self.c, self.h, n > 0, True, False)(
            pairs,
            self.tables[n],
            tape.node,
            tape.w,
            s.message[0],
            s.g_vec,
            (s.g_node if n else s.g_node_0)[t],
            s.g_w[t],
            g_d,
            g_u,
            UNUSED,
        )

    def _enter_back(self, n: int, t: int) -> None:
        s = self.s
        nodes.enter_back(self.c, n > 0)(
            *self.atoms[t], s.g_x, s.g_vec, self.layers[n], s.tapes[n], s.g_node if n else s.g_node_0, s.g_w
        )

    def _between_back(self, n: int, t: int) -> None:
        self._enter_back(n, t)
        self._update_back(n - 1, t)
