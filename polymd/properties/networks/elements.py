"""Elements of polymers as categories of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["N_ELEMENTS", "element_categories"]

_NUMBERS = (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 32, 34, 35, 50, 53)
N_ELEMENTS = len(_NUMBERS) + 1  #: the last one stands for all others


def element_categories(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Atomic numbers (A,) as categories (A,), 0 to `N_ELEMENTS` - 1."""
    place = np.searchsorted(_NUMBERS, numbers)
    found: NDArray[np.int64] = np.where(np.isin(numbers, _NUMBERS), place, len(_NUMBERS))
    return found
