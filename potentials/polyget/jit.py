"""The one way PolyGET's kernels are compiled: fast mathematics, no interpreter lock, cached on disk.

Numba renews a cached kernel only when its own file changes: after an edit of something that kernels of
other files take in (`hermite.py`, a NamedTuple), delete `__pycache__`.
"""

from collections.abc import Callable
from typing import Any, cast

import numba


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function over float32 arrays."""
    return cast(
        Callable[..., Any],
        numba.njit(fastmath=True, nogil=True, error_model="numpy", cache=True)(function),
    )
