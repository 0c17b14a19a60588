"""Threads of the fast engine."""

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from polymd import Polymer
from polymd.potentials.backends import NumbaBackend


def blas_threads() -> list[int]:
    """Threads of numpy's BLAS; other libraries may bring one of their own."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return [pool["num_threads"] for pool in pools if "numpy" in pool["filepath"]]


def test_matrix_products_keep_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    polymer = Polymer("*CC*", 1)
    backend = NumbaBackend(polymer.atomic_numbers, "polyget")
    before, compute, during = blas_threads(), backend.engine._compute, []

    def watched(*arguments: Any) -> Any:
        during.extend(blas_threads())
        return compute(*arguments)

    monkeypatch.setattr(backend.engine, "_compute", watched)
    positions = 1.5 * np.indices((2, 2, 2)).reshape(3, 8).T
    backend.evaluate(positions.astype(np.float64), np.zeros((3, 3)), np.zeros(3, dtype=bool))
    assert during
    assert set(during) == {1}
    assert blas_threads() == before
