"""Node-wise steps of the engine and their derivatives by hand, for the atoms begin to end - 1.

Symbols as in `model.py`. Atoms are done in blocks small enough for a core's own cache: products in BLAS,
the rest row by row in registers. Vectors lie in rows 3i, 3i + 1, 3i + 2 of (3N, C) arrays; u1, u2, u3 side by
side in `u` (3N, 3C), o1, o2, o3 in `o` (N, 3C), and `node` (N, 5C) holds [q, k, x, v, m]. In the first layer
vec = 0: there is no u, no m, and o is o3 alone. Sums over pairs come as one array for each thread, and so do
their gradients.

    normed   = (x - mean) / deviation,  its weight and bias taken into those of the projection
    g_x      = (g - mean(g) - normed mean(g normed)) / deviation,  g = dE/d(normed)
    g_o1     = sum over axes of g_vec u3,  g_o2 = g_x <u1, u2>,  g_o3 = g_x
    g_u1     = g_x o2 u2,  g_u2 = g_x o2 u1,  g_u3 = g_vec o1
    g_m      = sum over axes of g_w vec,  g_vec = g_w m + g_u mix
"""

from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.jit import kernel
from polymd.potentials.polyget.lanes import accumulate, load, splat, store, total

Array = NDArray[np.float32]
BLOCK = 96
EPSILON = 1e-5


class LayerWeights(NamedTuple):
    """Matrices as `inputs @ matrix`, and for the way back as `gradients @ matrix_back`."""

    project: Array  # (C, 5C)
    project_bias: Array
    project_back: Array
    mix: Array  # (C, 3C)
    mix_back: Array
    output: Array  # (C, 3C)
    output_bias: Array
    output_back: Array


class Tape(NamedTuple):
    """What a layer keeps for its way back."""

    normed: Array  # (N, C)
    inverse: Array  # (N,) 1 / deviation
    node: Array  # (N, 5C)
    w: Array  # (3N, C)
    vec: Array  # (3N, C), the layer's input
    o: Array  # (N, 3C)
    u: Array  # (3N, 3C)


@numba.njit(inline="always")
def normalise(C: Any, x: Any, xi: Any, normed: Any, to: Any) -> Any:
    """Layer norm of the row at flat offset xi to the offset `to` of `normed`; gives 1 / deviation."""
    row = load(x, xi, C)
    centred = row - total(row) / np.float32(C)
    inverse = np.float32(1) / np.sqrt(total(centred * centred) / np.float32(C) + np.float32(EPSILON))
    store(normed, to, centred * inverse)
    return inverse


@numba.njit(inline="always")
def normalise_back(C: Any, g: Any, gi: Any, normed: Any, ni: Any, inverse: Any) -> Any:
    """Gradient by the row before its layer norm."""
    row, unit = load(g, gi, C), load(normed, ni, C)
    return (row - total(row) / np.float32(C) - unit * (total(row * unit) / np.float32(C))) * inverse


@cache
def enter(channels: int, with_vectors: bool) -> Any:
    """kernel(begin, end, x, weights, tape, message, vec_message): node and w; zeroes the sums over pairs."""
    C = channels

    @kernel
    def run(begin, end, x, weights, tape, message, vec_message):  # type: ignore[no-untyped-def]
        F = weights.project.shape[1]
        for a in range(begin, end, BLOCK):
            b = min(a + BLOCK, end)
            for i in range(a, b):
                tape.inverse[i] = normalise(C, x, i * C, tape.normed, i * C)
            np.dot(tape.normed[a:b], weights.project, tape.node[a:b])
            for i in range(a, b):
                for c in range(0, F, C):
                    accumulate(tape.node, i * F + c, load(weights.project_bias, c, C))
                if with_vectors:
                    gate = load(tape.node, i * F + 4 * C, C)
                    for r in range(3 * i, 3 * i + 3):
                        store(tape.w, r * C, load(tape.vec, r * C, C) * gate)
        zero = splat(np.float32(0), C)
        for t in range(message.shape[0]):
            for i in range(begin, end):
                store(message, (t * len(x) + i) * C, zero)
            for r in range(3 * begin, 3 * end):
                store(vec_message, (t * 3 * len(x) + r) * C, zero)

    return run


