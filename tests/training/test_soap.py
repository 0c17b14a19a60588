"""SOAP against what its definition promises: rotated problems, AdamW for vectors, exact resume."""

from typing import Any

import torch
from torch import Tensor

from polymd import testing
from polymd.training.soap import ADAM, EVERY, SOAP

STEPS = 15 * EVERY


def descend(weight: Tensor, target: Tensor, scales: Tensor, steps: int, make: Any = SOAP) -> Tensor:
    """Minimises |S (W - T)|^2 for a few steps."""
    w = weight.clone().requires_grad_()
    optimizer = make([w], lr=0.03, weight_decay=0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        ((scales @ (w - target)) ** 2).sum().backward()
        optimizer.step()
    return w.detach()


def problem() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    scales = torch.diag(torch.tensor([10.0, 3.0, 1.0, 0.3], dtype=torch.float64))
    return (*torch.randn(2, 4, 4, dtype=torch.float64), scales)


def test_a_rotated_problem_takes_rotated_steps() -> None:
    weight, target, scales = problem()
    rotation = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    plain = descend(weight, target, scales, STEPS)
    turned = descend(rotation @ weight, rotation @ target, scales @ rotation.T, STEPS)
    torch.testing.assert_close(turned, rotation @ plain, rtol=testing.SOAP_RTOL, atol=testing.SOAP_RTOL)


def test_ahead_of_adam_on_an_ill_conditioned_problem_that_is_turned() -> None:
    weight, target, scales = problem()
    scales = scales @ torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64))[0]
    losses = [
        float(((scales @ (descend(weight, target, scales, STEPS, make) - target)) ** 2).sum())
        for make in (SOAP, torch.optim.AdamW)
    ]
    assert losses[0] < losses[1]


def test_vectors_take_the_step_of_adamw() -> None:
    torch.manual_seed(0)
    target, start = torch.randn(2, 7, dtype=torch.float64)
    ends = []
    for make, more in ((SOAP, {}), (torch.optim.AdamW, {"betas": ADAM})):
        w = start.clone().requires_grad_()
        optimizer = make([w], lr=0.01, weight_decay=0.1, **more)
        for _ in range(STEPS):
            optimizer.zero_grad()
            ((w - target) ** 4).sum().backward()
            optimizer.step()
        ends.append(w.detach())
    torch.testing.assert_close(ends[0], ends[1])


def test_side_by_side_projections_are_separate_matrices() -> None:
    torch.manual_seed(0)
    gradient = torch.randn(8, 4)
    whole, half = torch.zeros(8, 4, requires_grad=True), torch.zeros(4, 4, requires_grad=True)
    for weight, part in ((whole, gradient), (half, gradient[4:])):
        optimizer = SOAP([weight], lr=0.1, weight_decay=0.0)
        for step in range(3):
            weight.grad = part * (1 + step)
            optimizer.step()
    torch.testing.assert_close(whole[4:], half)


def test_state_goes_on_exactly() -> None:
    torch.manual_seed(0)
    gradients = torch.randn(2 * EVERY, 6, 3)
    ends = []
    for pause in (False, True):
        w = torch.ones(6, 3, requires_grad=True)
        optimizer = SOAP([w], lr=0.01, weight_decay=0.01)
        for step, gradient in enumerate(gradients):
            if pause and step == EVERY + 3:
                saved, optimizer = optimizer.state_dict(), SOAP([w], lr=1.0, weight_decay=0.0)
                optimizer.load_state_dict(saved)
            w.grad = gradient
            optimizer.step()
        ends.append(w.detach().clone())
    assert torch.equal(ends[0], ends[1])
