"""Frames of units and rotations: Gram-Schmidt, quaternions, rotation vectors.

A rotation R (3, 3) has the axes of a frame as its columns, so that x = R p + t for a point p of the frame.
Quaternions are (w, x, y, z) of norm 1.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = [
    "aligning_rotation",
    "frame_rotation",
    "quaternion_matrix",
    "quaternion_of_vector",
    "quaternion_product",
    "random_quaternions",
    "rotation_vector",
]

_TINY = 1e-12


def frame_rotation(back: Tensor, origin: Tensor, plane: Tensor) -> Tensor:
    """Rotations (..., 3, 3) of frames by Gram-Schmidt from three points (..., 3) each.

    `back` lies on the negative x axis and `plane` in the xy plane with positive y:

        e1 = (o - b) / |o - b|,   e2 = (p - o - e1 e1.(p - o)) / |...|,   e3 = e1 x e2.

    Of three points on a line, some e2 normal to e1 is taken.
    """
    first = _unit(origin - back)
    ahead = plane - origin
    side = ahead - first * (first * ahead).sum(-1, keepdim=True)
    flat = side.norm(dim=-1, keepdim=True) < 1e-4
    least = torch.nn.functional.one_hot(first.abs().argmin(-1), 3).to(first.dtype)
    spare = least - first * (first * least).sum(-1, keepdim=True)
    second = _unit(torch.where(flat, spare, side))
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def _unit(vector: Tensor) -> Tensor:
    unit: Tensor = vector / vector.norm(dim=-1, keepdim=True).clamp_min(_TINY)
    return unit


def quaternion_product(a: Tensor, b: Tensor) -> Tensor:
    """Quaternions (..., 4) of the rotation a after b."""
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    scalar = aw * bw - (av * bv).sum(-1, keepdim=True)
    vector = aw * bv + bw * av + torch.linalg.cross(av, bv)
    return torch.cat([scalar, vector], dim=-1)


def quaternion_matrix(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of quaternions (..., 4)."""
    w, x, y, z = q.unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, dim=-1).reshape(*q.shape[:-1], 3, 3)


def quaternion_of_vector(vector: Tensor) -> Tensor:
    """Quaternions (..., 4) of rotation vectors (..., 3): axis times angle in rad."""
    half = 0.5 * vector
    squared = (half * half).sum(-1, keepdim=True)
    angle = torch.sqrt(squared + _TINY)
    return torch.cat([torch.cos(angle), torch.sin(angle) / angle * half], dim=-1)


def rotation_vector(q: Tensor) -> Tensor:
    """Rotation vectors (..., 3), angle 0 to pi, of quaternions (..., 4)."""
    q = torch.where(q[..., :1] < 0, -q, q)
    sine = torch.sqrt((q[..., 1:] ** 2).sum(-1, keepdim=True) + _TINY)
    return 2.0 * torch.atan2(sine, q[..., :1]) / sine * q[..., 1:]


def aligning_rotation(a: Tensor, b: Tensor) -> Tensor:
    """The smallest rotations (..., 3, 3) that turn the unit vectors a (..., 3) onto b; b != -a."""
    q = torch.cat([1.0 + (a * b).sum(-1, keepdim=True), torch.linalg.cross(a, b)], dim=-1)
    return quaternion_matrix(_unit(q))


def random_quaternions(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform rotations (*shape, 4), from normal numbers (K. Shoemake, Graphics Gems III, 1992)."""
    return _unit(torch.randn(*shape, 4, generator=generator))
