"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (arXiv:2409.11321, Algorithm 3).

For a weight matrix with gradient G (m, n), momentum M and, in the rotated basis, second moment V:

    L <- b L + (1 - b) G G^T,    R <- b R + (1 - b) G^T G            Q_L, Q_R: their eigenvectors
    M <- b M + (1 - b) G,        V <- b V + (1 - b) (Q_L^T G Q_R)^2
    W <- W - rate [Q_L (Q_L^T M Q_R / sqrt(V)) Q_R^T + decay W]

The eigenvectors are renewed every `EVERY` steps by one power iteration and a QR decomposition. Everything
that is not a matrix (biases, norms) takes AdamW's step, which is the same with Q = 1.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

BETA = 0.95  #: b, of every moving average of matrices
ADAM = (0.9, 0.99)  #: moving averages of what is not a matrix
EVERY = 10  #: steps between two renewals of the eigenvectors
TINY = 1e-8


class SOAP(torch.optim.Optimizer):
    """SOAP for matrices, AdamW for the rest.

    A matrix (k C, C) with k > 1 is taken as k matrices (C, C), one for each of the projections that it
    holds side by side. Decay is decoupled, as in AdamW.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, weight_decay: float) -> None:
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                state["step"] = state.get("step", torch.zeros(())) + 1
                rule = _soap if weight.ndim == 2 else _adam
                update = rule(weight.grad, state, int(state["step"]))
                if update is not None:
                    weight.mul_(1.0 - group["lr"] * group["weight_decay"]).sub_(group["lr"] * update)
        return loss


def _adam(gradient: Tensor, state: dict[str, Any], step: int) -> Tensor:
    if step == 1:
        state["m"], state["v"] = torch.zeros_like(gradient), torch.zeros_like(gradient)
    first, second = ADAM
    state["m"].lerp_(gradient, 1 - first)
    state["v"].lerp_(gradient * gradient, 1 - second)
    variance = state["v"] / (1 - second**step)
    mean: Tensor = state["m"] / (1 - first**step)
    update: Tensor = mean / (variance.sqrt() + TINY)
    return update


def _soap(gradient: Tensor, state: dict[str, Any], step: int) -> Tensor | None:
    """The update (m, n); None in the first step, which only sets up the eigenbasis."""
    g = _blocks(gradient)
    left, right = g @ g.mT, g.mT @ g
    if step == 1:
        state["m"], state["v"] = torch.zeros_like(g), torch.zeros_like(g)
        state["left"], state["right"] = (1 - BETA) * left, (1 - BETA) * right
        state["q_left"], state["q_right"] = torch.linalg.eigh(left)[1], torch.linalg.eigh(right)[1]
        return None
    q_left, q_right = state["q_left"], state["q_right"]
    rotated = q_left.mT @ g @ q_right
    state["m"].lerp_(g, 1 - BETA)
    state["v"].lerp_(rotated * rotated, 1 - BETA)
    correction = 1 - BETA ** (step - 1)
    scale = (state["v"] / correction).sqrt() + TINY
    # |M| <= sqrt(V) in a fixed basis; just after a renewal V can be nothing where M is not
    ratio = (q_left.mT @ state["m"] @ q_right / correction / scale).clamp(-1.0, 1.0)
    update: Tensor = q_left @ ratio @ q_right.mT
    state["left"].lerp_(left, 1 - BETA)
    state["right"].lerp_(right, 1 - BETA)
    if step % EVERY == 0:
        _renew(state, "left", 1)
        _renew(state, "right", 2)
    return update.reshape(gradient.shape)


def _blocks(gradient: Tensor) -> Tensor:
    """(m, n) as (k, m / k, n): k square blocks where m is a multiple of n."""
    m, n = gradient.shape
    k = m // n if m % n == 0 else 1
    return gradient.reshape(k, m // k, n)


def _renew(state: dict[str, Any], side: str, axis: int) -> None:
    """One power iteration of the eigenvectors of `side`, sorted by eigenvalue; V follows the sorting."""
    q, matrix = state[f"q_{side}"], state[side]
    order = torch.diagonal(q.mT @ matrix @ q, dim1=1, dim2=2).argsort(dim=1, descending=True)
    rows = order.unsqueeze(2) if axis == 1 else order.unsqueeze(1)
    state["v"] = state["v"].gather(axis, rows.expand_as(state["v"]))
    q = q.gather(2, order.unsqueeze(1).expand_as(q))
    state[f"q_{side}"] = torch.linalg.qr(matrix @ q)[0]
