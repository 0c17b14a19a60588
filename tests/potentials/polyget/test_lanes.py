"""Vectors of lanes against numpy."""

import numba
import numpy as np
import pytest
from numba.core.errors import TypingError

from polymd.potentials.polyget.lanes import (
    accumulate,
    clamp,
    fold,
    halves,
    join,
    load,
    root,
    sigmoid,
    splat,
    spread,
    store,
    total,
)

N = 12


@numba.njit
def arithmetic(a, b, out):  # type: ignore[no-untyped-def]
    x, y = load(a, 0, N), load(b, 0, N)
    store(out, 0, (x + y) * np.float32(2) - x / y)
    store(out, N, np.float32(1) - clamp(x, np.float32(-0.5), np.float32(0.5)))
    store(out, 2 * N, root(y))
    store(out, 3 * N, sigmoid(x * np.float32(5)))
    accumulate(out, 3 * N, splat(np.float32(3), N))


@numba.njit
def movement(a, out, folded):  # type: ignore[no-untyped-def]
    x = load(a, 0, N)
    first, second = halves(x)
    store(out, 0, join(second, first))
    store(folded, 0, fold(x, 6))
    store(folded, 2, fold(x, 4))
    store(out, N, spread(fold(x, 3), 3))
    return total(x)


def numbers() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=N).astype(np.float32), rng.uniform(0.5, 2, N).astype(np.float32)


def test_arithmetic() -> None:
    a, b = numbers()
    out = np.zeros((4, N), np.float32)
    arithmetic(a, b, out)
    expected = [(a + b) * 2 - a / b, 1 - np.clip(a, -0.5, 0.5), np.sqrt(b), 3 + 1 / (1 + np.exp(-5 * a))]
    np.testing.assert_allclose(out, expected, rtol=2e-6, atol=1e-6)


def test_movement() -> None:
    a, _ = numbers()
    out, folded = np.zeros((2, N), np.float32), np.zeros(5, np.float32)
    assert movement(a, out, folded) == pytest.approx(float(a.sum()), abs=1e-5)
    np.testing.assert_array_equal(out[0], np.roll(a, N // 2))
    np.testing.assert_allclose(out[1], np.repeat(a.reshape(-1, 3).sum(axis=1), 3), atol=1e-6)
    expected = np.concatenate([a.reshape(2, 6).sum(axis=1), a.reshape(3, 4).sum(axis=1)])
    np.testing.assert_allclose(folded, expected, atol=1e-6)


def test_other_arrays_are_refused() -> None:
    @numba.njit
    def read(a):  # type: ignore[no-untyped-def]
        return total(load(a, 0, 4))

    for array in (np.zeros(8), np.zeros((4, 4), np.float32)[:, ::2]):
        with pytest.raises(TypingError, match="C-contiguous"):
            read(array)
