from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from polymd import Polymer
from polymd.conformations.polyconf.batch import UnitBatch, batch_units
from polymd.conformations.polyconf.torsion_diffusion import LEAST, MOST, score_scale, turn, wrapped_score
from polymd.conformations.polyconf.unit_encoder import torsions_of
from polymd.conformations.polyconf.units import chain_units


def points_of(polymer: Polymer, positions: np.ndarray) -> tuple[torch.Tensor, UnitBatch]:
    units = chain_units(polymer)
    return torch.from_numpy(positions[0][units.atoms]), batch_units([units])


def test_turns_change_torsions_by_exactly_as_much(polymer: Polymer, positions: np.ndarray) -> None:
    points, units = points_of(polymer, positions)
    by = 3.0 * torch.randn(units.turns.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    change = torsions_of(turn(points, units, by), units.quads) - torsions_of(points, units.quads) - by
    assert torch.abs(torch.sin(0.5 * change) * units.turns).max() < 1e-9


def test_turns_keep_bonds_and_angles(polymer: Polymer, positions: np.ndarray) -> None:
    points, units = points_of(polymer, positions)
    by = torch.full(units.turns.shape, 1.3, dtype=torch.float64)
    apart = torch.cdist(turn(points, units, by), turn(points, units, by)) - torch.cdist(points, points)
    rigid = (units.pairs > 0) & (units.pairs < 7)  # bonded, or two bonds apart
    assert (apart * rigid).abs().max() < 1e-7


@pytest.mark.parametrize("width", [LEAST, 0.3, 1.0, MOST])
def test_score_is_the_slope_of_the_wrapped_density(width: float) -> None:
    phi = torch.linspace(-3.1, 3.1, 41, dtype=torch.float64)
    images = 2 * math.pi * torch.arange(-20, 21, dtype=torch.float64)

    def log_density(x: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(-0.5 * ((x[:, None] + images) / width) ** 2, dim=1)

    slope = (log_density(phi + 1e-5) - log_density(phi - 1e-5)) / 2e-5
    found = wrapped_score(phi + 2 * math.pi, torch.full_like(phi, width))
    assert torch.allclose(found, slope, rtol=1e-5, atol=1e-5)


def test_scale_of_narrow_noise_is_that_of_a_gaussian() -> None:
    width = torch.tensor([0.03, 0.1, 0.3])
    assert torch.allclose(score_scale(width) * width, torch.ones(3), rtol=1e-3)
