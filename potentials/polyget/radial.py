"""Radial filters: every dependence of PolyGET on an interatomic distance d.

    e_k(d) = exp(-beta_k (exp(-5 d / r_c) - mu_k)^2)           exp-normal basis   (arXiv:1902.08408, eq. 7)
    phi(d) = 1 - 10 x^3 + 15 x^4 - 6 x^5,  x = d / r_c          C2 envelope, zero with two derivatives at r_c
    f(d)   = SiLU(W e(d) + b) phi(d)                            one filter value a channel

The whole envelope is folded into the filters, so every message vanishes smoothly at the cutoff. As f
depends on d alone it can be read from a cubic Hermite table; `RadialFilters.table` gives values and exact
slopes at the knots, differentiable with respect to W and b, so that a model can be trained through its table.
"""

import torch
from torch import Tensor, nn


def envelope(d: Tensor, cutoff: float) -> Tensor:
    """phi(d), zero at and beyond `cutoff`; shape of `d`, Å."""
    x = torch.clamp(d / cutoff, max=1.0)
    return 1.0 + x * x * x * (-10.0 + x * (15.0 - 6.0 * x))


def envelope_slope(d: Tensor, cutoff: float) -> Tensor:
    """dphi/dd in 1/Å."""
    x = torch.clamp(d / cutoff, max=1.0)
    return -30.0 * x * x * (1.0 - x) * (1.0 - x) / cutoff


class ExpNormalBasis(nn.Module):
    """e_k(d), k = 1..K, with evenly spaced centres in exp(-5 d / r_c)."""

    centres: Tensor
    widths: Tensor

    def __init__(self, n_basis: int, cutoff: float) -> None:
        super().__init__()
        self.decay = 5.0 / cutoff
        lowest = float(torch.exp(torch.tensor(-5.0, dtype=torch.float64)))
        self.register_buffer("centres", torch.linspace(lowest, 1.0, n_basis))
        self.register_buffer("widths", torch.full((n_basis,), (2.0 / n_basis * (1.0 - lowest)) ** -2))

    def forward(self, d: Tensor) -> Tensor:
        """(E,) Å -> (E, K)."""
        y = torch.exp(-self.decay * d).unsqueeze(-1) - self.centres
        return torch.exp(-self.widths * y * y)

    def slope(self, d: Tensor) -> Tensor:
        """de_k/dd, (E,) Å -> (E, K) 1/Å."""
        t = torch.exp(-self.decay * d).unsqueeze(-1)
        y = t - self.centres
        return torch.exp(-self.widths * y * y) * (2.0 * self.decay) * self.widths * y * t


class RadialFilters(nn.Module):
    """f(d): the distance filters of one layer, (E,) Å -> (E, n_filters)."""

    def __init__(self, n_basis: int, n_filters: int, cutoff: float) -> None:
        super().__init__()
        self.cutoff = cutoff
        self.basis = ExpNormalBasis(n_basis, cutoff)
        self.linear = nn.Linear(n_basis, n_filters)
        nn.init.xavier_uniform_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, d: Tensor) -> Tensor:
        z: Tensor = self.linear(self.basis(d))
        return z * torch.sigmoid(z) * envelope(d, self.cutoff).unsqueeze(-1)

    @torch.jit.unused
    def table(self, n_knots: int) -> Tensor:
        """Values and slopes times the knot spacing at n_knots even distances of [0, cutoff]: (n_knots, 2,
        n_filters).
        """
        spacing = self.cutoff / (n_knots - 1)
        d = spacing * torch.arange(n_knots, dtype=self.linear.weight.dtype, device=self.linear.weight.device)
        z = self.linear(self.basis(d))
        dz = nn.functional.linear(self.basis.slope(d), self.linear.weight)
        sigma = torch.sigmoid(z)
        value, slope = z * sigma, sigma * (1.0 + z * (1.0 - sigma)) * dz
        phi = envelope(d, self.cutoff).unsqueeze(-1)
        dphi = envelope_slope(d, self.cutoff).unsqueeze(-1)
        return torch.stack([value * phi, spacing * (slope * phi + value * dphi)], dim=1)
