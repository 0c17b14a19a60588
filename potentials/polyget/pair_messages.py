"""Numba kernels of an update layer's sums over neighbours, on a half list: each pair i < j once.

The equations are those of `model.py`; both directions of a pair share their radial filters f, read from a
table, and no array over pairs and channels is ever made. `node` (N, 4C or more) holds [q, k, x, v] of each
atom side by side. The backward kernel is the derivative by hand; with g_y = dE/dy, for i <- j:

    b     = sum over the head of g_X,i x_j f_x,   g_a = b SiLU'(a)
    g_q,i = g_a k_j f_k     g_k,j = g_a q_i f_k    g_f_k = g_a q_i k_j
    g_x,j = a g_X,i f_x                            g_f_x = a g_X,i x_j
    g_w,j = g_V,i f_1                              g_f_1 = <g_V,i, w_j>
    g_v,j = <g_V,i, u> f_2                         g_f_2 = <g_V,i, u> v_j
    g_u   = sum over channels of g_V,i v_j f_2     g_d   = sum over channels of g_f f'(d)

Heads do not meet, so a pair is done in blocks of whole heads, at most `BLOCK` channels, each in registers
from its first read to its last write (`lanes.py`). Names end in `i` and `j` for what belongs to i <- j and
j <- i. Kernels are made for a number of channels and heads, which the compiler takes as constants.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.hermite import add_lanes, locate, read_lanes, slope_weights
from polymd.potentials.polyget.jit import kernel
from polymd.potentials.polyget.lanes import accumulate, fold, halves, join, load, sigmoid, spread, total

BLOCK = 64


class Pairs(NamedTuple):
    """Half list (P, 2) int32, distances (P,) Å and unit vectors from the first atom to the second (P, 3)."""

    atoms: NDArray[np.int32]
    distance: NDArray[np.float32]
    unit: NDArray[np.float32]


def block_of(channels: int, heads: int) -> int:
    """Channels of a block: whole heads that divide the channels, at most `BLOCK` if a head has no more.

    Raises ValueError for channels that are no multiple of the heads.
    """
    if channels % heads:
        raise ValueError(f"{channels} channels in {heads} heads; give a multiple of the number of heads")
    size = channels // heads
    fitting = [n * size for n in range(1, heads + 1) if heads % n == 0 and n * size <= BLOCK]
    return max(fitting, default=size)


@cache
def forward_kernel(channels: int, heads: int, with_vectors: bool) -> Any:
    """kernel(pairs, table, node, w, out_x, out_v): adds X (N, C) and V (N, 3, C) to the outputs."""
    C, D, B = channels, channels // heads, block_of(channels, heads)

    @kernel
    def messages(pairs, table, node, w, out_x, out_v):  # type: ignore[no-untyped-def]
        row = node.shape[1]
        for p in range(len(pairs.distance)):
            i, j = np.int64(pairs.atoms[p, 0]), np.int64(pairs.atoms[p, 1])
            knot, weights = locate(table, pairs.distance[p])
            for b in range(0, C, B):
                t, ni, nj = knot * 8 * C + b, i * row + b, j * row + b
                f = read_lanes(table.knots, t, 4 * C, weights, B)
                qk = join(
                    load(node, ni, B) * load(node, nj + C, B) * f,
                    load(node, nj, B) * load(node, ni + C, B) * f,
                )
                a = fold(qk, D)
                ai, aj = halves(spread(a * sigmoid(a), D))
                f = read_lanes(table.knots, t + C, 4 * C, weights, B)
                accumulate(out_x, i * C + b, ai * f * load(node, nj + 2 * C, B))
                accumulate(out_x, j * C + b, aj * f * load(node, ni + 2 * C, B))
                f = read_lanes(table.knots, t + 3 * C, 4 * C, weights, B)
                vi, vj = load(node, nj + 3 * C, B) * f, load(node, ni + 3 * C, B) * f
                if with_vectors:
                    f = read_lanes(table.knots, t + 2 * C, 4 * C, weights, B)
                for axis in range(3):
                    u = pairs.unit[p, axis]
                    oi, oj = (i * 3 + axis) * C + b, (j * 3 + axis) * C + b
                    if with_vectors:
                        accumulate(out_v, oi, vi * u + load(w, oj, B) * f)
                        accumulate(out_v, oj, load(w, oi, B) * f - vj * u)
                    else:
                        accumulate(out_v, oi, vi * u)
                        accumulate(out_v, oj, vj * -u)

    return messages


@cache
def backward_kernel(channels: int, heads: int, with_vectors: bool, to_positions: bool, to_table: bool) -> Any:
    """kernel(pairs, table, node, w, g_x, g_v, g_node, g_w, g_d, g_u, g_knots).

    Adds to g_node, shaped as node, always, to g_w (N, 3, C) if `with_vectors`, to g_d (P,) and g_u (P, 3) if
    `to_positions`, to g_knots (K, 2, 4C) if `to_table`; the others are not touched.
    """
    C, D, B = channels, channels // heads, block_of(channels, heads)
    one = np.float32(1)

    @kernel
    def messages(pairs, table, node, w, g_x, g_v, g_node, g_w, g_d, g_u, g_knots):  # type: ignore[no-untyped-def]
        row = node.shape[1]
        for p in range(len(pairs.distance)):
            i, j = np.int64(pairs.atoms[p, 0]), np.int64(pairs.atoms[p, 1])
            u0, u1, u2 = pairs.unit[p, 0], pairs.unit[p, 1], pairs.unit[p, 2]
            knot, weights = locate(table, pairs.distance[p])
            slopes = slope_weights(table, pairs.distance[p], knot)
            for b in range(0, C, B):
                t, ni, nj = knot * 8 * C + b, i * row + b, j * row + b
                fk = read_lanes(table.knots, t, 4 * C, weights, B)
                fx = read_lanes(table.knots, t + C, 4 * C, weights, B)
                qi, qj = load(node, ni, B), load(node, nj, B)
                ki, kj = load(node, ni + C, B), load(node, nj + C, B)
                gxi = load(g_x, i * C + b, B)
                gxj = load(g_x, j * C + b, B)
                qki, qkj = qi * kj, qj * ki
                gxxi, gxxj = gxi * load(node, nj + 2 * C, B), gxj * load(node, ni + 2 * C, B)
                a = fold(join(qki * fk, qkj * fk), D)
                g = fold(join(gxxi * fx, gxxj * fx), D)
                sigma = sigmoid(a)
                gai, gaj = halves(spread(g * sigma * (a * (one - sigma) + one), D))
                ai, aj = halves(spread(a * sigma, D))
                gk, gx = gai * qki + gaj * qkj, ai * gxxi + aj * gxxj
                gai, gaj, ai, aj = gai * fk, gaj * fk, ai * fx, aj * fx
                accumulate(g_node, ni, gai * kj)
                accumulate(g_node, ni + C, gaj * qj)
                accumulate(g_node, ni + 2 * C, aj * gxj)
                accumulate(g_node, nj, gaj * ki)
                accumulate(g_node, nj + C, gai * qi)
                accumulate(g_node, nj + 2 * C, ai * gxi)

                oi, oj = i * 3 * C + b, j * 3 * C + b
                fv = read_lanes(table.knots, t + 3 * C, 4 * C, weights, B)
                gi0, gi1, gi2 = load(g_v, oi, B), load(g_v, oi + C, B), load(g_v, oi + 2 * C, B)
                gj0, gj1, gj2 = load(g_v, oj, B), load(g_v, oj + C, B), load(g_v, oj + 2 * C, B)
                along_i = gi0 * u0 + gi1 * u1 + gi2 * u2
                along_j = gj0 * -u0 - gj1 * u1 - gj2 * u2
                vi, vj = load(node, nj + 3 * C, B), load(node, ni + 3 * C, B)
                gv = along_i * vi + along_j * vj
                accumulate(g_node, nj + 3 * C, along_i * fv)
                accumulate(g_node, ni + 3 * C, along_j * fv)
                if to_positions:
                    vi, vj = vi * fv, vj * fv
                    g_u[p, 0] += total(gi0 * vi - gj0 * vj)
                    g_u[p, 1] += total(gi1 * vi - gj1 * vj)
                    g_u[p, 2] += total(gi2 * vi - gj2 * vj)
                    s = gk * read_lanes(table.knots, t, 4 * C, slopes, B)
                    s = s + gx * read_lanes(table.knots, t + C, 4 * C, slopes, B)
                    s = s + gv * read_lanes(table.knots, t + 3 * C, 4 * C, slopes, B)
                if to_table:
                    add_lanes(g_knots, t, 4 * C, weights, gk)
                    add_lanes(g_knots, t + C, 4 * C, weights, gx)
                    add_lanes(g_knots, t + 3 * C, 4 * C, weights, gv)
                if with_vectors:
                    fw = read_lanes(table.knots, t + 2 * C, 4 * C, weights, B)
                    gw = gi0 * load(w, oj, B) + gi1 * load(w, oj + C, B) + gi2 * load(w, oj + 2 * C, B)
                    gw = gw + gj0 * load(w, oi, B) + gj1 * load(w, oi + C, B) + gj2 * load(w, oi + 2 * C, B)
                    accumulate(g_w, oi, gj0 * fw)
                    accumulate(g_w, oi + C, gj1 * fw)
                    accumulate(g_w, oi + 2 * C, gj2 * fw)
                    accumulate(g_w, oj, gi0 * fw)
                    accumulate(g_w, oj + C, gi1 * fw)
                    accumulate(g_w, oj + 2 * C, gi2 * fw)
                    if to_positions:
                        s = s + gw * read_lanes(table.knots, t + 2 * C, 4 * C, slopes, B)
                    if to_table:
                        add_lanes(g_knots, t + 2 * C, 4 * C, weights, gw)
                if to_positions:
                    g_d[p] += total(s)

    return messages
