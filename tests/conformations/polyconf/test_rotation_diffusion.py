from __future__ import annotations

import math

import pytest
import torch

from polymd.conformations.polyconf.rotation_diffusion import (
    LEAST,
    MOST,
    log_density,
    noise_width,
    random_turns,
    score_along,
    score_size,
    series_density,
    squared_rate,
)

WIDTHS = [LEAST, 0.35, 0.8, MOST]
ANGLES = torch.linspace(0.02, math.pi - 0.02, 400, dtype=torch.float64)


def wide(width: float) -> torch.Tensor:
    return torch.full_like(ANGLES, width)


@pytest.mark.parametrize("width", WIDTHS)
def test_images_are_the_series(width: float) -> None:
    series = series_density(ANGLES, wide(width))
    peak = float(series.max())
    assert torch.allclose(torch.exp(log_density(ANGLES, wide(width))), series, rtol=1e-9, atol=1e-11 * peak)


@pytest.mark.parametrize("width", WIDTHS)
def test_density_is_normalised(width: float) -> None:
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) * (math.pi / 20_000)
    weight = torch.exp(log_density(grid, torch.full_like(grid, width))) * (1 - torch.cos(grid)) / math.pi
    assert float(weight.mean()) * math.pi == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("width", WIDTHS)
def test_score_is_the_slope(width: float) -> None:
    slope = (log_density(ANGLES + 1e-6, wide(width)) - log_density(ANGLES - 1e-6, wide(width))) / 2e-6
    assert torch.allclose(score_along(ANGLES, wide(width)), slope, rtol=1e-5, atol=1e-4)


def test_score_is_smooth_at_no_turn() -> None:
    angle = torch.tensor([0.0, 0.005, 0.00999, 0.01001], dtype=torch.float64)
    found = score_along(angle, torch.full_like(angle, 0.5)) / angle.clamp_min(1e-9)
    assert found[0] == 0.0
    assert torch.allclose(found[1:], found[1:2].expand(3), rtol=1e-4)


@pytest.mark.parametrize("width", WIDTHS)
def test_turns_follow_the_density(width: float) -> None:
    count = 20_000
    drawn = random_turns(torch.tensor([width]), count, torch.Generator().manual_seed(3))[0].norm(dim=-1)
    grid = (torch.arange(20_000, dtype=torch.float64) + 0.5) * (math.pi / 20_000)
    weight = torch.exp(log_density(grid, torch.full_like(grid, width))) * (1 - torch.cos(grid))
    weight = weight / weight.sum()
    mean, square = float((weight * grid).sum()), float((weight * grid**2).sum())
    assert float(drawn.mean()) == pytest.approx(mean, abs=4 * math.sqrt((square - mean**2) / count))


def test_size_of_the_score() -> None:
    # small turns are Gaussian in three dimensions: |v| / sigma^2 has the root mean square sqrt(3) / sigma
    assert float(score_size(torch.tensor([LEAST]))) == pytest.approx(math.sqrt(3) / LEAST, rel=0.01)


def test_rate_is_the_growth_of_the_variance() -> None:
    t = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    slope = (noise_width(t + 1e-6) ** 2 - noise_width(t - 1e-6) ** 2) / 2e-6
    assert torch.allclose(squared_rate(t), slope, rtol=1e-6)
    assert torch.allclose(noise_width(torch.tensor([0.0, 1.0])), torch.tensor([LEAST, MOST]))
