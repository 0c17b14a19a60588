from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.graph_features import ATOM_FEATURES, BOND_FEATURES
from polymd.conformations.network import COUPLED, HARMONICS, Network, Sizes


def random_network(seed: int = 0, scale: float = 0.3) -> Network:
    """A small network with random weights, whose densities are far from uniform."""
    rng = np.random.default_rng(seed)
    width, hidden = 12, 10

    def matrix(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * scale).astype(np.float32)

    weights = {"embed.weight": matrix(width, ATOM_FEATURES + 1), "embed.bias": matrix(width)}
    for k in range(2):
        weights |= {
            f"layers.{k}.gain": matrix(width),
            f"layers.{k}.sender.weight": matrix(width, width),
            f"layers.{k}.sender.bias": matrix(width),
            f"layers.{k}.bond.weight": matrix(width, BOND_FEATURES),
            f"layers.{k}.mix.weight": matrix(width, 2 * width),
            f"layers.{k}.mix.bias": matrix(width),
            f"layers.{k}.out.weight": matrix(width, width),
            f"layers.{k}.out.bias": matrix(width),
        }
    heads = {
        "single": (4, hidden, HARMONICS),
        "coupled": (5, hidden, 2 * COUPLED * COUPLED),
        "length": (2, hidden // 2, 2),
        "angle": (3, hidden // 2, 2),
    }
    for name, (places, inner, outputs) in heads.items():
        weights |= {f"{name}.places.{k}.weight": matrix(inner, width) for k in range(places)}
        weights |= {f"{name}.bias": matrix(inner)}
        weights |= {
            f"{name}.out.weight": 0.1 * matrix(outputs, inner),
            f"{name}.out.bias": 0.1 * matrix(outputs),
        }
    return Network(weights, Sizes(width, 2, hidden), {"name": "random"})


@pytest.fixture
def network() -> Network:
    return random_network()
