"""Phase 2's network: where units were turned before noise turned them, by invariant point attention.

PolyConf, section 3.3: blocks of invariant point attention (J. Jumper et al., AlphaFold 2, 2021, supplementary
algorithm 22) and a sequence transformer, conditioned on the MAR encoder's output, update the rotations
R_i <- R_i q_i (algorithm 23). Translations are no degrees of freedom: in every block they follow from the
rotations (`assembly.translations`), where the paper diffuses them and then throws them away.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.conformations.polyconf.assembly import STAR_AFTER, TAIL, junction_torsions, relative, translations
from polymd.conformations.polyconf.attention import Block, PlaceBias, blocked, wave_features
from polymd.conformations.polyconf.frames import quaternion_matrix, quaternion_product

__all__ = ["PointAttention", "RotationNetwork"]

_SCALE = 4.0  # Å
_POINTS = 4
_WAVES = 8
_TURNS = 3
_JUNCTION = 6 + 2 * _TURNS
_GEOMETRY = 9 * 6 + 2 + 2 * _JUNCTION


class PointAttention(nn.Module):
    """Attention of units by their features and by points that they place in space; rotation-invariant.

    logits_ij = [q_i.k_j / sqrt(c) - g_h w / 2 sum_p |T_i q_ip - T_j k_jp|^2] / sqrt(3) + b_ij,

    w = sqrt(2 / 9 P), T x = R x + t.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.points = nn.Linear(width, 3 * heads * _POINTS * 3)
        self.reach = nn.Parameter(torch.full((heads,), -1.0))
        self.out = nn.Linear(width + heads * _POINTS * 4, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, s: Tensor, rotation: Tensor, origin: Tensor, bias: Tensor) -> Tensor:
        """s (B, U, width), rotations (B, U, 3, 3), origins (B, U, 3) in units of 4 Å, bias (B, H, U, U)."""
        b, n, width = s.shape
        x = self.norm(s)
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        local = self.points(x).reshape(b, n, -1, 3)
        placed = local @ rotation.transpose(-1, -2) + origin[:, :, None]
        qp, kp, vp = placed.reshape(b, n, 3, self.heads, _POINTS * 3).permute(2, 0, 3, 1, 4)
        apart = (
            (qp**2).sum(-1)[..., :, None] + (kp**2).sum(-1)[..., None, :] - 2.0 * qp @ kp.transpose(-1, -2)
        )
        reach = functional.softplus(self.reach)[:, None, None] * (2.0 / (9.0 * _POINTS)) ** 0.5
        logits = (q @ k.transpose(-1, -2)) * self.size**-0.5 - 0.5 * reach * apart
        weight = torch.softmax(3.0**-0.5 * logits + bias, dim=-1)
        seen = (weight @ v).transpose(1, 2).reshape(b, n, width)
        heard = (weight @ vp).transpose(1, 2).reshape(b, n, self.heads * _POINTS, 3)
        heard = (heard - origin[:, :, None]) @ rotation
        length = torch.sqrt((heard**2).sum(-1) + 1e-8)
        return self.out(torch.cat([seen, heard.flatten(2), length], dim=-1))  # type: ignore[no-any-return]


class RotationNetwork(nn.Module):
    """Turns (B, U, 4), quaternions q in the units' own frames, so that R q is what R was without noise."""

    def __init__(self, width: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.latent = nn.Linear(width, width)
        self.time = nn.Sequential(nn.Linear(2 * _WAVES, width), nn.GELU(), nn.Linear(width, width))
        self.bias = PlaceBias(heads)
        self.geometry = nn.ModuleList(
            nn.Sequential(nn.Linear(_GEOMETRY, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        self.attention = nn.ModuleList(PointAttention(width, heads) for _ in range(blocks))
        self.sequence = nn.ModuleList(Block(width, heads) for _ in range(blocks))
        self.update = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 3))
            for _ in range(blocks)
        )

    def forward(
        self, latent: Tensor, line: Tensor, rotation: Tensor, noise: Tensor, present: Tensor
    ) -> Tensor:
        """MAR encoder's output (B, U, width), lines (B, U, 6, 3) Å, rotations, widths (B,), which units."""
        s = self.latent(latent) + self.time(wave_features(torch.log(noise), _WAVES, 4.0))[:, None]
        places = torch.arange(s.shape[1], device=s.device)
        bias = blocked(self.bias(places)[None].expand(len(s), -1, -1, -1), present)
        turned = rotation.new_tensor([1.0, 0.0, 0.0, 0.0]).expand(*rotation.shape[:2], 4)
        for geometry, attention, sequence, update in zip(
            self.geometry, self.attention, self.sequence, self.update, strict=True
        ):
            now = (rotation @ quaternion_matrix(turned)).detach()
            origin = translations(line[:, :, STAR_AFTER], now)
            seen = torch.cat(
                [_surroundings(line, now, origin, present), _junctions(line, now, present)], dim=-1
            )
            s = s + geometry(seen)
            s = s + attention(s, now, origin / _SCALE, bias)
            s = sequence(s, bias)
            step = functional.pad(update(s), (1, 0), value=1.0)
            turned = quaternion_product(turned, functional.normalize(step, dim=-1))
        return turned


def _surroundings(line: Tensor, rotation: Tensor, origin: Tensor, present: Tensor) -> Tensor:
    """Lines (B, U, 56) of a unit, and of those beside it in its frame, and whether these exist."""
    placed = line @ rotation.transpose(-1, -2) + origin[:, :, None]
    parts = [line]
    there = []
    for shift in (1, -1):
        other = torch.roll(placed, shift, dims=1)
        sound = torch.roll(present, shift, dims=1) & present
        sound = sound.clone()
        sound[:, 0 if shift == 1 else -1] = False
        seen = (other - origin[:, :, None]) @ rotation
        parts.append(seen * sound[..., None, None])
        there.append(sound[..., None].to(line.dtype))
    return torch.cat([*(part.flatten(2) / _SCALE for part in parts), *there], dim=-1)


def _junctions(line: Tensor, rotation: Tensor, present: Tensor) -> Tensor:
    """How the junctions of each unit, to the one before and to the one after, are bent and turned (B, U, 24).

    The bond to a unit is that of the unit before it and its own x axis: both in one frame, which are
    the same where bonds overlap, and the torsion about it.
    """
    steps = relative(rotation)
    bond = functional.normalize(line[..., :-1, STAR_AFTER, :] - line[..., :-1, TAIL, :], dim=-1)
    axis = steps[..., :, 0]
    torsion = junction_torsions(rotation, line)
    phase = torsion[..., None] * torch.arange(1, _TURNS + 1, device=line.device)
    turned = torch.cat([torch.sin(phase), torch.cos(phase)], dim=-1)
    there = (present[:, 1:] & present[:, :-1])[..., None]
    after = torch.cat([torch.linalg.cross(bond, axis), axis, turned], dim=-1) * there
    back = (steps.transpose(-1, -2) @ bond[..., None])[..., 0]
    before = torch.cat([back, torch.zeros_like(back), turned], dim=-1) * there
    return torch.cat([functional.pad(before, (0, 0, 1, 0)), functional.pad(after, (0, 0, 0, 1))], dim=-1)
