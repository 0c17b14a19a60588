from __future__ import annotations

import numpy as np
import pytest
import torch

from polymd import Polymer
from polymd.conformations.etkdg import embed
from polymd.conformations.polyconf.model import PolyConf, Sizes

SMALL = Sizes(width=32, atom_width=16, layers=1, atom_layers=1, blocks=2, heads=4)


@pytest.fixture(scope="session")
def model() -> PolyConf:
    """A small model with random weights, far from the zeros that some layers start with."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        made = PolyConf(SMALL)
        for weight in made.parameters():
            weight.data += 0.05 * torch.randn_like(weight)
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="session")
def polymer() -> Polymer:
    """Styrene, whose atactic units differ in handedness, with an end group."""
    return Polymer("*CC(*)c1ccccc1", 5, end_groups=("[H]", "*OC"), seed=2)


@pytest.fixture(scope="session")
def positions(polymer: Polymer) -> np.ndarray:
    """Two conformations (2, N, 3)."""
    return embed(polymer.to_rdkit(), 2, seed=1)
