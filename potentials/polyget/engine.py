"""PolyGET without torch: energies, forces and virial from the safetensors weights, float32, CPU.

Sums over neighbours run in the kernels of `pair_messages.py`, products of (N, C) arrays in BLAS, and the
backward pass is derived by hand. The order of the steps is that of `model.PolyGET.forward`, then the same
backwards.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import config
from numpy.typing import NDArray

from polymd.potentials.polyget import engine_nodes as nodes
from polymd.potentials.polyget import pair_embedding
from polymd.potentials.polyget.hermite import filter_knots, make_table
from polymd.potentials.polyget.pair_messages import Pairs, backward_kernel, forward_kernel
from polymd.potentials.repulsion import RADII, zbl_pairs

Array = NDArray[np.float32]
FILTER = ("linear.weight", "linear.bias", "basis.centres", "basis.widths")
KNOTS = 1024
PAIRS_A_THREAD = 8000


@dataclass
class Result:
    """Atomic energies (N,) eV and the energy's gradient by every pair vector r_j - r_i, (P, 3) eV/Å."""

    energies: NDArray[np.float64]
    gradient: Array


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="polyget")


def _split(pairs: Pairs) -> list[tuple[slice, Pairs]]:
    """The pairs in as many parts as threads pay for; the kernels release the interpreter's lock."""
    n_pairs = len(pairs.distance)
    n = max(1, min(int(getattr(config, "NUMBA_NUM_THREADS", 1)), n_pairs // PAIRS_A_THREAD))
    slices = [slice(n_pairs * part // n, n_pairs * (part + 1) // n) for part in range(n)]
    return [(s, Pairs(pairs.atoms[s], pairs.distance[s], pairs.unit[s])) for s in slices]


def _run(kernel: Any, arguments: list[tuple[Any, ...]]) -> None:
    """Call the kernel once for every tuple of arguments, each in a thread."""
    if len(arguments) == 1:
        kernel(*arguments[0])
    else:
        list(_pool(len(arguments)).map(lambda each: kernel(*each), arguments))


def _total(parts: Array) -> Array:
    """Sum over threads of their contributions (T, ...)."""
    total: Array = parts[0] if len(parts) == 1 else parts.sum(axis=0, dtype=np.float32)
    return total


class Engine:
    """A trained model. `weights` are the arrays of its safetensors file, `architecture` its sizes."""

    def __init__(
        self, weights: dict[str, NDArray[Any]], architecture: dict[str, Any], knots: int = KNOTS
    ) -> None:
        self.w = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in weights.items()}
        self.cutoff = float(architecture["cutoff"])
        self.channels, self.heads = int(architecture["channels"]), int(architecture["heads"])
        self.n_layers = int(architecture["layers"])
        self.atomic_energies = np.asarray(weights["atomic_energies"], dtype=np.float64)
        self.species = np.full(119, -1, dtype=np.int64)
        self.species[list(architecture["elements"])] = np.arange(len(architecture["elements"]))
        names = ["embedding.filters", *(f"layers.{n}.filters" for n in range(self.n_layers))]
        self.tables = [
            make_table(
                filter_knots([weights[f"{name}.{k}"] for k in FILTER], self.cutoff, knots), self.cutoff
            )
            for name in names
        ]

    def _linear(self, x: Array, name: str) -> Array:
        flat = x.reshape(-1, x.shape[-1]) @ self.w[f"{name}.weight"].T
        bias = self.w.get(f"{name}.bias")
        if bias is not None:
            flat += bias
        return flat.reshape(*x.shape[:-1], -1)

    def _linear_backward(self, g: Array, name: str) -> Array:
        weight = self.w[f"{name}.weight"]
        return (g.reshape(-1, g.shape[-1]) @ weight).reshape(*g.shape[:-1], -1)

    def compute(self, numbers: NDArray[np.int64], pairs: NDArray[np.int32], vectors: Array) -> Result:
        """Energies and gradients; numbers (N,), half list pairs (P, 2) within the cutoff, vectors r_j -
        r_i (P, 3) Å.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        d = np.sqrt(np.einsum("pa,pa->p", vectors, vectors))
        whole = Pairs(pairs, d, vectors / d[:, None])
        parts = _split(whole)
        species = self.species[numbers]
        value = self.w["embedding.neighbour.weight"][species]
        near = np.zeros_like(value)
        pair_embedding.forward(whole, self.tables[0], value, near)
        x = self._linear(np.hstack([self.w["embedding.own.weight"][species], near]), "embedding.combine")
        vec = np.zeros((len(x), 3, self.channels), np.float32)
        tape = []
        for n in range(self.n_layers):
            x, vec, saved = self._layer(n, x, vec, parts)
            tape.append(saved)
        energies, g_x, g_vec = self._readout(x, vec)
        g_d, g_u = np.zeros_like(d), np.zeros_like(whole.unit)
        for n in reversed(range(self.n_layers)):
            g_x, g_vec = self._layer_backward(n, g_x, g_vec, tape[n], parts, g_d, g_u)
        g_near = self._linear_backward(g_x, "embedding.combine")[:, self.channels :]
        pair_embedding.backward_to_positions(whole, self.tables[0], value, np.ascontiguousarray(g_near), g_d)
        total = energies.astype(np.float64) + self.atomic_energies[species]
        zbl_pairs(numbers, pairs, d, RADII, total, g_d)
        along = np.einsum("pa,pa->p", g_u, whole.unit)
        return Result(total, (g_d - along / d)[:, None] * whole.unit + g_u / d[:, None])

    def _layer(
        self, n: int, x: Array, vec: Array, parts: list[tuple[slice, Pairs]]
    ) -> tuple[Array, Array, tuple[Any, ...]]:
        name, c = f"layers.{n}", self.channels
        normed_out, normed, inverse = nodes.norm_forward(
            x, self.w[f"{name}.norm.weight"], self.w[f"{name}.norm.bias"]
        )
        projected = self._linear(normed_out, f"{name}.project")
        node, w = np.empty((len(x), 4 * c), np.float32), np.empty_like(vec)
        nodes.gate_vectors(vec, projected, node, w)
        message = np.zeros((len(parts), *x.shape), np.float32)
        vec_message = np.zeros((len(parts), *vec.shape), np.float32)
        table = self.tables[n + 1]
        _run(
            forward_kernel(c, self.heads, n > 0),
            [(part, table, node, w, message[t], vec_message[t]) for t, (_, part) in enumerate(parts)],
        )
        o = self._linear(_total(message), f"{name}.output")
        u = self._linear(vec, f"{name}.vector_mix")
        x, vec_new = nodes.update(x, vec, u, o, _total(vec_message))
        return x, vec_new, (normed, inverse, projected, node, w, vec, o, u)

    def _layer_backward(
        self,
        n: int,
        g_x: Array,
        g_vec: Array,
        saved: tuple[Any, ...],
        parts: list[tuple[slice, Pairs]],
        g_d: Array,
        g_u: Array,
    ) -> tuple[Array, Array]:
        name, table = f"layers.{n}", self.tables[n + 1]
        normed, inverse, projected, node, w, vec, o, u = saved
        g_mix, g_o = nodes.update_backward(u, o, g_x, g_vec)
        g_message = self._linear_backward(g_o, f"{name}.output")
        g_node = np.zeros((len(parts), *node.shape), np.float32)
        g_w = np.zeros((len(parts), *w.shape), np.float32)
        unused = np.zeros((1, 1, 1), np.float32)
        _run(
            backward_kernel(self.channels, self.heads, n > 0, True, False),
            [
                (part, table, node, w, g_message, g_vec, g_node[t], g_w[t], g_d[where], g_u[where], unused)
                for t, (where, part) in enumerate(parts)
            ],
        )
        g_vec = g_vec + self._linear_backward(g_mix, f"{name}.vector_mix")
        g_projected = np.empty_like(projected)
        nodes.gate_vectors_backward(vec, projected, _total(g_node), _total(g_w), g_projected, g_vec)
        g_norm = self._linear_backward(g_projected, f"{name}.project")
        return g_x + nodes.norm_backward(g_norm, self.w[f"{name}.norm.weight"], normed, inverse), g_vec

    def _readout(self, x: Array, vec: Array) -> tuple[Array, Array, Array]:
        """Atomic energies and the gradients of their sum by x and vec."""
        name, c = "readout", self.channels
        normed_out, normed, inverse = nodes.norm_forward(
            x, self.w[f"{name}.norm.weight"], self.w[f"{name}.norm.bias"]
        )
        mixed = self._linear(vec, f"{name}.first.vector_norm")
        length = nodes.lengths(mixed)
        hidden, d_hidden = nodes.silu(self._linear(np.hstack([normed_out, length]), f"{name}.first.scalar.0"))
        scalar, gate = np.split(self._linear(hidden, f"{name}.first.scalar.2"), 2, axis=1)
        outer = self._linear(vec, f"{name}.first.vector_out")
        scalar, d_scalar = nodes.silu(scalar)
        mixed2 = self._linear(outer * gate[:, None], f"{name}.second.vector_norm")
        length2 = nodes.lengths(mixed2)
        hidden2, d_hidden2 = nodes.silu(self._linear(np.hstack([scalar, length2]), f"{name}.second.scalar.0"))
        weight, bias = self.w[f"{name}.second.scalar.2.weight"][0], self.w[f"{name}.second.scalar.2.bias"][0]
        energies = hidden2 @ weight + bias
        g_scalar, g_length2 = np.split(
            self._linear_backward(d_hidden2 * weight, f"{name}.second.scalar.0"), 2, axis=1
        )
        g_gated = self._linear_backward((g_length2 / length2)[:, None] * mixed2, f"{name}.second.vector_norm")
        g_out = np.hstack([g_scalar * d_scalar, np.einsum("nac,nac->nc", g_gated, outer)])
        g_hidden = self._linear_backward(g_out, f"{name}.first.scalar.2") * d_hidden
        g_input = self._linear_backward(g_hidden, f"{name}.first.scalar.0")
        g_vec = self._linear_backward(g_gated * gate[:, None], f"{name}.first.vector_out")
        g_vec += self._linear_backward(
            (g_input[:, c:] / length)[:, None] * mixed, f"{name}.first.vector_norm"
        )
        g_x = nodes.norm_backward(g_input[:, :c], self.w[f"{name}.norm.weight"], normed, inverse)
        return energies, g_x, g_vec
