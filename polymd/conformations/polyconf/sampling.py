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
from polymd.conformations.library import unit_kinds
from polymd.conformations.network import load_network
from polymd.conformations.polyconf import rotation_diffusion as so3
from polymd.conformations.polyconf.assembly import (
    STAR_AFTER,
    frame_units,
    junction_torsions,
    overlap_bonds,
    translations,
)
from polymd.conformations.polyconf.batch import UnitBatch, batch_units
from polymd.conformations.polyconf.frames import (
    quaternion_matrix,
    quaternion_of_vector,
    random_quaternions,
    rotation_vector,
)
from polymd.conformations.polyconf.masked_autoregression import Tokens, reveal_order
from polymd.conformations.polyconf.model import PolyConf, load_polyconf
from polymd.conformations.polyconf.placement import Placement
from polymd.conformations.polyconf.torsion_diffusion import sample_turns
from polymd.conformations.polyconf.units import ChainUnits, chain_units
from polymd.conformations.thermal import thermal_pool
from polymd.conformations.torsions import Encoded

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["Sampling", "sample_chains"]

_UNITS_AT_ONCE = 1500
_POOL = 24
"""Draws of units that excluded volume chooses among, at least; short chains have several of each unit."""
_ROUNDS = 4
_SEED = 2


@dataclass(frozen=True)
class Sampling:
    """How conformations are drawn.

    Attributes
    ----------
    assembly
        "excluded volume": neighbouring units share the whole bond between them, and where atoms come too
        close, draws of other units take the place (`placement`). "bond": nothing keeps atoms apart. "atom":
        nor here, and units share one atom as in the paper, angles at the heads being left to the rotations.
    order
        Of units: "random", or "sequential" from head to tail.
    rotations
        "diffusion", or "uniform": no phase 2; torsions of the junctions are uniform, their angles those of
        the units.
    torsion_steps, rotation_steps
        Of the two reverse diffusions.
    torsion_noise, noise
        Of the reverse equations of torsions and rotations, times the noise that these have: less than 1 draws
        likelier torsions. The paper takes 1 and 0.1.
    """

    assembly: Literal["excluded volume", "bond", "atom"] = "excluded volume"
    order: Literal["random", "sequential"] = "random"
    rotations: Literal["diffusion", "uniform"] = "diffusion"
    torsion_steps: int = 20
    rotation_steps: int = 100
    torsion_noise: float = 1.0
    noise: float = 1.0


