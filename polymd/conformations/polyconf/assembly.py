"""A chain as units in frames of their own, and back.

PolyConf, section 3: unit i has local coordinates p, a rotation R_i and a translation t_i, and its atoms
lie at x = R_i p + t_i. A unit carries copies of the backbone atoms before and after it ("stars"); its
origin is its first backbone atom (head). Translations follow from the overlap of the star after a unit
with the head of the next one,

    t_(i+1) = t_i + R_i s_i,   s_i: star after unit i, in its frame,

and star copies are dropped. Points of a unit's `line` (6): star before, head, atom after the head; atom
before the tail, tail, star after.
"""

from __future__ import annotations

import torch
from torch import Tensor

from polymd.conformations.polyconf.frames import aligning_rotation, frame_rotation

__all__ = [
    "HEAD",
    "STAR_AFTER",
    "STAR_BEFORE",
    "TAIL",
    "compose",
    "frame_units",
    "junction_torsions",
    "overlap_bonds",
    "relative",
    "translations",
]

STAR_BEFORE, HEAD, TAIL, STAR_AFTER = 0, 1, 4, 5
"""Columns of `line`."""


def frame_units(points: Tensor, line: Tensor, plane: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Bring units into their frames.

    Parameters
    ----------
    points
        (M, A, 3) Å, any orientation.
    line, plane
        (M, 6) and (M,), local indices: the line, and the atom that fixes the xy plane.

    Returns
    -------
    (M, A, 3), (M, 3, 3), (M, 3)
        Local coordinates, rotations and translations: points = R local + t.
    """
    rows = torch.arange(len(points), device=points.device)
    back, origin, side = (points[rows, k] for k in (line[:, STAR_BEFORE], line[:, HEAD], plane))
    rotation = frame_rotation(back, origin, side)
    local = (points - origin[:, None]) @ rotation
    return local, rotation, origin


def translations(star: Tensor, rotation: Tensor) -> Tensor:
    """Translations (..., U, 3) of units of rotations (..., U, 3, 3) and stars after them (..., U, 3)."""
    steps = (rotation @ star[..., None])[..., 0]
    return torch.cumsum(steps, dim=-2) - steps


def relative(rotation: Tensor) -> Tensor:
    """Rotations (..., U - 1, 3, 3) of each unit in the frame of the one before it."""
    return rotation[..., :-1, :, :].transpose(-1, -2) @ rotation[..., 1:, :, :]


def compose(first: Tensor, steps: Tensor) -> Tensor:
    """Rotations (..., U, 3, 3) from the first (..., 3, 3) and those of `relative`."""
    found = [first]
    for k in range(steps.shape[-3]):
        found.append(found[-1] @ steps[..., k, :, :])
    return torch.stack(found, dim=-3)


def overlap_bonds(rotation: Tensor, line: Tensor) -> Tensor:
    """Rotations (..., U, 3, 3) so that neighbouring units share the whole bond between them.

    With translations alone one atom overlaps, and the angle at the head is what the rotations make of it.
    Here each unit is turned relative to the one before it, as little as possible, until the star before
    it lies on that unit's tail: along its x axis. Only the torsion of the junction is left as it was.

    Parameters
    ----------
    rotation
        (..., U, 3, 3).
    line
        (..., U, 6, 3) Å, local coordinates of the line.
    """
    steps = relative(rotation)
    bond = line[..., :-1, STAR_AFTER, :] - line[..., :-1, TAIL, :]
    bond = bond / bond.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    turned = aligning_rotation(steps[..., :, 0], bond) @ steps
    return compose(rotation[..., 0, :, :], turned)


def junction_torsions(rotation: Tensor, line: Tensor) -> Tensor:
    """Torsions (..., U - 1) in rad about the bonds between neighbouring units, IUPAC sign.

    Of the atom before the tail, the tail, the next unit's head and the atom after it; rotations
    (..., U, 3, 3), lines (..., U, 6, 3) Å. The atom after the head is looked at along the tail's bond, also
    where rotations do not put the head's own bond there.
    """
    bond = line[..., :-1, STAR_AFTER, :] - line[..., :-1, TAIL, :]
    bond = bond / bond.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    behind = line[..., :-1, TAIL, :] - line[..., :-1, TAIL - 1, :]
    ahead = (relative(rotation) @ (line[..., 1:, HEAD + 1, :] - line[..., 1:, HEAD, :])[..., None])[..., 0]
    left, right = torch.linalg.cross(behind, bond), torch.linalg.cross(bond, ahead)
    return torch.atan2((torch.linalg.cross(left, right) * bond).sum(-1), (left * right).sum(-1) + 1e-9)
