"""Numba kernels of an update layer's sums over neighbours, on a half list: each pair i < j once.

The equations are those of `model.py`; both directions of a pair share their radial filters f, read from a
table, and no array over pairs and channels is ever made. `node` (N, 4C) holds [q, k, x, v] of each atom
side by side. The backward kernel is the derivative by hand; with g_y = dE/dy, for i <- j:

    b     = sum over the head of g_X,i x_j f_x,   g_a = b SiLU'(a)
    g_q,i = g_a k_j f_k     g_k,j = g_a q_i f_k    g_f_k = g_a q_i k_j
    g_x,j = a g_X,i f_x                            g_f_x = a g_X,i x_j
    g_w,j = g_V,i f_1                              g_f_1 = <g_V,i, w_j>
    g_v,j = <g_V,i, u> f_2                         g_f_2 = <g_V,i, u> v_j
    g_u   = sum over channels of g_V,i v_j f_2     g_d   = sum over channels of g_f f'(d)

Buffers of two halves hold i <- j first, j <- i second. Kernels are made for a number of channels and
heads: as constants these let LLVM unroll and vectorise.
"""

from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.hermite import locate, read, read_adjoint, slope_weights
from polymd.potentials.polyget.jit import kernel


class Pairs(NamedTuple):
    """Half list (P, 2) int32, distances (P,) Å and unit vectors from the first atom to the second (P, 3)."""

    atoms: NDArray[np.int32]
    distance: NDArray[np.float32]
    unit: NDArray[np.float32]


@numba.njit(inline="always")
def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2, tanh as a rational function: float32 accurate,
    vectorises.
    """
    f = np.float32
    x = min(max(f(0.5) * z, f(-7.9)), f(7.9))
    y = x * x
    p = f(-2.76076847742355e-16)
    p = p * y + f(2.00018790482477e-13)
    p = p * y + f(-8.60467152213735e-11)
    p = p * y + f(5.12229709037114e-08)
    p = p * y + f(1.48572235717979e-05)
    p = p * y + f(6.37261928875436e-04)
    p = p * y + f(4.89352455891786e-03)
    q = f(1.19825839466702e-06)
    q = q * y + f(1.18534705686654e-04)
    q = q * y + f(2.26843463243900e-03)
    q = q * y + f(4.89352518554385e-03)
    return f(0.5) + f(0.5) * x * p / q


@numba.njit(inline="always")
def _head_sums(C: int, H: int, product: Any, f: Any, out: Any) -> None:
    """out (2H,) = sums over each head of product (2C,) times f (C,), for both directions."""
    D = C // H
    for h in range(H):
        s, r = np.float32(0), np.float32(0)
        for c in range(h * D, h * D + D):
            s += product[c] * f[c]
            r += product[C + c] * f[c]
        out[h], out[H + h] = s, r


@numba.njit(inline="always")
def _spread(C: int, H: int, heads: Any, out: Any) -> None:
    """Each head's number (2H,) to its channels (2C,)."""
    D = C // H
    for h in range(2 * H):
        for c in range(h * D, h * D + D):
            out[c] = heads[h]


