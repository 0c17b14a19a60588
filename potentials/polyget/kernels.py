"""Numba kernels of PolyGET's sums over neighbours, on a half list of pairs (each pair i < j once).

Both directions of a pair share their radial filters, read from a cubic Hermite table (`RadialFilters.table`):

    f(d) = h00 T[k, 0] + h10 T[k, 1] + h01 T[k+1, 0] + h11 T[k+1, 1],   k = floor(d / spacing)

and no array over pairs and channels is ever made. `node` holds [q, k, x, v] of each atom side by side, and
the equations are those of `model.py`. The backward kernel is their derivative by hand; with g = dE/d(.),
for i <- j:

    b     = sum over the head of g_X,i x_j f_x,   g_a = b SiLU'(a)
    g_q,i = g_a k_j f_k     g_k,j = g_a q_i f_k    g_f_k = g_a q_i k_j
    g_x,j = a g_X,i f_x                            g_f_x = a g_X,i x_j
    g_w,j = g_V,i f_1                              g_f_1 = <g_V,i, w_j>
    g_v,j = <g_V,i, u> f_2                         g_f_2 = <g_V,i, u> v_j
    g_u   = sum over channels of g_V,i v_j f_2     g_d   = sum over channels of g_f f'(d)

Kernels are made for a number of channels and heads, as constants let LLVM unroll and vectorise.
"""

from functools import cache
from typing import Any

import numba
import numpy as np


@numba.njit(inline="always")
def hermite(d: float, inverse_spacing: float, last: int) -> tuple[int, float, float, float, float]:
    """Knot below d and the four Hermite weights."""
    t = d * inverse_spacing
    k = min(int(t), last)
    t -= k
    t2 = t * t
    return k, (1 + 2 * t) * (1 - t) * (1 - t), t * (1 - t) * (1 - t), t2 * (3 - 2 * t), t2 * (t - 1)


@numba.njit(inline="always")
def hermite_slope(d: float, inverse_spacing: float, k: int) -> tuple[float, float, float, float]:
    """The four weights' derivatives by d."""
    t = d * inverse_spacing - k
    s = inverse_spacing
    a = 6 * t * (t - 1) * s
    return a, (3 * t - 1) * (t - 1) * s, -a, t * (3 * t - 2) * s