@cache
def update(channels: int, with_vectors: bool) -> Any:
    """kernel(begin, end, x, vec_out, weights, tape, message, vec_message): x and the next
    layer's vec."""
    C = channels

    @kernel
    def run(begin, end, x, vec_out, weights, tape, message, vec_message):  # type: ignore[no-untyped-def]
        n, F = len(x), weights.output.shape[1]
        for t in range(1, message.shape[0]):
            for i in range(begin, end):
                accumulate(message, i * C, load(message, (t * n + i) * C, C))
            for r in range(3 * begin, 3 * end):
                accumulate(vec_message, r * C, load(vec_message, (t * 3 * n + r) * C, C))
        for a in range(begin, end, BLOCK):
            b = min(a + BLOCK, end)
            np.dot(message[0, a:b], weights.output, tape.o[a:b])
            if with_vectors:
                np.dot(tape.vec[3 * a : 3 * b], weights.mix, tape.u[3 * a : 3 * b])
            for i in range(a, b):
                for c in range(0, F, C):
                    accumulate(tape.o, i * F + c, load(weights.output_bias, c, C))
                accumulate(x, i * C, load(tape.o, i * F + F - C, C))
                if with_vectors:
                    o1, dot = load(tape.o, i * F, C), splat(np.float32(0), C)
                    for r in range(3 * i, 3 * i + 3):
                        dot = dot + load(tape.u, r * F, C) * load(tape.u, r * F + C, C)
                        moved = load(tape.vec, r * C, C) + load(tape.u, r * F + 2 * C, C) * o1
                        store(vec_out, r * C, moved + load(vec_message, r * C, C))
                    accumulate(x, i * C, dot * load(tape.o, i * F + C, C))
                else:
                    for r in range(3 * i, 3 * i + 3):
                        store(vec_out, r * C, load(vec_message, r * C, C))

    return run


@cache
def update_back(channels: int, with_vectors: bool) -> Any:
    """kernel(begin, end, g_x, g_vec, weights, tape, g_message, g_vec_in, g_node, g_w): fills g_message and
    g_vec_in, zeroes the gradients that pairs add to.
    """
    C = channels

    @kernel
    def run(begin, end, g_x, g_vec, weights, tape, g_message, g_vec_in, g_node, g_w):  # type: ignore[no-untyped-def]
        F, n = weights.output.shape[1], len(g_x)
        if with_vectors:
            g_o = np.empty((min(BLOCK, end - begin), F), np.float32)
            g_u = np.empty((3 * min(BLOCK, end - begin), F), np.float32)
        for a in range(begin, end, BLOCK):
            b = min(a + BLOCK, end)
            if with_vectors:
                for i in range(a, b):
                    gx, go1, dot = load(g_x, i * C, C), splat(np.float32(0), C), splat(np.float32(0), C)
                    o1, gx_o2 = load(tape.o, i * F, C), gx * load(tape.o, i * F + C, C)
                    for r in range(3 * i, 3 * i + 3):
                        gv, k = load(g_vec, r * C, C), (r - 3 * a) * F
                        u1, u2 = load(tape.u, r * F, C), load(tape.u, r * F + C, C)
                        dot = dot + u1 * u2
                        go1 = go1 + gv * load(tape.u, r * F + 2 * C, C)
                        store(g_u, k, gx_o2 * u2)
                        store(g_u, k + C, gx_o2 * u1)
                        store(g_u, k + 2 * C, gv * o1)
                    store(g_o, (i - a) * F, go1)
                    store(g_o, (i - a) * F + C, gx * dot)
                    store(g_o, (i - a) * F + 2 * C, gx)
                np.dot(g_o[: b - a], weights.output_back, g_message[a:b])
                np.dot(g_u[: 3 * (b - a)], weights.mix_back, g_vec_in[3 * a : 3 * b])
                for r in range(3 * a, 3 * b):
                    accumulate(g_vec_in, r * C, load(g_vec, r * C, C))
            else:
                np.dot(g_x[a:b], weights.output_back, g_message[a:b])
        zero = splat(np.float32(0), C)
        width = weights.project.shape[1]
        for t in range(g_node.shape[0]):
            for k in range((t * n + begin) * width, (t * n + end) * width, C):
                store(g_node, k, zero)
            if with_vectors:
                for r in range(3 * begin, 3 * end):
                    store(g_w, (t * 3 * n + r) * C, zero)

    return run


@cache
def enter_back(channels: int, with_vectors: bool) -> Any:
    """kernel(begin, end, g_x, g_vec, weights, tape, g_node, g_w): adds to g_x and g_vec."""
    C = channels

    @kernel
    def run(begin, end, g_x, g_vec, weights, tape, g_node, g_w):  # type: ignore[no-untyped-def]
        F, n = weights.project.shape[1], len(g_x)
        for t in range(1, g_node.shape[0]):
            for k in range(begin * F, end * F, C):
                accumulate(g_node, k, load(g_node, t * n * F + k, C))
            if with_vectors:
                for r in range(3 * begin, 3 * end):
                    accumulate(g_w, r * C, load(g_w, (t * 3 * n + r) * C, C))
        g_normed = np.empty((min(BLOCK, end - begin), C), np.float32)
        for a in range(begin, end, BLOCK):
            b = min(a + BLOCK, end)
            if with_vectors:
                for i in range(a, b):
                    gate, g_gate = load(tape.node, i * F + 4 * C, C), splat(np.float32(0), C)
                    for r in range(3 * i, 3 * i + 3):
                        gw = load(g_w, r * C, C)
                        g_gate = g_gate + gw * load(tape.vec, r * C, C)
                        accumulate(g_vec, r * C, gw * gate)
                    store(g_node, i * F + 4 * C, g_gate)
            np.dot(g_node[0, a:b], weights.project_back, g_normed[: b - a])
            for i in range(a, b):
                add = normalise_back(C, g_normed, (i - a) * C, tape.normed, i * C, tape.inverse[i])
                accumulate(g_x, i * C, add)

    return run
