"""The torch form of the network behind growth, for training; `polymd.conformations.network` is the other."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.conformations.graph_features import ATOM_FEATURES, BOND_FEATURES
from polymd.conformations.network import COUPLED, HARMONICS, SHORTEST, TIGHTEST, Sizes

__all__ = ["Batch", "ConformationNetwork"]


@dataclass(frozen=True)
class Batch:
    """Several chains with some frames each, as one graph; indices count through all of them."""

    atoms: Tensor  # (n, ATOM_FEATURES)
    source: Tensor  # (n,) 1 for atoms of the reference force field, 0 for others
    senders: Tensor  # (E,)
    receivers: Tensor  # (E,)
    bonds: Tensor  # (E, BOND_FEATURES)
    single_rotor: Tensor  # (T,)
    single_atoms: Tensor  # (T, 4)
    single_turn: Tensor  # (T,) rad, both offsets
    pair_child: Tensor  # (P,)
    term_pair: Tensor  # (Q,)
    term_atoms: Tensor  # (Q, 5)
    term_turns: Tensor  # (Q, 2) rad, offsets of parent and child
    lengths: Tensor  # (B, 2) bonded atoms
    length_moments: Tensor  # (B, 3) start value, mean and variance at 300 K, Å
    angles: Tensor  # (A, 3)
    angle_moments: Tensor  # (A, 2) mean and variance at 300 K, rad
    torsions: Tensor  # (S,) observed, rad
    torsion_rotor: Tensor  # (S,)
    torsion_scale: Tensor  # (S,) 300 K / temperature
    torsion_weight: Tensor  # (S,)
    coupling_pair: Tensor  # (X,) observed parents of them
    coupling_torsion: Tensor  # (X,) index into torsions
    coupling_value: Tensor  # (X,) torsion of the parent, rad


class Head(nn.Module):
    """A perceptron on the features of a few atoms in order: its first layer is a sum over the places."""

    def __init__(self, width: int, places: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.places = nn.ModuleList(nn.Linear(width, hidden, bias=False) for _ in range(places))
        self.bias = nn.Parameter(torch.zeros(hidden))
        self.out = nn.Linear(hidden, outputs)
        nn.init.normal_(self.out.weight, std=0.02)
        nn.init.zeros_(self.out.bias)

    def forward(self, h: Tensor, atoms: Tensor) -> Tensor:
        total = self.bias
        for k, place in enumerate(self.places):
            total = total + place(h)[atoms[:, k]]
        return self.out(functional.silu(total))  # type: ignore[no-any-return]


class Layer(nn.Module):
    """h_i <- h_i + V silu(U [norm h_i, sum_j silu(W norm h_j + B b_ij)])."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.sender = nn.Linear(width, width)
        self.bond = nn.Linear(BOND_FEATURES, width, bias=False)
        self.mix = nn.Linear(2 * width, width)
        self.out = nn.Linear(width, width)

    def forward(self, h: Tensor, batch: Batch) -> Tensor:
        x = self.gain * h / torch.sqrt((h * h).mean(dim=1, keepdim=True) + 1e-6)
        message = functional.silu(self.sender(x)[batch.senders] + self.bond(batch.bonds))
        heard = torch.zeros_like(x).index_add(0, batch.receivers, message)
        change: Tensor = self.out(functional.silu(self.mix(torch.cat([x, heard], dim=1))))
        return h + change


