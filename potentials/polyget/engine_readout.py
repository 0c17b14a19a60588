"""The engine's readout: atomic energies from the final features, and back to their gradients, block by block.

As `model.Readout`, with both matrices that act on vec side by side, and likewise their gradients. With y_k
the outputs of the first block's scalar network, (s, m) its scalars and gates:

    length = sqrt(|U vec|^2 + 0.01)              g_U vec = g_length / length U vec
    vec'   = m (U' vec)                          g_m = sum over axes of g_vec' U' vec,  g_U' vec = m g_vec'
    SiLU(z) = z sigma(z)                         SiLU'(z) = sigma (1 + z (1 - sigma))
"""

from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.engine_nodes import BLOCK, normalise, normalise_back
from polymd.potentials.polyget.jit import kernel
from polymd.potentials.polyget.lanes import accumulate, load, root, sigmoid, splat, store, total

Array = NDArray[np.float32]


class ReadoutWeights(NamedTuple):
    """Matrices as `inputs @ matrix`, and for the way back as `gradients @ matrix_back`; H = C / 2."""

    vectors: Array  # (C, C + H): U and U'
    vectors_back: Array
    first: Array  # (2C, C)
    first_bias: Array
    first_back: Array
    second: Array  # (C, 2H)
    second_bias: Array
    second_back: Array
    vectors2: Array  # (H, H)
    vectors2_back: Array
    third: Array  # (2H, H)
    third_bias: Array
    third_back: Array
    last: Array  # (H,)
    last_bias: Array  # (1,)


@numba.njit(inline="always")
def _silu(z: Any, zi: Any, n: Any, slope: Any, si: Any) -> Any:
    """SiLU of the lanes at zi, and its derivative to the offset si of `slope`."""
    x = load(z, zi, n)
    sigma = sigmoid(x)
    store(slope, si, sigma * (x * (np.float32(1) - sigma) + np.float32(1)))
    return x * sigma


class _Scratch(NamedTuple):
    """Arrays of one block of at most `size` atoms."""

    inverse: Array  # (size,)
    mixed: Array  # (3 size, C + H): U vec and U' vec, then their gradients
    cat: Array  # (size, 2C): normed x and lengths
    hidden: Array  # (size, C)
    slope: Array  # (size, C)
    out: Array  # (size, 2H): scalars and gates
    slope2: Array  # (size, H)
    gated: Array  # (3 size, H), then its gradient
    mixed2: Array  # (3 size, H), then its gradient
    cat2: Array  # (size, 2H)
    hidden2: Array  # (size, H): last SiLU' (z), the energy's gradient by z


@numba.njit(inline="always")
def _forward(C: Any, H: Any, a: Any, m: Any, x: Any, vec: Any, weights: Any, energies: Any, s: Any) -> None:
    V, small = C + H, np.float32(0.01)
    np.dot(vec[3 * a : 3 * (a + m)], weights.vectors, s.mixed[: 3 * m])
    for i in range(m):
        s.inverse[i] = normalise(C, x, (a + i) * C, s.cat, i * 2 * C)
        length = splat(small, C)
        for r in range(3 * i, 3 * i + 3):
            length = length + load(s.mixed, r * V, C) * load(s.mixed, r * V, C)
        store(s.cat, i * 2 * C + C, root(length))
    np.dot(s.cat[:m], weights.first, s.hidden[:m])
    for i in range(m):
        accumulate(s.hidden, i * C, load(weights.first_bias, 0, C))
        store(s.hidden, i * C, _silu(s.hidden, i * C, C, s.slope, i * C))
    np.dot(s.hidden[:m], weights.second, s.out[:m])
    for i in range(m):
        accumulate(s.out, i * C, load(weights.second_bias, 0, C))
        store(s.cat2, i * C, _silu(s.out, i * C, H, s.slope2, i * H))
        gate = load(s.out, i * C + H, H)
        for r in range(3 * i, 3 * i + 3):
            store(s.gated, r * H, load(s.mixed, r * V + C, H) * gate)
    np.dot(s.gated[: 3 * m], weights.vectors2, s.mixed2[: 3 * m])
    for i in range(m):
        length2 = splat(small, H)
        for r in range(3 * i, 3 * i + 3):
            length2 = length2 + load(s.mixed2, r * H, H) * load(s.mixed2, r * H, H)
        store(s.cat2, i * C + H, root(length2))
    np.dot(s.cat2[:m], weights.third, s.hidden2[:m])
    last = load(weights.last, 0, H)
    for i in range(m):
        accumulate(s.hidden2, i * H, load(weights.third_bias, 0, H))
        energies[a + i] = total(_silu(s.hidden2, i * H, H, s.hidden2, i * H) * last) + weights.last_bias[0]
        store(s.hidden2, i * H, load(s.hidden2, i * H, H) * last)


