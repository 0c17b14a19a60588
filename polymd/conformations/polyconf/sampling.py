"""Conformations from PolyConf: units in random order, rotations of all units at once, assembly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polymd.conformations.chain import Chain
from polymd.conformations.clashes import clash_count
from polymd.conformations.library import unit_kinds
from polymd.conformations.polyconf import rotation_diffusion as so3
from polymd.conformations.polyconf.assembly import STAR_AFTER, frame_units, overlap_bonds, translations
from polymd.conformations.polyconf.batch import UnitBatch, batch_units
from polymd.conformations.polyconf.frames import (
    quaternion_matrix,
    quaternion_of_vector,
    random_quaternions,
    rotation_vector,
)
from polymd.conformations.polyconf.masked_autoregression import Tokens, reveal_order
from polymd.conformations.polyconf.model import PolyConf, load_polyconf
from polymd.conformations.polyconf.torsion_diffusion import sample_turns
from polymd.conformations.polyconf.units import ChainUnits, chain_units

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["Sampling", "sample_chains"]

_UNITS_AT_ONCE = 1500


@dataclass(frozen=True)
class Sampling:
    """How conformations are drawn.

    Attributes
    ----------
    order
        Of units: "random", or "sequential" from head to tail.
    rotations
        "diffusion", or "uniform": no phase 2; torsions of the junctions are uniform, their angles those of
        the units.
    overlap
        What neighbouring units share: "bond", the whole bond between them (`assembly.overlap_bonds`), or
        "atom", one atom as in the paper, angles at the heads being left to the rotations.
    torsion_steps, rotation_steps
        Of the two reverse diffusions.
    torsion_noise, noise
        Of the reverse equations of torsions and rotations, times the noise that these have: less than 1 draws
        likelier torsions. The paper takes 1 and 0.1.
    attempts
        Draws of the rotations for the same units, of which the one with the fewest clashes is kept. The paper
        takes the first.
    """

    order: Literal["random", "sequential"] = "random"
    rotations: Literal["diffusion", "uniform"] = "diffusion"
    overlap: Literal["bond", "atom"] = "bond"
    torsion_steps: int = 20
    rotation_steps: int = 100
    torsion_noise: float = 0.5
    noise: float = 0.5
    attempts: int = 1


def sample_chains(
    polymer: Polymer, n: int, seed: int, options: Sampling | None = None, model: PolyConf | None = None
) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a linear homopolymer, centred. Nothing keeps chains from themselves.

    Raises
    ------
    ValueError
        A ring or a copolymer, or no weights.
    ConformationError
        A unit cannot be embedded.
    """
    options = options or Sampling()
    units = chain_units(polymer)
    model = model or load_polyconf()
    templates = unit_templates(polymer, units)
    found = np.empty((n, polymer.n_atoms, 3))
    at_once = max(1, _UNITS_AT_ONCE // polymer.n_units)
    for part, first in enumerate(range(0, n, at_once)):
        count = min(at_once, n - first)
        rng = np.random.default_rng([seed, part])
        with torch.no_grad():
            found[first : first + count] = _sample(polymer, model, units, templates, count, rng, options)
    found -= found.mean(axis=1, keepdims=True)
    return found


def unit_templates(polymer: Polymer, units: ChainUnits) -> list[NDArray[np.float32]]:
    """Embedded conformers (C, A, 3) of each unit, whose lengths, angles and rings are kept."""
    chain = Chain.of(polymer)
    kinds, kind_of, _ = unit_kinds(chain, polymer.unit_types)
    templates = []
    for i in range(polymer.n_units):
        local = chain.local(i)
        rows = [local.index(atom) for atom in dict.fromkeys(local)]
        conformers = kinds[kind_of[i]].coordinates[:, rows].astype(np.float32)
        padded = np.zeros((len(conformers), units.present.shape[1], 3), dtype=np.float32)
        padded[:, : len(rows)] = conformers
        templates.append(padded)
    return templates


def _sample(
    polymer: Polymer,
    model: PolyConf,
    units: ChainUnits,
    templates: list[NDArray[np.float32]],
    n: int,
    rng: np.random.Generator,
    options: Sampling,
) -> NDArray[np.float64]:
    """Positions (n, N, 3)."""
    batch = batch_units([units] * n)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    chosen = [templates[i][rng.integers(len(templates[i]))] for i in batch.place.tolist()]
    start = frame_units(torch.from_numpy(np.stack(chosen)), batch.line, batch.plane)[0]
    local, tokens = draw_units(model, batch, start, rng, generator, options)
    line = batch.chains(local[torch.arange(len(batch))[:, None], batch.line], batch.shape)
    found = _join(batch, units, local, line, draw_rotations(model, tokens, line, generator, options), options)
    for _ in range(options.attempts - 1):
        again = _join(
            batch, units, local, line, draw_rotations(model, tokens, line, generator, options), options
        )
        better = [
            clash_count(polymer, y) < clash_count(polymer, x) for x, y in zip(found, again, strict=True)
        ]
        found[better] = again[better]
    return found


def _join(
    batch: UnitBatch, units: ChainUnits, local: Tensor, line: Tensor, rotation: Tensor, options: Sampling
) -> NDArray[np.float64]:
    """Positions (B, N, 3), in double precision: those of hundreds of units in a row are summed up."""
    line, rotation = line.double(), rotation.double()
    if options.overlap == "bond" or options.rotations == "uniform":
        rotation = overlap_bonds(rotation, line)
    origin = batch.rows(translations(line[:, :, STAR_AFTER], rotation))
    points = local.double() @ batch.rows(rotation).transpose(-1, -2) + origin[:, None]
    placed = points.reshape(len(line), *units.own.shape, 3).numpy()
    positions = np.empty((len(line), int(units.atoms[units.own].max()) + 1, 3))
    positions[:, units.atoms[units.own]] = placed[:, units.own]
    return positions


def draw_units(
    model: PolyConf,
    batch: UnitBatch,
    local: Tensor,
    rng: np.random.Generator,
    generator: torch.Generator,
    options: Sampling,
) -> tuple[Tensor, Tokens]:
    """Phase 1: local coordinates (M, A, 3) and tokens of all units; each step draws some of every chain."""
    n, n_units = shape = batch.shape
    conditions = model.conditions(batch)
    shapes = torch.zeros_like(conditions)
    known = torch.zeros(len(batch), dtype=torch.bool)
    tokens = model.tokens(batch, shapes, conditions, known, shape)
    orders = [reveal_order(n_units, rng, order=options.order) for _ in range(n)]
    for step in zip(*orders, strict=True):
        rows = torch.cat([torch.from_numpy(units) + b * n_units for b, units in enumerate(step)])
        some, latent = batch.select(rows), batch.rows(model.units(tokens))[rows]

        def score(points: Tensor, width: Tensor, some: UnitBatch = some, latent: Tensor = latent) -> Tensor:
            return model.torsions(some, points, latent, width)  # type: ignore[no-any-return]

        def frame(points: Tensor, some: UnitBatch = some) -> Tensor:
            return frame_units(points, some.line, some.plane)[0]

        drawn = sample_turns(
            score, local[rows], some, options.torsion_steps, generator, frame, options.torsion_noise
        )
        local = local.index_copy(0, rows, drawn)
        shapes = shapes.index_copy(0, rows, model.encoder.shapes(some, drawn))
        known = known.index_fill(0, rows, True)
        tokens = model.tokens(batch, shapes, conditions, known, shape)
    return local, tokens


def draw_rotations(
    model: PolyConf, tokens: Tokens, line: Tensor, generator: torch.Generator, options: Sampling
) -> Tensor:
    """Phase 2: rotations (B, U, 3, 3) of units from the reverse equation on SO(3).

    R(t - dt) = R(t) exp(g^2 dt score + noise g sqrt(dt) z); the last step takes what the network says.
    """
    shape = (line.shape[0], line.shape[1])
    rotation = quaternion_matrix(random_quaternions(shape, generator))
    if options.rotations == "uniform" or shape[1] == 1:
        return rotation
    latent = model.units.encode(tokens)[0][:, : shape[1]]
    times = torch.linspace(1.0, so3.EARLIEST, options.rotation_steps + 1)
    for k, (now, then) in enumerate(pairwise(times)):
        width = so3.noise_width(now).expand(shape[0])
        turned = model.rotations(latent, line, rotation, width, tokens.present)
        if k + 1 == options.rotation_steps:
            rotation = rotation @ quaternion_matrix(turned)
            break
        back = rotation_vector(turned)
        angle = back.norm(dim=-1, keepdim=True).clamp_min(1e-8)
        variance = so3.squared_rate(now) * (now - then)
        size = so3.score_along(angle, width[:, None, None].expand_as(angle))
        change = -variance * size * back / angle
        change = change + options.noise * torch.sqrt(variance) * torch.randn(*shape, 3, generator=generator)
        rotation = rotation @ quaternion_matrix(quaternion_of_vector(change))
    return rotation
