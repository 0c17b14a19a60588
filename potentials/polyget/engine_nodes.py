"""Node-wise steps of the engine and their derivatives by hand, on arrays over atoms; products are left to
BLAS.

Each `*_backward` takes the gradients of the outputs of its forward twin and gives those of the inputs.
Symbols as in `model.py`; u1, u2, u3 and o1, o2, o3 lie side by side in `u` (N, 3, 3C) and `o` (N, 3C).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.potentials.polyget.jit import kernel

Array = NDArray[np.float32]
EPSILON = 1e-5


def norm_forward(x: Array, weight: Array, bias: Array) -> tuple[Array, Array, Array]:
    """Layer norm of (N, C): output, normalised x, 1 / standard deviation (N, 1)."""
    centred = x - x.mean(axis=1, keepdims=True)
    inverse = 1.0 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + np.float32(EPSILON))
    normed = centred * inverse
    return normed * weight + bias, normed, inverse


def norm_backward(g: Any, weight: Array, normed: Array, inverse: Array) -> Any:
    g = g * weight
    return inverse * (g - g.mean(axis=1, keepdims=True) - normed * (g * normed).mean(axis=1, keepdims=True))


@kernel
def gate_vectors(vec: Array, projected: Array, node: Array, w: Array) -> None:
    """Split the projection (N, 5C) into node (N, 4C) and the gate m (N, C); w = vec m."""
    n, _, c = vec.shape
    for i in range(n):
        node[i] = projected[i, : 4 * c]
        gate = projected[i, 4 * c :]
        for axis in range(3):
            for k in range(c):
                w[i, axis, k] = vec[i, axis, k] * gate[k]


@kernel
def gate_vectors_backward(
    vec: Array, projected: Array, g_node: Array, g_w: Array, g_projected: Array, g_vec: Array
) -> None:
    """Fills g_projected (N, 5C), adds to g_vec (N, 3, C)."""
    n, _, c = vec.shape
    for i in range(n):
        g_projected[i, : 4 * c] = g_node[i]
        gate, g_gate = projected[i, 4 * c :], g_projected[i, 4 * c :]
        g_gate[:] = 0
        for axis in range(3):
            for k in range(c):
                g_gate[k] += g_w[i, axis, k] * vec[i, axis, k]
            for k in range(c):
                g_vec[i, axis, k] += g_w[i, axis, k] * gate[k]


@kernel
def update(x: Array, vec: Array, u: Array, o: Array, message: Array) -> tuple[Array, Array]:
    """x + <u1, u2> o2 + o3,  vec + u3 o1 + V."""
    n, _, c = vec.shape
    x_new, vec_new = np.empty_like(x), np.empty_like(vec)
    for i in range(n):
        for k in range(c):
            dot = u[i, 0, k] * u[i, 0, c + k] + u[i, 1, k] * u[i, 1, c + k] + u[i, 2, k] * u[i, 2, c + k]
            x_new[i, k] = x[i, k] + dot * o[i, c + k] + o[i, 2 * c + k]
        for axis in range(3):
            for k in range(c):
                vec_new[i, axis, k] = vec[i, axis, k] + u[i, axis, 2 * c + k] * o[i, k] + message[i, axis, k]
    return x_new, vec_new


@kernel
def update_backward(u: Array, o: Array, g_x: Array, g_vec: Array) -> tuple[Array, Array]:
    """Gradients of u and o; those of x, vec and V are g_x, g_vec and g_vec."""
    n, _, c = g_vec.shape
    g_u, g_o = np.empty_like(u), np.empty_like(o)
    for i in range(n):
        for k in range(c):
            dot = u[i, 0, k] * u[i, 0, c + k] + u[i, 1, k] * u[i, 1, c + k] + u[i, 2, k] * u[i, 2, c + k]
            g_o[i, k] = (
                g_vec[i, 0, k] * u[i, 0, 2 * c + k]
                + g_vec[i, 1, k] * u[i, 1, 2 * c + k]
                + g_vec[i, 2, k] * u[i, 2, 2 * c + k]
            )
            g_o[i, c + k] = g_x[i, k] * dot
            g_o[i, 2 * c + k] = g_x[i, k]
        for axis in range(3):
            for k in range(c):
                g = g_x[i, k] * o[i, c + k]
                g_u[i, axis, k] = g * u[i, axis, c + k]
                g_u[i, axis, c + k] = g * u[i, axis, k]
                g_u[i, axis, 2 * c + k] = g_vec[i, axis, k] * o[i, k]
    return g_u, g_o


def silu(z: Any) -> tuple[Any, Any]:
    """SiLU and its derivative."""
    s = 1.0 / (1.0 + np.exp(-z))
    return z * s, s * (1.0 + z * (1.0 - s))


def lengths(vec: Any) -> Any:
    """sqrt(|vec|^2 + 0.01), (N, 3, C) -> (N, C)."""
    return np.sqrt(np.einsum("nac,nac->nc", vec, vec) + np.float32(0.01))