@cache
def forward_kernel(channels: int, heads: int, with_vectors: bool) -> Any:
    """kernel(pairs, table, node, w, out_x, out_v): adds X (N, C) and V (N, 3, C) to the outputs."""
    C, H = channels, heads

    @kernel
    def messages(pairs, table, node, w, out_x, out_v):  # type: ignore[no-untyped-def]
        f, a = np.empty(4 * C, np.float32), np.empty(2 * H, np.float32)
        product, channel = np.empty(2 * C, np.float32), np.empty(2 * C, np.float32)
        for p in range(len(pairs.distance)):
            i, j = pairs.atoms[p, 0], pairs.atoms[p, 1]
            k, weights = locate(table, pairs.distance[p])
            read(table, k, weights, f)
            ni, nj = node[i], node[j]
            for c in range(C):
                product[c] = ni[c] * nj[C + c]
                product[C + c] = nj[c] * ni[C + c]
            _head_sums(C, H, product, f, a)
            for h in range(2 * H):
                a[h] *= sigmoid(a[h])
            _spread(C, H, a, channel)
            xi, xj = out_x[i], out_x[j]
            for c in range(C):
                xi[c] += channel[c] * f[C + c] * nj[2 * C + c]
            for c in range(C):
                xj[c] += channel[C + c] * f[C + c] * ni[2 * C + c]
            for c in range(C):
                product[c] = nj[3 * C + c] * f[3 * C + c]
                product[C + c] = ni[3 * C + c] * f[3 * C + c]
            for axis in range(3):
                u = pairs.unit[p, axis]
                vi, vj = out_v[i, axis], out_v[j, axis]
                for c in range(C):
                    vi[c] += u * product[c]
                for c in range(C):
                    vj[c] -= u * product[C + c]
                if with_vectors:
                    wi, wj = w[i, axis], w[j, axis]
                    for c in range(C):
                        vi[c] += wj[c] * f[2 * C + c]
                    for c in range(C):
                        vj[c] += wi[c] * f[2 * C + c]

    return messages


@numba.njit(inline="always")
def _scalar_backward(C: int, H: int, f: Any, n: Any, g: Any, g_x: Any, gf: Any, scratch: Any) -> None:
    """Attention and scalar message: adds to g = (g_node_i, g_node_j), fills gf[:2C]; n, g_x are alike."""
    (ni, nj), (gi, gj), (gxi, gxj) = n, g, g_x
    a, b, ae, be, qk, gx = scratch
    one = np.float32(1)
    for c in range(C):
        qk[c] = ni[c] * nj[C + c]
        qk[C + c] = nj[c] * ni[C + c]
        gx[c] = gxi[c] * nj[2 * C + c]
        gx[C + c] = gxj[c] * ni[2 * C + c]
    _head_sums(C, H, qk, f, a)
    _head_sums(C, H, gx, f[C:], b)
    for h in range(2 * H):
        sigma = sigmoid(a[h])
        b[h] *= sigma * (one + a[h] * (one - sigma))
        a[h] *= sigma
    _spread(C, H, a, ae)
    _spread(C, H, b, be)
    for c in range(C):
        gf[c] = be[c] * qk[c] + be[C + c] * qk[C + c]
        gf[C + c] = ae[c] * gx[c] + ae[C + c] * gx[C + c]
    for c in range(C):
        be[c] *= f[c]
        be[C + c] *= f[c]
        ae[c] *= f[C + c]
        ae[C + c] *= f[C + c]
    for c in range(C):
        gi[c] += be[c] * nj[C + c]
    for c in range(C):
        gi[C + c] += be[C + c] * nj[c]
    for c in range(C):
        gj[c] += be[C + c] * ni[C + c]
    for c in range(C):
        gj[C + c] += be[c] * ni[c]
    for c in range(C):
        gi[2 * C + c] += ae[C + c] * gxj[c]
    for c in range(C):
        gj[2 * C + c] += ae[c] * gxi[c]


@numba.njit(inline="always")
def _direction_backward(C: int, f: Any, n: Any, g: Any, g_v: Any, u: Any, gf: Any, along: Any) -> None:
    """Messages along u: adds to g_node, fills gf[3C:]; along (2C,) is scratch."""
    (ni, nj), (gi, gj), (vi, vj) = n, g, g_v
    for c in range(C):
        along[c] = u[0] * vi[0, c] + u[1] * vi[1, c] + u[2] * vi[2, c]
    for c in range(C):
        along[C + c] = -(u[0] * vj[0, c] + u[1] * vj[1, c] + u[2] * vj[2, c])
    for c in range(C):
        gf[3 * C + c] = along[c] * nj[3 * C + c] + along[C + c] * ni[3 * C + c]
    for c in range(C):
        gi[3 * C + c] += along[C + c] * f[3 * C + c]
    for c in range(C):
        gj[3 * C + c] += along[c] * f[3 * C + c]


