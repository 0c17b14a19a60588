"""Properties of polymers from their repeat units."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from polymd.properties.prediction import predict

__all__ = ["predict"]


def __getattr__(name: str) -> object:
    """Import `predict` on first use (PEP 562)."""
    if name != "predict":
        raise AttributeError(f"module 'polymd.properties' has no attribute {name!r}; it has predict")
    from polymd.properties.prediction import predict

    globals()[name] = predict
    return predict
