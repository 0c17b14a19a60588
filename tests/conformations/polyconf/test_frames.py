from __future__ import annotations

import torch

from polymd.conformations.polyconf.frames import (
    aligning_rotation,
    frame_rotation,
    quaternion_matrix,
    quaternion_of_vector,
    quaternion_product,
    random_quaternions,
    rotation_vector,
)


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def proper(rotation: torch.Tensor) -> bool:
    one = torch.eye(3, dtype=rotation.dtype)
    return torch.allclose(rotation.transpose(-1, -2) @ rotation, one.expand_as(rotation)) and torch.allclose(
        torch.linalg.det(rotation), rotation.new_ones(rotation.shape[:-2])
    )


def test_gram_schmidt_puts_the_points_where_it_says() -> None:
    back, origin, plane = draws(3, 50, 3)
    rotation = frame_rotation(back, origin, plane)
    assert proper(rotation)
    local = ((torch.stack([back, plane]) - origin)[:, :, None] @ rotation)[:, :, 0]
    assert torch.all(local[0, :, 0] < 0)
    assert torch.allclose(local[0, :, 1:], torch.zeros(50, 2, dtype=torch.float64), atol=1e-12)
    assert torch.all(local[1, :, 1] > 0)
    assert torch.allclose(local[1, :, 2], torch.zeros(50, dtype=torch.float64), atol=1e-12)


def test_points_on_a_line_still_give_a_rotation() -> None:
    x = torch.tensor([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [2.0, 2.0, 0.0]], dtype=torch.float64)
    assert proper(frame_rotation(*x))


def test_quaternions_multiply_as_matrices() -> None:
    a, b = (quaternion_of_vector(v) for v in draws(2, 40, 3))
    product = quaternion_matrix(quaternion_product(a, b))
    assert torch.allclose(product, quaternion_matrix(a) @ quaternion_matrix(b), atol=1e-9)


def test_rotation_vectors_come_back() -> None:
    vector = draws(200, 3)
    vector = vector / vector.norm(dim=1, keepdim=True) * torch.linspace(1e-3, 3.14, 200)[:, None]
    assert torch.allclose(rotation_vector(quaternion_of_vector(vector)), vector, atol=1e-5)


def test_alignment_is_the_smallest_turn() -> None:
    a, b = (v / v.norm(dim=1, keepdim=True) for v in draws(2, 40, 3, seed=4))
    rotation = aligning_rotation(a, b)
    assert torch.allclose((rotation @ a[..., None])[..., 0], b, atol=1e-9)
    angle = torch.arccos(((rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1) / 2).clamp(-1, 1))
    assert torch.allclose(torch.cos(angle), (a * b).sum(-1), atol=1e-9)


def test_random_rotations_are_uniform() -> None:
    matrices = quaternion_matrix(random_quaternions((4000,), torch.Generator().manual_seed(1)))
    assert matrices.mean(0).abs().max() < 4.0 / (3 * 4000) ** 0.5