@numba.njit(inline="always")
def _vector_backward(C: int, f: Any, w: Any, g_w: Any, g_v: Any, gf: Any) -> None:
    """Messages of neighbours' vectors: adds to g_w, fills gf[2C:3C]."""
    (wi, wj), (gwi, gwj), (vi, vj) = w, g_w, g_v
    for c in range(C):
        gf[2 * C + c] = vi[0, c] * wj[0, c] + vi[1, c] * wj[1, c] + vi[2, c] * wj[2, c]
    for c in range(C):
        gf[2 * C + c] += vj[0, c] * wi[0, c] + vj[1, c] * wi[1, c] + vj[2, c] * wi[2, c]
    for axis in range(3):
        gwia, gwja, via, vja = gwi[axis], gwj[axis], vi[axis], vj[axis]
        for c in range(C):
            gwia[c] += vja[c] * f[2 * C + c]
        for c in range(C):
            gwja[c] += via[c] * f[2 * C + c]


@numba.njit(inline="always")
def _unit_backward(C: int, f: Any, n: Any, g_v: Any, g_u: Any, product: Any) -> None:
    """Adds to g_u (3,)."""
    (ni, nj), (vi, vj) = n, g_v
    for c in range(C):
        product[c] = nj[3 * C + c] * f[3 * C + c]
        product[C + c] = ni[3 * C + c] * f[3 * C + c]
    for axis in range(3):
        s = np.float32(0)
        via, vja = vi[axis], vj[axis]
        for c in range(C):
            s += via[c] * product[c] - vja[c] * product[C + c]
        g_u[axis] += s


@cache
def backward_kernel(channels: int, heads: int, with_vectors: bool, to_positions: bool, to_table: bool) -> Any:
    """kernel(pairs, table, node, w, g_x, g_v, g_node, g_w, g_d, g_u, g_knots).

    Adds to g_node (N, 4C) always, to g_w (N, 3, C) if `with_vectors`, to g_d (P,) and g_u (P, 3) if
    `to_positions`, to g_knots (K, 2, 4C) if `to_table`; the others are not touched.
    """
    C, H = channels, heads

    @kernel
    def messages(pairs, table, node, w, g_x, g_v, g_node, g_w, g_d, g_u, g_knots):  # type: ignore[no-untyped-def]
        f, gf = np.empty(4 * C, np.float32), np.empty(4 * C, np.float32)
        a, b = np.empty(2 * H, np.float32), np.empty(2 * H, np.float32)
        ae, be = np.empty(2 * C, np.float32), np.empty(2 * C, np.float32)
        qk, gx = np.empty(2 * C, np.float32), np.empty(2 * C, np.float32)
        gf[2 * C : 3 * C] = 0
        for p in range(len(pairs.distance)):
            i, j = pairs.atoms[p, 0], pairs.atoms[p, 1]
            k, weights = locate(table, pairs.distance[p])
            read(table, k, weights, f)
            n, g, v = (node[i], node[j]), (g_node[i], g_node[j]), (g_v[i], g_v[j])
            _scalar_backward(C, H, f, n, g, (g_x[i], g_x[j]), gf, (a, b, ae, be, qk, gx))
            _direction_backward(C, f, n, g, v, pairs.unit[p], gf, qk)
            if with_vectors:
                _vector_backward(C, f, (w[i], w[j]), (g_w[i], g_w[j]), v, gf)
            if to_positions:
                _unit_backward(C, f, n, v, g_u[p], qk)
                read(table, k, slope_weights(table, pairs.distance[p], k), f)
                s = np.float32(0)
                for c in range(4 * C):
                    s += gf[c] * f[c]
                g_d[p] += s
            if to_table:
                read_adjoint(gf, k, weights, g_knots)

    return messages
