"""Diffusion on SO(3): the isotropic Gaussian of rotations, its score, and the reverse equation.

The heat kernel of SO(3) at width sigma has, with respect to the uniform measure, the density

    f(w) = sum_l (2 l + 1) exp(-l (l + 1) sigma^2 / 2) sin((l + 1/2) w) / sin(w / 2)

of the angle w in (0, pi) (J. Yim et al., FrameDiff, ICML 2023, proposition 2).
Poisson's summation turns it into images of a Gaussian, exact at every width and stable where f is tiny:

    f(w) = sqrt(2 pi) exp(s / 8) s^(-3/2) / sin(w / 2) sum_k (-1)^k (w + 2 pi k) exp(-(w + 2 pi k)^2 / 2 s),

s = sigma^2. The noise grows as sigma(t) = log(t exp(sigma_max) + (1 - t) exp(sigma_min)), t from 0.01 to 1,
sigma from 0.1 to 1.5 rad as in PolyConf, section 3.3. Rotations are turned in their own frame, R <- R exp(v).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = [
    "EARLIEST",
    "log_density",
    "noise_width",
    "random_turns",
    "score_along",
    "score_size",
    "series_density",
    "squared_rate",
]

LEAST, MOST = 0.1, 1.5
EARLIEST = 0.01
_IMAGES = 3
_GRID = 512
_SMALLEST = 1e-4


def noise_width(time: Tensor) -> Tensor:
    """sigma(t) in rad."""
    return torch.log(time * math.exp(MOST) + (1.0 - time) * math.exp(LEAST))


def squared_rate(time: Tensor) -> Tensor:
    """g(t)^2 = d sigma^2 / dt = 2 sigma (exp(sigma_max) - exp(sigma_min)) exp(-sigma)."""
    width = noise_width(time)
    return 2.0 * width * (math.exp(MOST) - math.exp(LEAST)) * torch.exp(-width)


def log_density(angle: Tensor, width: Tensor) -> Tensor:
    """log f (...) of angles (...) in (0, pi) by images."""
    s = width**2
    total = _images(angle, s)[0]
    constant = 0.5 * math.log(2.0 * math.pi) + s / 8.0 - 1.5 * torch.log(s)
    return constant - 0.5 * angle**2 / s + torch.log(total) - torch.log(torch.sin(0.5 * angle))


def _images(angle: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
    """sum_k (-1)^k (w + 2 pi k) e_k and its derivative in w, e_k = exp(-(2 pi k w + 2 pi^2 k^2) / s)."""
    k = torch.arange(-_IMAGES, _IMAGES + 1, device=angle.device, dtype=angle.dtype)
    sign = 1.0 - 2.0 * (k.abs() % 2)
    s = s[..., None]
    at = angle[..., None] + 2.0 * math.pi * k
    weight = sign * torch.exp(-(2.0 * math.pi * k * angle[..., None] + 2.0 * (math.pi * k) ** 2) / s)
    return (weight * at).sum(-1), (weight * (1.0 - at * 2.0 * math.pi * k / s)).sum(-1)


def score_along(angle: Tensor, width: Tensor) -> Tensor:
    """d log f / dw (...) in 1/rad of angles (...) in [0, pi]: the score's component along the axis."""
    wide, s = angle.double().clamp(_SMALLEST, math.pi - _SMALLEST), width.double() ** 2
    total, slope = _images(wide, s)
    found = -wide / s + slope / total - 0.5 / torch.tan(0.5 * wide)
    near = -angle.double() * (1.0 / s - 1.0 / 12.0)  # first order at small angles
    return torch.where(angle.double() < 0.01, near, found).to(angle)


def series_density(angle: Tensor, width: Tensor, terms: int = 400) -> Tensor:
    """f (...) by its series, for comparison; loses all digits where f is below some 1e-14 of its peak."""
    level = torch.arange(terms, dtype=angle.dtype)
    factor = (2.0 * level + 1.0) * torch.exp(-0.5 * level * (level + 1.0) * width[..., None] ** 2)
    waves = torch.sin((level + 0.5) * angle[..., None]) / torch.sin(0.5 * angle[..., None])
    density: Tensor = (factor * waves).sum(-1)
    return density


def _angle_table(width: Tensor) -> tuple[Tensor, Tensor]:
    """A grid of angles (512,) and the cumulated probability (..., 512) of f (1 - cos w) / pi."""
    grid = (torch.arange(_GRID, dtype=torch.float64) + 0.5) * (math.pi / _GRID)
    log_p = log_density(grid, width.double()[..., None]) + torch.log1p(-torch.cos(grid))
    return grid, torch.cumsum(torch.softmax(log_p, dim=-1), dim=-1)


def random_turns(width: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Rotation vectors (B, count, 3) in rad of noise of `width` (B,)."""
    grid, cumulated = _angle_table(width.cpu())
    drawn = torch.rand(len(width), count, generator=generator, dtype=torch.float64)
    high = torch.searchsorted(cumulated, drawn).clamp(0, _GRID - 1)
    before = torch.gather(torch.nn.functional.pad(cumulated, (1, 0)), 1, high)
    share = (drawn - before) / (torch.gather(cumulated, 1, high) - before).clamp_min(1e-12)
    angle = grid[high] + (share.clamp(0.0, 1.0) - 0.5) * (math.pi / _GRID)
    axis = torch.randn(len(width), count, 3, generator=generator)
    axis = axis / axis.norm(dim=-1, keepdim=True)
    turns: Tensor = (axis * angle[..., None].float()).to(width.device)
    return turns


def score_size(width: Tensor) -> Tensor:
    """Root mean square (B,) of `score_along` under noise of `width` (B,)."""
    grid, cumulated = _angle_table(width.cpu())
    weight = torch.diff(cumulated, dim=-1, prepend=torch.zeros_like(cumulated[..., :1]))
    scores = score_along(grid.expand_as(weight), width.cpu().double()[..., None].expand_as(weight))
    return torch.sqrt((weight * scores**2).sum(-1)).to(width)
