r"""The two-channel encoder: one set of transformer weights for the graph and for the atoms in space.

Both channels begin with the same embedding X of the atoms and share every layer; they differ in what is
added to it and in the bias of the attention logits,

    2D:  X_i + degree_i,                   l_ij = q_i · k_j / √d + log Σ_c n_ijc exp(φ_c)
    3D:  X_i + W Σ_m ψ(i, m),              l_ij = q_i · k_j / √d + log Σ_{m of j} exp(φ(ψ(i, m)))

On an infinite chain atom j has many images m. In the graph they are counted by category, bond order or
shortest path, as in `polymd.properties.mips`, so that the 2D channel is the same for every spelling. In space
they are the atoms that there are: the unit's own and those that stand for its stars. In a molecule there is
one image of each, and the sums fall away: the biases of Transformer-M (Luo et al., ICLR 2023, section 3).

| symbol       | in the code                                              |
|--------------|----------------------------------------------------------|
| X            | `TwoChannel.columns`                                     |
| n_ijc, φ_c   | `Batch.images`, `TwoChannel.biases`                      |
| ψ, W         | `TwoChannel.kernels`, `TwoChannel.sums`                  |
| φ(ψ)         | `TwoChannel.near`                                        |
| m of j       | `TwoChannelBatch.owners`                                 |
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.properties.mips.graphs import ATOM_SIZES, Batch, n_categories
from polymd.properties.networks.attention import PairAttention
from polymd.properties.networks.denoising import Displacements
from polymd.properties.networks.distances import PairBias, PairKernels, pair_distances
from polymd.properties.networks.kind import check_modalities
from polymd.properties.two_channel.decoders import Decoders

__all__ = ["MODALITIES", "Sizes", "Spatial", "TwoChannel", "TwoChannelBatch", "means"]

MODALITIES = ("both", "graph")  #: "graph": the 2D channel alone
_DEGREE = list(ATOM_SIZES).index("neighbours")  # the column that is the degree encoding
_LEAST = 1e-30  # of a sum over images; its logarithm hides an atom from another
_MOST = 30.0  # of a bias


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network."""

    modalities: str = "both"  #: of `MODALITIES`
    channels: int = 128
    layers: int = 4
    heads: int = 8
    widening: int = 4  #: hidden channels of a feed-forward part, over channels
    kernels: int = 32  #: Gaussians of distances
    threshold: int = 8  #: bonds, of the longest path that the 2D channel sees
    dropout: float = 0.1
    taught: int = 0  #: numbers of a chain that are learnt in pre-training, `TaughtPool.width`

    def as_dict(self) -> dict[str, Any]:
        """For the header of a file."""
        return asdict(self)


@dataclass(frozen=True)
class TwoChannelBatch:
    """B units or molecules of N atoms, and M atoms in space: those, then what stands for the stars."""

    graph: Batch
    elements: Tensor  #: (B, M) int64, `element_categories`
    owners: Tensor  #: (B, M) int64, the atom 0 to N - 1 that each is an image of
    present: Tensor  #: (B, M) bool, no filling
    positions: Tensor  #: (B, K, M, 3), Å
    known: Tensor  #: (B,) bool, has positions
    physics: Tensor  #: (B, 28), `PHYSICS` of chains, for a kernel; zeros of molecules
    taught: Tensor | None = None  #: (B, D), what pre-training learns of chains

    def to(self, device: torch.device) -> TwoChannelBatch:
        """The same on a device."""
        parts: dict[str, Any] = {
            name: None if part is None else part.to(device) for name, part in vars(self).items()
        }
        return TwoChannelBatch(**parts)


@dataclass(frozen=True)
class Spatial:
    """What the 3D channel finds."""

    atoms: Tensor  #: (B, N, channels)
    pairs: Tensor  #: (B, heads, N, M), what it knows of a pair


