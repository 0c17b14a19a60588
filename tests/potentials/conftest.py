"""A small molecule with every element PolyGET knows, and random models."""

import numpy as np
import pytest
import torch
from ase import Atoms

from polymd.potentials.polyget.model import Architecture, PolyGET


@pytest.fixture
def molecule() -> Atoms:
    """24 atoms, three of each element, on a distorted grid of 1.6 Å."""
    rng = np.random.default_rng(11)
    grid = np.stack(np.meshgrid(*[np.arange(3) * 1.6] * 3, indexing="ij"), -1).reshape(-1, 3)[:24]
    numbers = rng.permutation(np.repeat([1, 6, 7, 8, 9, 14, 16, 17], 3))
    return Atoms(numbers, grid + rng.normal(scale=0.08, size=grid.shape))


@pytest.fixture
def random_model() -> PolyGET:
    torch.manual_seed(4)
    return PolyGET(Architecture(channels=32, layers=2, heads=4)).requires_grad_(False)