def sample_chains(
    polymer: Polymer, n: int, seed: int, options: Sampling | None = None, model: PolyConf | None = None
) -> NDArray[np.float64]:
    """Conformations (n, N, 3) in Å of a linear homopolymer, centred.

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
    templates, kinds = unit_templates(polymer, units)
    placement = None
    if options.assembly == "excluded volume":
        placement = Placement.of(polymer, units, templates, kinds)
    found = np.empty((n, polymer.n_atoms, 3))
    at_once = max(1, _UNITS_AT_ONCE // polymer.n_units)
    for part, first in enumerate(range(0, n, at_once)):
        count = min(at_once, n - first)
        rng = np.random.default_rng([seed, part])
        with torch.no_grad():
            found[first : first + count] = _sample(model, units, templates, placement, count, rng, options)
    found -= found.mean(axis=1, keepdims=True)
    return found


def unit_templates(
    polymer: Polymer, units: ChainUnits
) -> tuple[list[NDArray[np.float32]], NDArray[np.int64]]:
    """Conformers (C, A, 3) Å of each unit, whose lengths, angles and rings are kept, and kinds (U,) of units.

    They are growth's: embedded, at the lengths and angles of its network, vibrating as at 298 K.
    """
    chain = Chain.of(polymer)
    kinds, kind_of, example_of = unit_kinds(chain, polymer.unit_types)
    shown = sorted({u for i in example_of for u in range(max(0, i - 2), i + 1)})
    encoded = Encoded(chain, load_network(), [a for u in shown for a in chain.local(u)])
    pools = [
        thermal_pool(chain, unit, kind, encoded, _SEED).coordinates
        for unit, kind in zip(example_of, kinds, strict=True)
    ]
    templates = []
    for i in range(polymer.n_units):
        local = chain.local(i)
        rows = [local.index(atom) for atom in dict.fromkeys(local)]
        conformers = pools[kind_of[i]][:, rows].astype(np.float32)
        padded = np.zeros((len(conformers), units.present.shape[1], 3), dtype=np.float32)
        padded[:, : len(rows)] = conformers
        templates.append(padded)
    return templates, kind_of


def _sample(
    model: PolyConf,
    units: ChainUnits,
    templates: list[NDArray[np.float32]],
    placement: Placement | None,
    n: int,
    rng: np.random.Generator,
    options: Sampling,
) -> NDArray[np.float64]:
    """Positions (n, N, 3)."""
    batch = batch_units([units] * n)
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    draws = 1 if placement is None else -(-_POOL // batch.shape[1])
    pool, tokens = draw_units(model, batch, templates, placement, draws, rng, generator, options)
    local = pool[0]
    line = batch.chains(local[torch.arange(len(batch))[:, None], batch.line], batch.shape)
    rotations = [draw_rotations(model, tokens, line, generator, options) for _ in range(draws)]
    if placement is None:
        return _join(batch, units, local, line, rotations[0], options)
    torsions = torch.stack(
        [junction_torsions(overlap_bonds(drawn, line), line) for drawn in rotations], dim=-1
    )
    points = batch.chains(pool.transpose(0, 1), batch.shape)
    chains = zip(points.double().numpy(), torsions.double().numpy(), strict=True)
    return np.stack([placement.place(rng, *chain) for chain in chains])


def _join(
    batch: UnitBatch, units: ChainUnits, local: Tensor, line: Tensor, rotation: Tensor, options: Sampling
) -> NDArray[np.float64]:
    """Positions (B, N, 3), in double precision: those of hundreds of units in a row are summed up."""
    line, rotation = line.double(), rotation.double()
    if options.assembly == "bond" or options.rotations == "uniform":
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
    templates: list[NDArray[np.float32]],
    placement: Placement | None,
    draws: int,
    rng: np.random.Generator,
    generator: torch.Generator,
    options: Sampling,
) -> tuple[Tensor, Tokens]:
    """Phase 1: `draws` (D, M, A, 3) of all units, and tokens of the first ones.

    Each step draws some units of every chain. Of several draws the one that comes first, which later units
    are conditioned on, is chosen by its repulsion (`Placement.ordered`); where all draws of a unit clash
    with themselves they are drawn again, `_ROUNDS` times at most.
    """
    n, n_units = shape = batch.shape
    conditions = model.conditions(batch)
    shapes = torch.zeros_like(conditions)
    known = torch.zeros(len(batch), dtype=torch.bool)
    tokens = model.tokens(batch, shapes, conditions, known, shape)
    pool = torch.zeros(draws, *batch.present.shape, 3)
    orders = [reveal_order(n_units, rng, order=options.order) for _ in range(n)]
    for step in zip(*orders, strict=True):
        rows = torch.cat([torch.from_numpy(units) + b * n_units for b, units in enumerate(step)])
        latent, left = batch.rows(model.units(tokens)), rows
        for _ in range(_ROUNDS):
            many = left.repeat(draws)
            drawn = _draw(model, batch.select(many), latent[many], templates, rng, generator, options)
            drawn = drawn.reshape(draws, len(left), *drawn.shape[1:])
            if placement is None:
                pool[:, left] = drawn
                break
            pool[:, left], clashing = placement.ordered(rng, drawn, batch.place[left])
            left = left[clashing]
            if not len(left):
                break
        shapes = shapes.index_copy(0, rows, model.encoder.shapes(batch.select(rows), pool[0, rows]))
        known = known.index_fill(0, rows, True)
        tokens = model.tokens(batch, shapes, conditions, known, shape)
    return pool, tokens


def _draw(
    model: PolyConf,
    some: UnitBatch,
    latent: Tensor,
    templates: list[NDArray[np.float32]],
    rng: np.random.Generator,
    generator: torch.Generator,
    options: Sampling,
) -> Tensor:
    """Units (M, A, 3) with torsions of their diffusion, given their latents (M, width)."""
    chosen = [templates[i][rng.integers(len(templates[i]))] for i in some.place.tolist()]

    def score(points: Tensor, width: Tensor) -> Tensor:
        return model.torsions(some, points, latent, width)  # type: ignore[no-any-return]

    def frame(points: Tensor) -> Tensor:
        return frame_units(points, some.line, some.plane)[0]

    start = frame(torch.from_numpy(np.stack(chosen)))
    return sample_turns(score, start, some, options.torsion_steps, generator, frame, options.torsion_noise)


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
