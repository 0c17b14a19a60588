"""What a unit looks like: a transformer over its atoms in space, and a graph network without coordinates.

PolyConf's multimodal unit encoder joins a 3D encoder of Uni-Mol type (pair distances as attention bias,
G. Zhou et al., ICLR 2023) with a GIN of the 2D graph (K. Xu et al., ICLR 2019). Here both are small,
and the 3D part also reads the coordinates in the unit's own frame and its torsions: all of it is
invariant under rotations and translations but, other than distances alone, sees handedness.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from polymd.conformations.polyconf.assembly import HEAD, TAIL
from polymd.conformations.polyconf.attention import Block, blocked
from polymd.conformations.polyconf.batch import UnitBatch
from polymd.conformations.polyconf.units import BONDED, FEATURES, PAIR_KINDS

__all__ = ["AtomTransformer", "GraphEncoder", "UnitEncoder", "torsions_of"]

_SCALE = 4.0
"""Å, by which local coordinates are divided."""
_RADII = 16
_FARTHEST = 10.0
_TURNS = 3
"""Harmonics of a torsion."""


def torsions_of(points: Tensor, quads: Tensor) -> Tensor:
    """Torsions (M, T) in rad, IUPAC sign, of points (M, A, 3) and atoms (M, T, 4)."""
    rows = torch.arange(len(points), device=points.device)[:, None]
    a, b, c, d = (points[rows, quads[..., k]] for k in range(4))
    axis = c - b
    left, right = torch.linalg.cross(b - a, axis), torch.linalg.cross(axis, d - c)
    length = axis.norm(dim=-1).clamp_min(1e-6)
    turn = (torch.linalg.cross(left, right) * axis).sum(-1) / length
    return torch.atan2(turn, (left * right).sum(-1))


class AtomTransformer(nn.Module):
    """Features of a unit's atoms from its graph and its local coordinates.

    Attention is biased by Gaussians of the distance, which is first scaled and shifted by the kind of
    pair, and by the kind itself (Uni-Mol, equation 1).
    """

    def __init__(self, width: int, layers: int, heads: int, extra: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.atoms = nn.Linear(FEATURES + 3 + 2 * _TURNS + extra, width)
        self.gain = nn.Embedding(PAIR_KINDS, 1)
        self.shift = nn.Embedding(PAIR_KINDS, 1)
        nn.init.ones_(self.gain.weight)
        nn.init.zeros_(self.shift.weight)
        self.kinds = nn.Embedding(PAIR_KINDS, layers * heads)
        nn.init.normal_(self.kinds.weight, std=0.1)
        self.radial = nn.Linear(_RADII, layers * heads, bias=False)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, units: UnitBatch, local: Tensor, extra: Tensor | None = None) -> Tensor:
        """(M, A, width) of local coordinates (M, A, 3) Å and further features (M, extra) of the unit."""
        given = [units.features, local / _SCALE, _turn_features(units, local)]
        if extra is not None:
            given.append(extra[:, None].expand(-1, local.shape[1], -1))
        x = self.atoms(torch.cat(given, dim=-1))
        distance = torch.cdist(local, local, compute_mode="donot_use_mm_for_euclid_dist")
        scaled = distance * self.gain(units.pairs)[..., 0] + self.shift(units.pairs)[..., 0]
        centres = torch.linspace(0.0, _FARTHEST, _RADII, device=local.device)
        width = _FARTHEST / (_RADII - 1)
        radial = torch.exp(-0.5 * ((scaled[..., None] - centres) / width) ** 2)
        bias = (self.radial(radial) + self.kinds(units.pairs)).permute(0, 3, 1, 2)
        bias = blocked(bias, units.present)
        for k, block in enumerate(self.blocks):
            x = block(x, bias[:, k * self.heads : (k + 1) * self.heads])
        return self.norm(x)  # type: ignore[no-any-return]


def _turn_features(units: UnitBatch, local: Tensor) -> Tensor:
    """Sines and cosines (M, A, 2 _TURNS) of the torsions, at the far atom of each turn."""
    phase = torsions_of(local, units.quads)[..., None] * torch.arange(1, _TURNS + 1, device=local.device)
    waves = torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1) * units.turns[..., None]
    out = local.new_zeros(*local.shape[:2], 2 * _TURNS)
    return out.scatter_add(1, units.quads[..., 2:3].expand(-1, -1, 2 * _TURNS), waves)


class GraphEncoder(nn.Module):
    """GIN with a matrix for each kind of bond: h_i <- h_i + MLP(h_i + sum_kinds W_kind sum_j h_j)."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.atoms = nn.Linear(FEATURES, width)
        self.bonds = nn.ModuleList(nn.Linear(width, len(BONDED) * width, bias=False) for _ in range(layers))
        self.mix = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
            )
            for _ in range(layers)
        )

    def forward(self, units: UnitBatch) -> Tensor:
        """(M, width): mean over the atoms."""
        h = self.atoms(units.features)
        bonded = torch.cat([(units.pairs == kind).to(h.dtype) for kind in BONDED], dim=-1)
        for bonds, mix in zip(self.bonds, self.mix, strict=True):
            sent = torch.cat(bonds(h).chunk(len(BONDED), dim=-1), dim=1)  # (M, kinds A, width)
            h = h + mix(h + bonded @ sent)
        weight = units.present[..., None].to(h.dtype)
        mean: Tensor = (h * weight).sum(1) / weight.sum(1)
        return mean


class UnitEncoder(nn.Module):
    """A token of each unit from its conformation and its graph, and one from its graph alone."""

    def __init__(self, width: int, atom_width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.shape = AtomTransformer(atom_width, layers, heads)
        self.graph = GraphEncoder(atom_width, layers)
        self.pool = nn.Linear(3 * atom_width, width)
        self.condition = nn.Linear(atom_width, width)

    def conditions(self, units: UnitBatch) -> Tensor:
        """(M, width) from the graph."""
        return self.condition(self.graph(units))  # type: ignore[no-any-return]

    def shapes(self, units: UnitBatch, local: Tensor) -> Tensor:
        """(M, width) from local coordinates (M, A, 3): mean of all atoms, head and tail."""
        h = self.shape(units, local)
        weight = units.present[..., None].to(h.dtype)
        rows = torch.arange(len(h), device=h.device)
        ends = [h[rows, units.line[:, k]] for k in (HEAD, TAIL)]
        return self.pool(torch.cat([(h * weight).sum(1) / weight.sum(1), *ends], dim=-1))  # type: ignore[no-any-return]
