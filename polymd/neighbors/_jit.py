"""The one way this package compiles a kernel: cached on disk, callable from several threads at once.

Numba renews a cached kernel when its own file changes, not when a file changes whose kernels it calls: after
editing `grid.py` delete `polymd/neighbors/__pycache__`.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba  # type: ignore[import-untyped, unused-ignore]

P = ParamSpec("P")
R = TypeVar("R")


def njit(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with Numba: cached between processes, without the interpreter lock."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))
