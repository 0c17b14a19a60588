"""What PolyConf minimises: the score of torsions in phase 1, rotations in phase 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from polymd.conformations.polyconf import rotation_diffusion as so3
from polymd.conformations.polyconf import torsion_diffusion as torus
from polymd.conformations.polyconf.assembly import STAR_AFTER, frame_units, translations
from polymd.conformations.polyconf.batch import UnitBatch
from polymd.conformations.polyconf.frames import quaternion_matrix, quaternion_of_vector, rotation_vector
from polymd.conformations.polyconf.masked_autoregression import masked_shares
from polymd.conformations.polyconf.model import PolyConf

__all__ = ["Conformations", "rotation_loss", "unit_loss"]

_DROPPED = 0.1
"""Of chains, whose condition is left out in training."""
_DRAWS = 2
"""Of noise for each latent."""
_NEAR = 6.0  # Å
_LATE = 0.25
_DISTANCE = 0.25


@dataclass(frozen=True)
class Conformations:
    """One conformation of each of B chains."""

    units: UnitBatch
    local: Tensor  # (M, A, 3) Å, in the units' frames
    rotation: Tensor  # (M, 3, 3)
    foreign: Tensor  # (B,) 1 where another force field made it

    def to(self, device: torch.device) -> Conformations:
        """On a device."""
        rest = (value.to(device) for value in (self.local, self.rotation, self.foreign))
        return Conformations(self.units.to(device), *rest)


def unit_loss(model: PolyConf, batch: Conformations, seed: tuple[int, ...], most: int = 96) -> Tensor:
    """Phase 1: mean of ((score network - score) / root mean square score)^2 over noisy torsions.

    Some units of each chain are masked, and `most` masked units at most, drawn at random, are noised twice
    each (PolyConf, equation 8, with the loss of torsional diffusion, equation 4).
    """
    units, device = batch.units, batch.local.device
    rng = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    shape = units.shape
    known = _known_units(units, shape, rng).to(device)
    kept = (torch.rand(shape[0], generator=generator) >= _DROPPED).float().to(device)
    conditions = model.conditions(units, batch.foreign) * kept[units.chain, None]
    tokens = model.tokens(units, model.shapes(units, batch.local, known), conditions, known, shape)
    latent = units.rows(model.units(tokens))
    learned = (units.turns & ~units.free).any(1)
    rows = (~known & learned).nonzero()[:, 0].cpu()
    rows = rows[torch.randperm(len(rows), generator=generator)[:most]].repeat(_DRAWS).to(device)
    if not len(rows):
        nothing: Tensor = 0.0 * latent.sum()
        return nothing
    some = units.select(rows)
    noise = torus.random_widths(len(rows), generator).to(device)
    change = noise[:, None] * torch.randn(some.turns.shape, generator=generator).to(device)
    noisy = torus.turn(batch.local[rows], some, change * some.turns)
    noisy = frame_units(noisy, some.line, some.plane)[0]
    predicted = model.torsions(some, noisy, latent[rows], noise)
    wanted = torus.wrapped_score(change, noise[:, None].expand_as(change))
    miss = ((predicted - wanted) / torus.score_scale(noise)[:, None]) ** 2
    weight = (some.turns & ~some.free).to(miss.dtype)
    loss: Tensor = (miss * weight).sum() / weight.sum()
    return loss


def _known_units(units: UnitBatch, shape: tuple[int, int], rng: np.random.Generator) -> Tensor:
    """Which units (M,) are shown."""
    sizes = torch.bincount(units.chain, minlength=shape[0]).tolist()
    known = []
    for size, share in zip(sizes, masked_shares(len(sizes), rng), strict=True):
        shown = np.zeros(size, dtype=np.bool_)
        shown[rng.permutation(size)[: size - int(np.ceil(share * size))]] = True
        known.append(shown)
    return torch.from_numpy(np.concatenate(known))


def rotation_loss(model: PolyConf, batch: Conformations, seed: tuple[int, ...]) -> Tensor:
    """Phase 2: mean of (|score network - score| / root mean square score)^2, and distances; encoders frozen.

    Rotations R are noised to R exp(v), v of `so3.random_turns`; the network gives exp(-v), whose score is
    compared as a vector with that of v. The paper (section 3.3) compares axis and angle one by one, which
    is not least for the mean score where several rotations are likely. As there, distances of line atoms
    under 6 Å count a quarter, in Å^2, before t = 0.25.
    """
    units, device = batch.units, batch.local.device
    generator = torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**62)))
    shape = units.shape
    with torch.no_grad():
        conditions = model.conditions(units, batch.foreign)
        known = torch.ones(len(units), dtype=torch.bool, device=device)
        shapes = model.shapes(units, batch.local, known)
        tokens = model.tokens(units, shapes, conditions, known, shape)
        latent = model.units.encode(tokens)[0][:, : shape[1]]
    rows = torch.arange(len(units), device=device)[:, None]
    line = units.chains(batch.local[rows, units.line], shape)
    rotation = units.chains(batch.rotation, shape)
    rotation = torch.where(tokens.present[..., None, None], rotation, torch.eye(3, device=device))
    time = so3.EARLIEST + (1.0 - so3.EARLIEST) * torch.rand(shape[0], generator=generator)
    width = so3.noise_width(time)
    noise = so3.random_turns(width, shape[1], generator).to(device)
    noisy = rotation @ quaternion_matrix(quaternion_of_vector(noise))
    turned = model.rotations(latent, line, noisy, width.to(device), tokens.present)
    back = rotation_vector(turned)
    spread = width.to(device)[:, None].expand(shape)
    miss = _score(-back, spread) - _score(noise, spread)
    scaled = (miss**2).sum(-1) / so3.score_size(width).to(device)[:, None] ** 2
    present = tokens.present.to(scaled.dtype)
    total = (scaled * present).sum() / present.sum()
    late = (time < _LATE).to(device)
    if bool(late.any()):
        apart = _distance_loss(line, rotation, noisy @ quaternion_matrix(turned), tokens.present)
        total = total + _DISTANCE * (apart * late).sum() / len(late)
    return total


def _score(vector: Tensor, width: Tensor) -> Tensor:
    """Scores (B, U, 3) of noise by rotation vectors (B, U, 3) of `width` (B, U)."""
    angle = torch.sqrt((vector**2).sum(-1) + 1e-8)
    return (so3.score_along(angle, width) / angle)[..., None] * vector


def _distance_loss(line: Tensor, wanted: Tensor, found: Tensor, present: Tensor) -> Tensor:
    """Mean squared difference (B,) of distances between line atoms of different units, under 6 Å in truth."""
    distances = []
    for rotation in (wanted, found):
        origin = translations(line[:, :, STAR_AFTER], rotation)
        x = (line @ rotation.transpose(-1, -2) + origin[:, :, None]).flatten(1, 2)
        squared = ((x[:, :, None] - x[:, None]) ** 2).sum(-1)
        distances.append(torch.sqrt(squared + 1e-4))
    unit = torch.arange(line.shape[1], device=line.device).repeat_interleave(line.shape[2])
    there = present.repeat_interleave(line.shape[2], dim=1)
    near = (distances[0] < _NEAR) & (unit[:, None] != unit) & there[:, :, None] & there[:, None]
    miss = functional.huber_loss(distances[1], distances[0], reduction="none", delta=3.0) * near
    return miss.sum((1, 2)) / near.sum((1, 2)).clamp_min(1)