class TwoChannel(nn.Module):
    """Atoms to representations in either channel, and their means to targets."""

    def __init__(self, sizes: Sizes, targets: int = 1) -> None:
        super().__init__()
        check_modalities(sizes.modalities, MODALITIES)
        self.sizes, self.targets = sizes, targets
        width = sizes.channels
        # one more category of each column for atoms that are masked in pre-training
        self.columns = nn.ModuleList(nn.Embedding(n + 1, width) for n in ATOM_SIZES.values())
        self.biases = nn.Parameter(torch.zeros(n_categories(sizes.threshold), sizes.heads).normal_(std=0.5))
        self.kernels = PairKernels(sizes.kernels)
        self.sums = nn.Linear(sizes.kernels, width)
        self.near = PairBias(sizes.kernels, sizes.heads)
        self.layers = nn.ModuleList(
            PairAttention(width, sizes.heads, sizes.widening, sizes.dropout) for _ in range(sizes.layers)
        )
        self.norm = nn.LayerNorm(width)
        self.displacements = Displacements(sizes.heads)
        self.decoders = Decoders(sizes.channels, sizes.threshold, sizes.taught)
        self.head = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Dropout(sizes.dropout), nn.Linear(width, targets)
        )
        for table in self.columns:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=0.3)

    def flat(self, batch: TwoChannelBatch, atoms: Tensor) -> Tensor:
        """The 2D channel, (B, N, channels), of atom categories (B, N, 7)."""
        counts = batch.graph.images @ self.biases.exp()
        bias = counts.clamp_min(_LEAST).log().permute(0, 3, 1, 2)
        found = self._embedded(atoms) + self.columns[_DEGREE](atoms[..., _DEGREE])
        return self._encoded(found, batch.graph.real, bias)[0]

    def spatial(self, batch: TwoChannelBatch, atoms: Tensor, positions: Tensor) -> Spatial:
        """The 3D channel at positions (B, M, 3); means nothing for units whose positions are not known."""
        size = atoms.shape[1]
        distances = pair_distances(positions[:, :size], positions)
        encoded = self.kernels(distances, batch.elements[:, :size], batch.elements)
        encoded = encoded * batch.present[:, None, :, None]
        near = self.near(encoded).clamp(-_MOST, _MOST)
        owned = functional.one_hot(batch.owners, size).to(near.dtype) * batch.present[..., None]
        sums = torch.einsum("bnmh,bmj->bhnj", near.exp(), owned)
        bias = sums.clamp_min(_LEAST).log()
        found = self._embedded(atoms) + self.sums(encoded.sum(dim=2))
        found, logits = self._encoded(found, batch.graph.real, bias)
        learnt = (logits - bias).gather(3, batch.owners[:, None, None].expand(*logits.shape[:3], -1))
        return Spatial(found, learnt + near.permute(0, 3, 1, 2))

    def undisturbed(self, batch: TwoChannelBatch, found: Spatial, positions: Tensor) -> Tensor:
        """Positions (B, N, 3) of the atoms without their noise."""
        own = positions[:, : found.atoms.shape[1]]
        moved: Tensor = self.displacements(found.pairs, own, positions, batch.present)
        return moved

    def forward(self, batch: TwoChannelBatch) -> Tensor:
        """Targets (B, T): of the mean of both channels, of the 2D channel alone without positions."""
        return torch.stack([self.head(view) for view in self._views(batch)]).mean(dim=0)

    def views(self, batch: TwoChannelBatch) -> dict[str, Tensor]:
        """What is computed of the chains, (B, 28), and what both channels say of the units, (B, channels)."""
        return {"physics": batch.physics, "unit": torch.stack(self._views(batch)).mean(dim=0)}

    def _views(self, batch: TwoChannelBatch) -> list[Tensor]:
        """Means over atoms and over the channels that there are, of every conformer."""
        atoms, real = batch.graph.atoms, batch.graph.real
        flat = means(self.flat(batch, atoms), real)
        if not bool(batch.known.any()):
            return [flat]
        found = []
        for positions in batch.positions.unbind(dim=1):
            spatial = means(self.spatial(batch, atoms, positions).atoms, real)
            found.append(torch.where(batch.known[:, None], 0.5 * (flat + spatial), flat))
        return found

    def _embedded(self, atoms: Tensor) -> Tensor:
        """X: every column but the degree."""
        parts = [
            table(values)
            for place, (table, values) in enumerate(zip(self.columns, atoms.unbind(-1), strict=True))
            if place != _DEGREE
        ]
        return torch.stack(parts).sum(dim=0)

    def _encoded(self, atoms: Tensor, real: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """All layers with one bias; representations and the last logits."""
        logits = bias
        for layer in self.layers:
            atoms, logits = layer(atoms, real, bias)
        return self.norm(atoms), logits


def means(atoms: Tensor, real: Tensor) -> Tensor:
    """Means (B, channels) of representations (B, N, channels) without fillings."""
    weights = real.to(atoms.dtype)[..., None]
    return (atoms * weights).sum(dim=1) / weights.sum(dim=1)
