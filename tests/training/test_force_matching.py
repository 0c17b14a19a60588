"""Force matching by first derivatives against autograd's double backward in float64."""

import dataclasses

import numpy as np
import pytest
import torch

from polymd import testing
from polymd.potentials.half_list import molecule_pairs
from polymd.potentials.polyget import fused
from polymd.potentials.polyget.model import Architecture, PolyGET
from polymd.training import force_matching


def batch() -> force_matching.Batch:
    rng = np.random.default_rng(8)
    sizes = [9, 9, 14, 14]
    positions, numbers = [], []
    for size in sizes:
        grid = np.stack(np.meshgrid(*[np.arange(3) * 1.6] * 3, indexing="ij"), -1).reshape(-1, 3)[:size]
        positions.append(grid + rng.normal(scale=0.1, size=grid.shape))
        numbers.append(1 + 5 * (np.arange(size) % 3 > 0))
    x = np.concatenate(positions).astype(np.float32)
    return force_matching.Batch(
        torch.from_numpy(np.concatenate(numbers)),
        torch.from_numpy(x),
        torch.from_numpy(rng.normal(size=x.shape).astype(np.float32)),
        torch.from_numpy(rng.normal(size=len(sizes)).astype(np.float32)),
        np.cumsum([0, *sizes]),
    )


@pytest.mark.parametrize("energy_weight", [0.0, 5.0])
def test_gradient_is_that_of_a_double_backward(energy_weight: float) -> None:
    torch.manual_seed(1)
    arch = Architecture(channels=32, layers=2, heads=4)
    model, b = PolyGET(arch), batch()
    surrogate, loss = force_matching.surrogate_loss(model, b, 0, energy_weight)
    surrogate.backward()
    exact = PolyGET(arch).double()
    exact.load_state_dict(model.state_dict())
    graph = force_matching.Graph.of(b, 5.0, torch.device("cpu"))
    double = dataclasses.replace(
        graph, positions=b.positions.double(), forces=b.forces.double(), energies=b.energies.double()
    )
    whole, expected_loss = force_matching.double_backward_loss(exact, double, energy_weight)
    torch.testing.assert_close(loss.double(), expected_loss, rtol=1e-4, atol=0)
    wanted = torch.autograd.grad(whole, list(exact.parameters()), allow_unused=True)
    pairs_of_gradients = [
        (p.grad, g) for p, g in zip(model.parameters(), wanted, strict=True) if g is not None
    ]
    error = sum(((p - g) ** 2).sum().item() for p, g in pairs_of_gradients) ** 0.5
    scale = sum((g**2).sum().item() for _, g in pairs_of_gradients) ** 0.5
    assert error < testing.GRADIENT_RTOL * scale


def test_molecules_do_not_see_each_other() -> None:
    b = batch()
    pairs = molecule_pairs(b.positions.numpy(), b.pointers, 100.0)
    assert len(pairs) == 9 * 8 + 14 * 13
    together = force_matching.predict_forces(PolyGET(Architecture(32, 1, 4)), b, _tables())
    assert together.shape == b.positions.shape


def _tables() -> list[torch.Tensor]:
    torch.manual_seed(0)
    return [t.detach() for t in fused.tables(PolyGET(Architecture(32, 1, 4)))]
