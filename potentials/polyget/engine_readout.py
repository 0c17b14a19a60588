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


@cache
def readout(channels: int) -> Any:
    """kernel(begin, end, x, vec, weights, energies, g_x, g_vec): fills the last three."""
    C, H = channels, channels // 2
    V = C + H
    small = np.float32(0.01)

    @kernel
    def run(begin, end, x, vec, weights, energies, g_x, g_vec):  # type: ignore[no-untyped-def]
        size = min(BLOCK, end - begin)
        f = np.float32
        inverse, mixed = np.empty(size, f), np.empty((3 * size, V), f)
        cat, hidden, slope = np.empty((size, 2 * C), f), np.empty((size, C), f), np.empty((size, C), f)
        out, slope2 = np.empty((size, 2 * H), f), np.empty((size, H), f)
        gated, mixed2 = np.empty((3 * size, H), f), np.empty((3 * size, H), f)
        cat2, hidden2 = np.empty((size, 2 * H), f), np.empty((size, H), f)
        for a in range(begin, end, BLOCK):
            m = min(a + BLOCK, end) - a
            np.dot(vec[3 * a : 3 * (a + m)], weights.vectors, mixed[: 3 * m])
            for i in range(m):
                inverse[i] = normalise(C, x, (a + i) * C, cat, i * 2 * C)
                length = splat(small, C)
                for r in range(3 * i, 3 * i + 3):
                    length = length + load(mixed, r * V, C) * load(mixed, r * V, C)
                store(cat, i * 2 * C + C, root(length))
            np.dot(cat[:m], weights.first, hidden[:m])
            for i in range(m):
                accumulate(hidden, i * C, load(weights.first_bias, 0, C))
                store(hidden, i * C, _silu(hidden, i * C, C, slope, i * C))
            np.dot(hidden[:m], weights.second, out[:m])
            for i in range(m):
                accumulate(out, i * C, load(weights.second_bias, 0, C))
                store(cat2, i * C, _silu(out, i * C, H, slope2, i * H))
                gate = load(out, i * C + H, H)
                for r in range(3 * i, 3 * i + 3):
                    store(gated, r * H, load(mixed, r * V + C, H) * gate)
            np.dot(gated[: 3 * m], weights.vectors2, mixed2[: 3 * m])
            for i in range(m):
                length2 = splat(small, H)
                for r in range(3 * i, 3 * i + 3):
                    length2 = length2 + load(mixed2, r * H, H) * load(mixed2, r * H, H)
                store(cat2, i * C + H, root(length2))
            np.dot(cat2[:m], weights.third, hidden2[:m])
            for i in range(m):
                accumulate(hidden2, i * H, load(weights.third_bias, 0, H))
                value = _silu(hidden2, i * H, H, hidden2, i * H)
                last = load(weights.last, 0, H)
                energies[a + i] = total(value * last) + weights.last_bias[0]
                store(hidden2, i * H, load(hidden2, i * H, H) * last)

            lengths2, g_cat2 = cat2, out  # from here on backwards; out holds the gates until they are read
            g_first = np.empty((m, 2 * H), f)
            np.dot(hidden2[:m], weights.third_back, g_first)
            for i in range(m):
                along = load(g_first, i * C + H, H) / load(lengths2, i * C + H, H)
                for r in range(3 * i, 3 * i + 3):
                    store(mixed2, r * H, load(mixed2, r * H, H) * along)
            np.dot(mixed2[: 3 * m], weights.vectors2_back, gated[: 3 * m])
            for i in range(m):
                gate, g_gate = load(g_cat2, i * C + H, H), splat(f(0), H)
                for r in range(3 * i, 3 * i + 3):
                    g_gate = g_gate + load(gated, r * H, H) * load(mixed, r * V + C, H)
                    store(mixed, r * V + C, load(gated, r * H, H) * gate)
                store(g_first, i * C, load(g_first, i * C, H) * load(slope2, i * H, H))
                store(g_first, i * C + H, g_gate)
            np.dot(g_first, weights.second_back, hidden[:m])
            for i in range(m):
                store(hidden, i * C, load(hidden, i * C, C) * load(slope, i * C, C))
            g_cat = np.empty((m, 2 * C), f)
            np.dot(hidden[:m], weights.first_back, g_cat)
            for i in range(m):
                along = load(g_cat, i * 2 * C + C, C) / load(cat, i * 2 * C + C, C)
                for r in range(3 * i, 3 * i + 3):
                    store(mixed, r * V, load(mixed, r * V, C) * along)
                g = normalise_back(C, g_cat, i * 2 * C, cat, i * 2 * C, inverse[i])
                store(g_x, (a + i) * C, g)
            np.dot(mixed[: 3 * m], weights.vectors_back, g_vec[3 * a : 3 * (a + m)])

    return run