class ConformationNetwork(nn.Module):
    """Bond lengths, angles and the coefficients of the torsions' log density from a chain's graph."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width, hidden = sizes.width, sizes.hidden
        self.embed = nn.Linear(ATOM_FEATURES + 1, width)
        nn.init.zeros_(self.embed.weight[:, -1])  # at first, all force fields are alike
        self.layers = nn.ModuleList(Layer(width) for _ in range(sizes.layers))
        self.single = Head(width, 4, hidden, HARMONICS)
        self.coupled = Head(width, 5, hidden, 2 * COUPLED * COUPLED)
        self.length = Head(width, 2, hidden // 2, 2)
        self.angle = Head(width, 3, hidden // 2, 2)

    def encode(self, batch: Batch) -> Tensor:
        """Features (n, width) of the atoms."""
        h: Tensor = self.embed(torch.cat([batch.atoms, batch.source[:, None]], dim=1))
        for layer in self.layers:
            h = layer(h, batch)
        return h

    def log_density(self, h: Tensor, batch: Batch) -> Tensor:
        """log p (S,), 1/rad, of each observed torsion given the observed torsions of its parents.

        log p(x | y) = (300 K / T) sum_k [a_k cos kx + b_k sin kx] - log Z: `Torsions` of
        `polymd.conformations.torsions` has the equations. Z is the mean over 72 points, exact to
        rounding for a series of this order, times 2 pi.
        """
        cosines, sines = self._series(h, batch)
        order = torch.arange(1, HARMONICS + 1)
        grid = torch.arange(72) * (2.0 * torch.pi / 72)
        basis = torch.cat([torch.cos(order[:, None] * grid), torch.sin(order[:, None] * grid)])
        series = torch.cat([cosines, sines], dim=1) * batch.torsion_scale[:, None]
        norm = torch.logsumexp(series @ basis, dim=1) + torch.log(torch.tensor(2.0 * torch.pi / 72))
        phase = batch.torsions[:, None] * order
        seen = torch.cat([torch.cos(phase), torch.sin(phase)], dim=1)
        return (series * seen).sum(dim=1) - norm

    def _series(self, h: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Coefficients (S, HARMONICS) of cosines and sines in each observed torsion."""
        order = torch.arange(1, HARMONICS + 1)
        n_rotors = int(batch.torsion_rotor.max()) + 1
        strength, turn = self.single(h, batch.single_atoms), batch.single_turn[:, None] * order
        empty = torch.zeros(n_rotors, HARMONICS)
        cosines = empty.index_add(0, batch.single_rotor, strength * torch.cos(turn))
        sines = empty.index_add(0, batch.single_rotor, -strength * torch.sin(turn))
        cosines, sines = cosines[batch.torsion_rotor], sines[batch.torsion_rotor]
        if not len(batch.coupling_pair):
            return cosines, sines
        matrix = self.coupling_matrices(h, batch)[batch.coupling_pair]
        order = torch.arange(1, COUPLED + 1)
        phase = batch.coupling_value[:, None] * order
        given = torch.cat([torch.cos(phase), torch.sin(phase)], dim=1)
        pushed = torch.zeros(len(cosines), 2 * COUPLED).index_add(
            0, batch.coupling_torsion, torch.einsum("xij,xj->xi", matrix, given)
        )
        pad = (0, HARMONICS - COUPLED)
        return (
            cosines + functional.pad(pushed[:, :COUPLED], pad),
            sines + functional.pad(pushed[:, COUPLED:], pad),
        )

    def coupling_matrices(self, h: Tensor, batch: Batch) -> Tensor:
        """(P, 2 COUPLED, 2 COUPLED): from cosines and sines of the parent to the child's coefficients."""
        both = self.coupled(h, batch.term_atoms).reshape(-1, 2, COUPLED, COUPLED)
        even, odd = both[:, 0], both[:, 1]
        order = torch.arange(1, COUPLED + 1)
        parent, child = batch.term_turns[:, :1] * order, batch.term_turns[:, 1:] * order
        cc, sc = torch.cos(child)[:, :, None], torch.sin(child)[:, :, None]
        cp, sp = torch.cos(parent)[:, None], torch.sin(parent)[:, None]
        top = torch.cat([even * cc * cp + odd * sc * sp, -even * cc * sp + odd * sc * cp], dim=2)
        low = torch.cat([-even * sc * cp + odd * cc * sp, even * sc * sp + odd * cc * cp], dim=2)
        terms = torch.cat([top, low], dim=1)
        empty = torch.zeros(len(batch.pair_child), 2 * COUPLED, 2 * COUPLED)
        return empty.index_add(0, batch.term_pair, terms)

    def geometry_loss(self, h: Tensor, batch: Batch) -> Tensor:
        """Mean negative log likelihood of bond lengths and of angles, as Gaussians at 300 K."""
        length = self.length(h, batch.lengths) + self.length(h, batch.lengths.flip(1))
        angle = self.angle(h, batch.angles) + self.angle(h, batch.angles.flip(1))
        start, mean, variance = batch.length_moments.unbind(1)
        total = _gaussian(
            start + length[:, 0], SHORTEST + functional.softplus(length[:, 1] - 3.0), mean, variance
        )
        mean, variance = batch.angle_moments.unbind(1)
        return total + _gaussian(
            2.0 + angle[:, 0], TIGHTEST + functional.softplus(angle[:, 1] - 2.0), mean, variance
        )


def _gaussian(centre: Tensor, width: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    return (0.5 * ((mean - centre) ** 2 + variance) / width**2 + torch.log(width)).mean()
