"""Diffusion of a unit's torsions: the wrapped normal on the circle, turning bonds, the score network.

B. Jing et al., Torsional Diffusion for Molecular Conformer Generation, NeurIPS 2022, which PolyConf uses as
the loss of its masked autoregression (section 3.2). Noise of width sigma added to a torsion has the density

    p(d | sigma) ~ sum_k exp(-(d + 2 pi k)^2 / 2 sigma^2)                        (their equation 5)

and the network learns its score, d log p / d phi, of the noisy torsions given everything else. The noise
grows as sigma(t) = sigma_min^(1 - t) sigma_max^t; torsions are drawn from the reverse equation

    d phi = -g^2 score dt + g dw,   g^2 = d sigma^2 / dt = 2 sigma^2 log(sigma_max / sigma_min).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from polymd.conformations.polyconf.attention import wave_features
from polymd.conformations.polyconf.batch import UnitBatch
from polymd.conformations.polyconf.unit_encoder import AtomTransformer, torsions_of

__all__ = [
    "LEAST",
    "MOST",
    "TorsionDenoiser",
    "random_widths",
    "sample_turns",
    "score_scale",
    "turn",
    "wrapped_score",
]

LEAST, MOST = 0.03, 3.14
"""rad, widths of the noise; at the widest all torsions are as good."""
_IMAGES = 5
_HARMONICS = 4
_WAVES = 8


def wrapped_score(change: Tensor, width: Tensor) -> Tensor:
    """d log p / d phi (...) in 1/rad of noise `change` (...) of `width` (...), both in rad."""
    images = 2.0 * math.pi * torch.arange(-_IMAGES, _IMAGES + 1, device=change.device, dtype=change.dtype)
    apart = torch.remainder(change + math.pi, 2.0 * math.pi)[..., None] - math.pi + images
    weight = torch.softmax(-0.5 * (apart / width[..., None]) ** 2, dim=-1)
    return -(weight * apart).sum(-1) / width**2


def _mean_squared_scores() -> tuple[Tensor, Tensor]:
    """log sigma (128,) and log of the mean of score^2 under p, by sums over 2,000 points of the circle."""
    widths = torch.exp(torch.linspace(math.log(LEAST), math.log(MOST), 128, dtype=torch.float64))
    phi = torch.linspace(-math.pi, math.pi, 2001, dtype=torch.float64)[:-1]
    images = 2.0 * math.pi * torch.arange(-_IMAGES, _IMAGES + 1, dtype=torch.float64)
    log_p = torch.logsumexp(-0.5 * ((phi[:, None] + images)[None] / widths[:, None, None]) ** 2, dim=-1)
    density = torch.softmax(log_p, dim=-1)
    scores = wrapped_score(phi.expand(128, -1), widths[:, None].expand(-1, 2000))
    return torch.log(widths), torch.log((density * scores**2).sum(-1))


_LOG_WIDTHS, _LOG_SCORES = _mean_squared_scores()


def score_scale(width: Tensor) -> Tensor:
    """Root mean square (...) of the score in 1/rad under noise of `width` (...)."""
    step = float(_LOG_WIDTHS[1] - _LOG_WIDTHS[0])
    at = ((torch.log(width).double().cpu() - _LOG_WIDTHS[0]) / step).clamp(0.0, 126.999)
    low = at.floor().long()
    part = at - low
    found = torch.exp(0.5 * ((1.0 - part) * _LOG_SCORES[low] + part * _LOG_SCORES[low + 1]))
    return found.to(width)


def random_widths(count: int, generator: torch.Generator) -> Tensor:
    """Widths (count,) of the noise for training, log-uniform."""
    share = torch.rand(count, generator=generator)
    return LEAST ** (1.0 - share) * MOST**share


def turn(points: Tensor, units: UnitBatch, by: Tensor) -> Tensor:
    """Points (M, A, 3) after bonds were turned `by` (M, T) rad: each torsion changes by exactly that.

    Turns are done one after the other about axes that earlier ones have moved; since what a bond turns is
    all that lies beyond it, no turn changes another torsion.
    """
    rows = torch.arange(len(points), device=points.device)
    for k in range(units.quads.shape[1]):
        near, far = points[rows, units.quads[:, k, 1]], points[rows, units.quads[:, k, 2]]
        axis = (far - near) / (far - near).norm(dim=-1, keepdim=True).clamp_min(1e-9)
        arm = points - far[:, None]
        cosine, sine = torch.cos(by[:, k])[:, None, None], torch.sin(by[:, k])[:, None, None]
        spin = axis[:, None].expand_as(arm)
        along = spin * (spin * arm).sum(-1, keepdim=True)
        turned = far[:, None] + cosine * (arm - along) + sine * torch.linalg.cross(spin, arm) + along
        points = torch.where(units.moving[:, k, :, None], turned, points)
    return points


class TorsionDenoiser(nn.Module):
    """Scores (M, T) of noisy torsions from a unit's atoms, the width of the noise and the latent z.

    Atoms are seen by an `AtomTransformer` whose inputs are joined with z; the score of a bond is a
    Fourier series in its torsion, with coefficients from the four atoms of the torsion, times the root
    mean square score at this width:

        score = c(sigma) [a_0 + sum_k (a_k sin k phi + b_k cos k phi)].
    """

    def __init__(self, width: int, latent: int, layers: int, heads: int) -> None:
        super().__init__()
        self.condition = nn.Sequential(
            nn.Linear(latent + 2 * _WAVES, width), nn.GELU(), nn.Linear(width, width)
        )
        self.atoms = AtomTransformer(width, layers, heads, extra=width)
        self.read = nn.Sequential(
            nn.Linear(5 * width, width), nn.GELU(), nn.Linear(width, 2 * _HARMONICS + 1)
        )

    def forward(self, units: UnitBatch, local: Tensor, latent: Tensor, noise: Tensor) -> Tensor:
        """local (M, A, 3) Å, latent (M, L), noise (M,) rad."""
        waves = wave_features(torch.log(noise), _WAVES, 4.0)
        condition = self.condition(torch.cat([latent, waves], dim=-1))
        h = self.atoms(units, local, condition)
        rows = torch.arange(len(h), device=h.device)[:, None]
        ends = [h[rows, units.quads[..., k]] for k in range(4)]
        told = condition[:, None].expand(-1, units.quads.shape[1], -1)
        series = self.read(torch.cat([*ends, told], dim=-1))
        order = torch.arange(1, _HARMONICS + 1, device=h.device)
        phase = torsions_of(local, units.quads)[..., None] * order
        basis = torch.cat([torch.ones_like(phase[..., :1]), torch.sin(phase), torch.cos(phase)], dim=-1)
        score: Tensor = (series * basis).sum(-1) * score_scale(noise)[:, None]
        return score


def sample_turns(
    score: Callable[[Tensor, Tensor], Tensor],
    points: Tensor,
    units: UnitBatch,
    steps: int,
    generator: torch.Generator,
    frame: Callable[[Tensor], Tensor],
    noise: float = 1.0,
) -> Tensor:
    """Points (M, A, 3) with torsions drawn by the reverse equation in `steps` steps, from uniform ones.

    score(points, width (M,)) gives scores (M, T), `frame` brings points back into the unit's frame. The
    last step adds no noise, the others `noise` times what the equation says. Turns that are `free` stay
    uniform.
    """
    shape = units.turns.shape
    device = points.device
    moved = units.turns.to(points.dtype)
    start = math.pi * (2.0 * torch.rand(shape, generator=generator) - 1.0).to(device)
    points = frame(turn(points, units, start * moved))
    moved = moved * (~units.free).to(points.dtype)
    growth = 2.0 * math.log(MOST / LEAST)
    for k in range(steps):
        width = MOST * (LEAST / MOST) ** (k / steps)
        variance = growth * width**2 / steps
        change = variance * score(points, torch.full((shape[0],), width, device=device))
        if k + 1 < steps:
            change = change + noise * math.sqrt(variance) * torch.randn(shape, generator=generator).to(device)
        points = frame(turn(points, units, change * moved))
    return points