@numba.njit(inline="always")
def _backward(C: Any, H: Any, a: Any, m: Any, weights: Any, g_x: Any, g_vec: Any, s: Any) -> None:
    V = C + H
    g_first = np.empty((m, 2 * H), np.float32)
    np.dot(s.hidden2[:m], weights.third_back, g_first)
    for i in range(m):
        along = load(g_first, i * C + H, H) / load(s.cat2, i * C + H, H)
        for r in range(3 * i, 3 * i + 3):
            store(s.mixed2, r * H, load(s.mixed2, r * H, H) * along)
    np.dot(s.mixed2[: 3 * m], weights.vectors2_back, s.gated[: 3 * m])
    for i in range(m):
        gate, g_gate = load(s.out, i * C + H, H), splat(np.float32(0), H)
        for r in range(3 * i, 3 * i + 3):
            g_gate = g_gate + load(s.gated, r * H, H) * load(s.mixed, r * V + C, H)
            store(s.mixed, r * V + C, load(s.gated, r * H, H) * gate)
        store(g_first, i * C, load(g_first, i * C, H) * load(s.slope2, i * H, H))
        store(g_first, i * C + H, g_gate)
    np.dot(g_first, weights.second_back, s.hidden[:m])
    for i in range(m):
        store(s.hidden, i * C, load(s.hidden, i * C, C) * load(s.slope, i * C, C))
    g_cat = np.empty((m, 2 * C), np.float32)
    np.dot(s.hidden[:m], weights.first_back, g_cat)
    for i in range(m):
        along = load(g_cat, i * 2 * C + C, C) / load(s.cat, i * 2 * C + C, C)
        for r in range(3 * i, 3 * i + 3):
            store(s.mixed, r * V, load(s.mixed, r * V, C) * along)
        g = normalise_back(C, g_cat, i * 2 * C, s.cat, i * 2 * C, s.inverse[i])
        store(g_x, (a + i) * C, g)
    np.dot(s.mixed[: 3 * m], weights.vectors_back, g_vec[3 * a : 3 * (a + m)])


@cache
def readout(channels: int) -> Any:
    """kernel(begin, end, x, vec, weights, energies, g_x, g_vec): fills the last three."""
    C, H = channels, channels // 2

    @kernel
    def run(begin, end, x, vec, weights, energies, g_x, g_vec):  # type: ignore[no-untyped-def]
        n, f = min(BLOCK, end - begin), np.float32
        s = _Scratch(
            np.empty(n, f), np.empty((3 * n, C + H), f), np.empty((n, 2 * C), f), np.empty((n, C), f),
            np.empty((n, C), f), np.empty((n, 2 * H), f), np.empty((n, H), f), np.empty((3 * n, H), f),
            np.empty((3 * n, H), f), np.empty((n, 2 * H), f), np.empty((n, H), f),
        )  # fmt: skip
        for a in range(begin, end, BLOCK):
            m = min(a + BLOCK, end) - a
            _forward(C, H, a, m, x, vec, weights, energies, s)
            _backward(C, H, a, m, weights, g_x, g_vec, s)

    return run
