import numba
import numpy as np
import torch

from polymd import testing
from polymd.potentials.polyget.hermite import filter_knots, locate, make_table, read
from polymd.potentials.polyget.radial import RadialFilters, envelope, envelope_slope

CUTOFF = 5.0


def filters() -> RadialFilters:
    torch.manual_seed(0)
    return RadialFilters(32, 16, CUTOFF).double()


def test_envelope_ends_with_two_vanishing_derivatives() -> None:
    d = torch.tensor([0.0, CUTOFF, CUTOFF + 1.0], dtype=torch.float64)
    torch.testing.assert_close(envelope(d, CUTOFF), torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))
    inside = torch.tensor([CUTOFF - 1e-3], dtype=torch.float64)
    assert envelope(inside, CUTOFF).item() < 1e-9


def test_slopes_are_derivatives() -> None:
    d = torch.linspace(0.3, 4.9, 50, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(envelope(d, CUTOFF).sum(), d)
    torch.testing.assert_close(slope, envelope_slope(d, CUTOFF))
    basis = filters().basis
    for k in (0, 15, 31):
        (slope,) = torch.autograd.grad(basis(d)[:, k].sum(), d)
        torch.testing.assert_close(slope, basis.slope(d)[:, k])


@numba.njit
def read_all(table, distances):  # type: ignore[no-untyped-def]
    out = np.empty((len(distances), table.knots.shape[2]), np.float32)
    for n in range(len(distances)):
        k, weights = locate(table, distances[n])
        read(table, k, weights, out[n])
    return out


def test_the_table_interpolates_the_filters() -> None:
    f = filters()
    d = torch.linspace(0.31, 4.99, 997, dtype=torch.float64)
    errors = []
    for knots in (64, 128, 256, 1024):
        table = f.table(knots)
        value = torch.from_numpy(read_all(make_table(table.detach().numpy(), CUTOFF), d.numpy()))
        errors.append((value - f(d)).abs().max().item())
    assert errors[-1] < testing.TABLE_ATOL
    assert errors[0] / errors[2] > 100  # fourth order: 4^4 = 256


def test_the_engine_makes_the_same_table() -> None:
    f = filters()
    weights = [t.detach().numpy() for t in (f.linear.weight, f.linear.bias, f.basis.centres, f.basis.widths)]
    table = filter_knots(weights, CUTOFF, 100)
    torch.testing.assert_close(torch.from_numpy(table), f.table(100).float(), atol=1e-6, rtol=1e-6)