@numba.njit(inline="always")
def sigmoid(z: Any) -> Any:
    """1 / (1 + exp(-z)) = (1 + tanh(z / 2)) / 2, tanh as a rational function (float32 accurate,
    vectorises).
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


@cache
def forward_kernel(channels: int, heads: int, with_vectors: bool) -> Any:
    """kernel(pairs, distance, unit, table, inverse_spacing, node, w, out_x, out_v): adds the messages to
    out.
    """
    C, H, D = channels, heads, channels // heads

    @numba.njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
    def kernel(pairs, distance, unit, table, inverse_spacing, node, w, out_x, out_v):  # type: ignore[no-untyped-def]
        f = np.empty(4 * C, np.float32)
        a = np.empty(2 * H, np.float32)
        a_ij = np.empty(C, np.float32)
        a_ji = np.empty(C, np.float32)
        for p in range(pairs.shape[0]):
            i, j = pairs[p, 0], pairs[p, 1]
            k, h0, h1, h2, h3 = hermite(distance[p], inverse_spacing, table.shape[0] - 2)
            t0, t1, t2, t3 = table[k, 0], table[k, 1], table[k + 1, 0], table[k + 1, 1]
            for c in range(4 * C):
                f[c] = (
                    np.float32(h0) * t0[c]
                    + np.float32(h1) * t1[c]
                    + np.float32(h2) * t2[c]
                    + np.float32(h3) * t3[c]
                )
            ni, nj = node[i], node[j]
            for c in range(C):
                a_ij[c] = ni[c] * nj[C + c] * f[c]
                a_ji[c] = nj[c] * ni[C + c] * f[c]
            for h in range(H):
                s, r = np.float32(0), np.float32(0)
                for c in range(h * D, h * D + D):
                    s += a_ij[c]
                    r += a_ji[c]
                a[h], a[H + h] = s, r
            for h in range(2 * H):
                a[h] *= sigmoid(a[h])
            for h in range(H):
                for c in range(h * D, h * D + D):
                    a_ij[c] = a[h] * f[C + c]
                    a_ji[c] = a[H + h] * f[C + c]
            xi, xj = out_x[i], out_x[j]
            for c in range(C):
                xi[c] += a_ij[c] * nj[2 * C + c]
            for c in range(C):
                xj[c] += a_ji[c] * ni[2 * C + c]
            for c in range(C):
                a_ij[c] = nj[3 * C + c] * f[3 * C + c]
                a_ji[c] = ni[3 * C + c] * f[3 * C + c]
            for axis in range(3):
                ux = unit[p, axis]
                vi, vj = out_v[i, axis], out_v[j, axis]
                if with_vectors:
                    wi, wj = w[i, axis], w[j, axis]
                    for c in range(C):
                        vi[c] += ux * a_ij[c] + wj[c] * f[2 * C + c]
                    for c in range(C):
                        vj[c] += wi[c] * f[2 * C + c] - ux * a_ji[c]
                else:
                    for c in range(C):
                        vi[c] += ux * a_ij[c]
                    for c in range(C):
                        vj[c] -= ux * a_ji[c]

    return kernel


@cache
def backward_kernel(channels: int, heads: int, with_vectors: bool, to_positions: bool, to_table: bool) -> Any:
    """kernel(pairs, distance, unit, table, inverse_spacing, node, w, g_x, g_v, g_node, g_w, g_d, g_u,
    g_table).

    Adds to g_node and g_w always, to g_d (P,) and g_u (P, 3) if `to_positions`, to g_table if `to_table`.
    """
    C, H, D = channels, heads, channels // heads

    @numba.njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
    def kernel(  # type: ignore[no-untyped-def]
        pairs, distance, unit, table, inverse_spacing, node, w, g_x, g_v, g_node, g_w, g_d, g_u, g_table
    ):
        one = np.float32(1)
        f = np.empty(4 * C, np.float32)
        gf = np.empty(4 * C, np.float32)
        a, b = np.empty(2 * H, np.float32), np.empty(2 * H, np.float32)
        ae, be = np.empty(2 * C, np.float32), np.empty(2 * C, np.float32)
        qk, gx = np.empty(2 * C, np.float32), np.empty(2 * C, np.float32)
        along_i = np.empty(C, np.float32)
        along_j = np.empty(C, np.float32)
        for p in range(pairs.shape[0]):
            i, j = pairs[p, 0], pairs[p, 1]
            k, h0, h1, h2, h3 = hermite(distance[p], inverse_spacing, table.shape[0] - 2)
            t0, t1, t2, t3 = table[k, 0], table[k, 1], table[k + 1, 0], table[k + 1, 1]
            for c in range(4 * C):
                f[c] = (
                    np.float32(h0) * t0[c]
                    + np.float32(h1) * t1[c]
                    + np.float32(h2) * t2[c]
                    + np.float32(h3) * t3[c]
                )
            ni, nj, gi, gj, gxi, gxj = node[i], node[j], g_node[i], g_node[j], g_x[i], g_x[j]
            for c in range(C):
                qk[c] = ni[c] * nj[C + c]
                qk[C + c] = nj[c] * ni[C + c]
                gx[c] = gxi[c] * nj[2 * C + c]
                gx[C + c] = gxj[c] * ni[2 * C + c]
            for h in range(H):
                s, r, bs, br = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
                for c in range(h * D, h * D + D):
                    s += qk[c] * f[c]
                    r += qk[C + c] * f[c]
                    bs += gx[c] * f[C + c]
                    br += gx[C + c] * f[C + c]
                a[h], a[H + h], b[h], b[H + h] = s, r, bs, br
            for h in range(2 * H):
                sigma = sigmoid(a[h])
                b[h] *= sigma * (one + a[h] * (one - sigma))
                a[h] *= sigma
            for h in range(2 * H):
                for c in range(h * D, h * D + D):
                    ae[c] = a[h]
                    be[c] = b[h]
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
            vi, vj = g_v[i], g_v[j]
            ux, uy, uz = unit[p, 0], unit[p, 1], unit[p, 2]
            for c in range(C):
                along_i[c] = ux * vi[0, c] + uy * vi[1, c] + uz * vi[2, c]
            for c in range(C):
                along_j[c] = -(ux * vj[0, c] + uy * vj[1, c] + uz * vj[2, c])
            for c in range(C):
                gf[3 * C + c] = along_i[c] * nj[3 * C + c] + along_j[c] * ni[3 * C + c]
            for c in range(C):
                gi[3 * C + c] += along_j[c] * f[3 * C + c]
            for c in range(C):
                gj[3 * C + c] += along_i[c] * f[3 * C + c]
            if with_vectors:
                wi, wj, gwi, gwj = w[i], w[j], g_w[i], g_w[j]
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
            else:
                for c in range(C):
                    gf[2 * C + c] = np.float32(0)
            if to_positions:
                e0, e1, e2, e3 = hermite_slope(distance[p], inverse_spacing, k)
                s = np.float32(0)
                for c in range(4 * C):
                    s += gf[c] * (
                        np.float32(e0) * t0[c]
                        + np.float32(e1) * t1[c]
                        + np.float32(e2) * t2[c]
                        + np.float32(e3) * t3[c]
                    )
                g_d[p] += s
                for c in range(C):
                    along_i[c] = nj[3 * C + c] * f[3 * C + c]
                    along_j[c] = ni[3 * C + c] * f[3 * C + c]
                for axis in range(3):
                    s = np.float32(0)
                    via, vja = vi[axis], vj[axis]
                    for c in range(C):
                        s += via[c] * along_i[c] - vja[c] * along_j[c]
                    g_u[p, axis] += s
            if to_table:
                for m in range(2):
                    for n in range(2):
                        weight = np.float32((h0 if n == 0 else h1) if m == 0 else (h2 if n == 0 else h3))
                        row = g_table[k + m, n]
                        for c in range(4 * C):
                            row[c] += weight * gf[c]

    return kernel


@numba.njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def gather_forward(pairs, distance, table, inverse_spacing, value, out):  # type: ignore[no-untyped-def]
    """out_i += sum_j value_j f(d_ij); value and out (N, C)."""
    for p in range(pairs.shape[0]):
        i, j = pairs[p, 0], pairs[p, 1]
        k, h0, h1, h2, h3 = hermite(distance[p], inverse_spacing, table.shape[0] - 2)
        a0, a1, a2, a3 = np.float32(h0), np.float32(h1), np.float32(h2), np.float32(h3)
        t0, t1, t2, t3 = table[k, 0], table[k, 1], table[k + 1, 0], table[k + 1, 1]
        for c in range(value.shape[1]):
            f = a0 * t0[c] + a1 * t1[c] + a2 * t2[c] + a3 * t3[c]
            out[i, c] += value[j, c] * f
            out[j, c] += value[i, c] * f


@numba.njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
def gather_backward(  # type: ignore[no-untyped-def]
    pairs, distance, table, inverse_spacing, value, g_out, g_value, g_d, g_table, to_positions, to_table
):
    """Derivative of `gather_forward`: adds to g_value, and to g_d (P,) and g_table where asked for."""
    for p in range(pairs.shape[0]):
        i, j = pairs[p, 0], pairs[p, 1]
        k, h0, h1, h2, h3 = hermite(distance[p], inverse_spacing, table.shape[0] - 2)
        a0, a1, a2, a3 = np.float32(h0), np.float32(h1), np.float32(h2), np.float32(h3)
        t0, t1, t2, t3 = table[k, 0], table[k, 1], table[k + 1, 0], table[k + 1, 1]
        for c in range(value.shape[1]):
            f = a0 * t0[c] + a1 * t1[c] + a2 * t2[c] + a3 * t3[c]
            g_value[j, c] += g_out[i, c] * f
            g_value[i, c] += g_out[j, c] * f
        if to_positions:
            e0, e1, e2, e3 = hermite_slope(distance[p], inverse_spacing, k)
            a0, a1, a2, a3 = np.float32(e0), np.float32(e1), np.float32(e2), np.float32(e3)
            total = np.float32(0)
            for c in range(value.shape[1]):
                slope = a0 * t0[c] + a1 * t1[c] + a2 * t2[c] + a3 * t3[c]
                total += (g_out[i, c] * value[j, c] + g_out[j, c] * value[i, c]) * slope
            g_d[p] += total
        if to_table:
            a0, a1, a2, a3 = np.float32(h0), np.float32(h1), np.float32(h2), np.float32(h3)
            g0, g1, g2, g3 = g_table[k, 0], g_table[k, 1], g_table[k + 1, 0], g_table[k + 1, 1]
            for c in range(value.shape[1]):
                g = g_out[i, c] * value[j, c] + g_out[j, c] * value[i, c]
                g0[c] += a0 * g
                g1[c] += a1 * g
                g2[c] += a2 * g
                g3[c] += a3 * g


@cache
def forward_chunks(channels: int, heads: int, with_vectors: bool) -> Any:
    """`forward_kernel` on chunks of pairs in parallel; chunk t of bounds (T + 1,) adds to out_x[t] and
    out_v[t].
    """
    kernel = forward_kernel(channels, heads, with_vectors)

    @numba.njit(parallel=True, nogil=True, error_model="numpy", cache=True)
    def chunks(bounds, pairs, distance, unit, table, inverse_spacing, node, w, out_x, out_v):  # type: ignore[no-untyped-def]
        for t in numba.prange(len(bounds) - 1):
            a, b = bounds[t], bounds[t + 1]
            kernel(pairs[a:b], distance[a:b], unit[a:b], table, inverse_spacing, node, w, out_x[t], out_v[t])

    return chunks


@cache
def backward_chunks(channels: int, heads: int, with_vectors: bool) -> Any:
    """`backward_kernel` to positions on chunks of pairs in parallel; chunk t adds to g_node[t] and g_w[t]."""
    kernel = backward_kernel(channels, heads, with_vectors, True, False)
    no_table = np.zeros((1, 1, 1), np.float32)

    @numba.njit(parallel=True, nogil=True, error_model="numpy", cache=True)
    def chunks(  # type: ignore[no-untyped-def]
        bounds,
        pairs,
        distance,
        unit,
        table,
        inverse_spacing,
        node,
        w,
        g_x,
        g_v,
        g_node,
        g_w,
        g_d,
        g_u,
        g_table,
    ):
        for t in numba.prange(len(bounds) - 1):
            a, b = bounds[t], bounds[t + 1]
            kernel(
                pairs[a:b], distance[a:b], unit[a:b], table, inverse_spacing, node, w, g_x, g_v,
                g_node[t], g_w[t], g_d[a:b], g_u[a:b], g_table,
            )  # fmt: skip

    def run(*arguments: Any) -> None:
        chunks(*arguments, no_table)  # type: ignore[call-arg]

    return run
