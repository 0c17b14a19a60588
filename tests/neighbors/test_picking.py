import numpy as np
import pytest

from polymd.neighbors._jit import njit
from polymd.neighbors.picking import LANES, pick_close


@njit
def pick(x, begin, end, origin, shift, cutoff2, label, ranks, labels, found):  # type: ignore[no-untyped-def]
    return pick_close(x, begin, end, origin, shift, cutoff2, label, ranks, labels, found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("begin", "end"), [(0, 16), (3, 12), (5, 100), (24, 24)])
@pytest.mark.parametrize("cutoff", [0.1, 1.0, 9.0])
def test_is_what_its_docstring_says(dtype: type, begin: int, end: int, cutoff: float) -> None:
    x = np.random.default_rng(0).uniform(-1.0, 1.0, (3, 24 + LANES)).astype(dtype)
    origin, shift, cutoff2 = x[:, 7] + dtype(0.5), dtype([-0.5, 0.1, 0.0]), dtype(cutoff**2)
    distances = (((x - origin[:, None]) + shift[:, None]) ** 2).sum(axis=0)
    expected = [r for r in range(begin, begin + LANES) if r < end and distances[r] < cutoff2]
    ranks, labels = np.full((2, 40), 99, np.uint32)
    found = pick(x, begin, end, tuple(origin), tuple(shift), cutoff2, 6, ranks, labels, 5)
    assert ranks[5:found].tolist() == expected
    assert (labels[5:found] == 6).all()
    assert (ranks[:5] == 99).all()
    assert (ranks[5 + LANES :] == 99).all()
