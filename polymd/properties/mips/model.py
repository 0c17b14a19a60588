"""The network of MIPS: localised graph attention, backbone embedding, fusion with 3D descriptors.

Attention of atom i of the unit goes to every image m of atom j of the infinite chain within the distance
threshold (Wang et al., arXiv 2507.20326, section 3):

    a_i,(j,m) ∝ exp(q_i · k_j / √d + b_c(i,j,m)),     c: category of the image, distance and bond order

All images of j have its key and value, so that they add up to one weight,

    Σ_m a_i,(j,m) ∝ exp(q_i · k_j / √d + log Σ_c n_ijc exp(b_c)),     n_ijc: images of j in category c

=======================  ==========================================================
q, k, v                  `Attention.mixed`
b_c, a head and layer    `Mips.biases`
n_ijc                    `Batch.images`
d                        channels a head
=======================  ==========================================================

Every atom sees what it sees in the infinite chain and the readout takes means over atoms, one of them with
weights that are learnt: predictions are the same for every repeat and shift.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.properties.fingerprints import DESCRIPTORS, PHYSICS
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.mips.graphs import ATOM_SIZES, EXTRAS, n_categories

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polymd.properties.mips.graphs import Batch

__all__ = ["Mips", "Sizes"]

_FUSION = 0.5  # weight of what comes from descriptors, as published
_MOST = 5.0  # spreads from the mean that physics and 3D descriptors may lie
_LEAST_SPREAD = 1e-3
_LEAST = 1e-30  # of a sum over images; its logarithm hides an atom from another


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network."""

    channels: int = 128
    layers: int = 6
    heads: int = 8
    widening: int = 2  #: hidden channels of a feed-forward part, over channels
    threshold: int = 3  #: bonds, of the farthest atom that is attended to
    backbone: bool = True  #: with backbone embedding
    descriptors: int = 0  #: of the chain, 0 without
    physics: int = len(PHYSICS)  #: bands and contributions of groups, 0 without
    shape: int = 0  #: number of 3D descriptors, 0 without
    tokens: int = 4  #: that descriptors of a kind become
    dropout: float = 0.1

    def as_dict(self) -> dict[str, Any]:
        """For the header of a file."""
        return asdict(self)


class Attention(nn.Module):
    """Localised attention and a feed-forward part, each added to a normalised input."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.channels
        self.heads, self.dropout = sizes.heads, sizes.dropout
        self.before = nn.LayerNorm(width)
        self.mixed = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, sizes.widening * width),
            nn.GELU(),
            nn.Linear(sizes.widening * width, width),
        )
        self.drop = nn.Dropout(sizes.dropout)

    def forward(self, atoms: Tensor, bias: Tensor) -> Tensor:
        """(B, N, channels) and (B, heads, N, N) to (B, N, channels)."""
        size, length, width = atoms.shape
        parts = self.mixed(self.before(atoms)).view(size, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        atoms = atoms + self.drop(self.out(heard.transpose(1, 2).reshape(size, length, width)))
        grown: Tensor = atoms + self.drop(self.feed(atoms))
        return grown


class Fusion(nn.Module):
    """Descriptors as tokens, and cross-attention from atoms to them."""

    def __init__(self, sizes: Sizes, descriptors: int) -> None:
        super().__init__()
        self.tokens, self.heads = sizes.tokens, sizes.heads
        self.encode = nn.Sequential(
            nn.Linear(descriptors, sizes.channels),
            nn.SiLU(),
            nn.Dropout(sizes.dropout),
            nn.Linear(sizes.channels, sizes.tokens * sizes.channels),
        )
        self.query = nn.Linear(sizes.channels, sizes.channels)
        self.key_value = nn.Linear(sizes.channels, 2 * sizes.channels)
        self.out = nn.Linear(sizes.channels, sizes.channels)

    def forward(self, atoms: Tensor, descriptors: Tensor) -> Tensor:
        """What atoms (B, N, channels) gain from descriptors (B, D): nothing where they are nan."""
        size, length, width = atoms.shape
        known = ~descriptors[:, 0].isnan()
        tokens = self.encode(descriptors.nan_to_num()).view(size, self.tokens, width)
        query = self.query(atoms).view(size, length, self.heads, -1).transpose(1, 2)
        key, value = self.key_value(tokens).view(size, self.tokens, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        heard = functional.scaled_dot_product_attention(query, key, value)
        heard = self.out(heard.transpose(1, 2).reshape(size, length, width))
        fused: Tensor = _FUSION * heard * known[:, None, None]
        return fused


class Mips(nn.Module):
    """Atoms of a chain to atom representations, their mean and targets."""

    codes: Tensor  #: (counts,), `Vocabulary.codes`
    scales: Tensor  #: (2, descriptors), means and spreads of the vocabulary
    physics_scales: Tensor  #: (2, physics), means and spreads
    shape_scales: Tensor | None  #: (2, shape), means and spreads; None without 3D descriptors

    def __init__(self, sizes: Sizes, targets: int = 1) -> None:
        super().__init__()
        if sizes.channels % sizes.heads:
            raise ValueError(
                f"{sizes.heads} heads do not divide {sizes.channels} channels; take 4 or 8 heads of 128"
            )
        self.sizes, self.targets = sizes, targets
        width = sizes.channels
        # one more category of each column for atoms that are masked in pre-training
        self.columns = nn.ModuleList(nn.Embedding(n + 1, width) for n in ATOM_SIZES.values())
        self.backbone = nn.Embedding(2, width) if sizes.backbone else None
        self.biases = nn.Parameter(
            torch.zeros(n_categories(sizes.threshold), sizes.layers * sizes.heads).normal_(std=0.5)
        )
        self.layers = nn.ModuleList(Attention(sizes) for _ in range(sizes.layers))
        self.descriptors = Fusion(sizes, sizes.descriptors) if sizes.descriptors else None
        self.physics = Fusion(sizes, sizes.physics) if sizes.physics else None
        self.shape = Fusion(sizes, sizes.shape) if sizes.shape else None
        self.norm = nn.LayerNorm(width)
        self.masked = nn.ModuleDict({name: nn.Linear(width, n) for name, n in ATOM_SIZES.items()})
        self.attend = nn.Linear(width, 1)
        self.described = nn.Linear(3 * width, sizes.descriptors) if sizes.descriptors else None
        self.estimated = nn.Linear(3 * width, sizes.physics) if sizes.physics else None
        self.head = nn.Sequential(
            nn.Linear(3 * width, width), nn.SiLU(), nn.Dropout(sizes.dropout), nn.Linear(width, targets)
        )
        counts = max(0, sizes.descriptors - len(DESCRIPTORS))
        self.register_buffer("codes", torch.zeros(counts, dtype=torch.int64))
        self.register_buffer("scales", torch.ones(2, sizes.descriptors))
        standard = torch.tensor([[0.0], [1.0]])
        self.register_buffer("physics_scales", standard.repeat(1, sizes.physics))
        self.register_buffer("shape_scales", standard.repeat(1, sizes.shape) if sizes.shape else None)
        for table in self.columns:
            assert isinstance(table, nn.Embedding)
            nn.init.normal_(table.weight, std=0.3)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """What its descriptors of chains are."""
        if not self.sizes.descriptors:
            return None
        means, spreads = self.scales.numpy(force=True)
        return Vocabulary(self.codes.numpy(force=True), means, spreads)

    def set_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Keep codes and scales with the weights."""
        self.codes.copy_(torch.from_numpy(vocabulary.codes))
        self.scales.copy_(torch.from_numpy(np.stack([vocabulary.means, vocabulary.spreads])))

    def set_scales(self, name: str, values: NDArray[np.floating[Any]]) -> None:
        """Keep the means and spreads of `physics` or `shape` of some units with the weights.

        `values` (N, numbers), nan in the rows of units of which they are not known.
        """
        known = values[~np.isnan(values).any(axis=1)]
        if len(known):
            scales = np.stack([known.mean(axis=0), known.std(axis=0).clip(_LEAST_SPREAD)])
            getattr(self, f"{name}_scales").copy_(torch.from_numpy(scales))

    def standard(self, name: str, values: Tensor) -> Tensor:
        """`physics` or `shape` (B, numbers) of mean 0 and spread 1, cut off at five; nan where nan."""
        mean, spread = getattr(self, f"{name}_scales")
        standard: Tensor = ((values - mean) / spread).clamp(-_MOST, _MOST)
        return standard

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.biases.device

    def atoms(self, batch: Batch) -> Tensor:
        """Representations of atoms, (B, N, channels); without descriptors the graph speaks alone."""
        columns = zip(self.columns, batch.atoms.unbind(-1), strict=True)
        atoms = torch.stack([table(values) for table, values in columns]).sum(dim=0)
        if self.backbone is not None:
            atoms = atoms + self.backbone(batch.backbone)
        weights = (batch.images @ self.biases.exp()).clamp_min(_LEAST).log()
        biases = weights.unflatten(-1, (self.sizes.layers, self.sizes.heads)).permute(3, 0, 4, 1, 2)
        for layer, bias in zip(self.layers, biases, strict=True):
            atoms = layer(atoms, bias)
        for name in EXTRAS:
            fusion, values = getattr(self, name), getattr(batch, name)
            if fusion is None or values is None:
                continue
            atoms = atoms + fusion(atoms, values if name == "descriptors" else self.standard(name, values))
        normal: Tensor = self.norm(atoms)
        return normal

    def pooled(self, batch: Batch, atoms: Tensor) -> Tensor:
        """Means over all atoms, those of the backbone, and all by attention, (B, 3 channels)."""
        real = batch.real.to(atoms.dtype)
        backbone = real if self.backbone is None else real * batch.backbone
        attention = self.attend(atoms)[..., 0].masked_fill(~batch.real, -torch.inf).softmax(dim=1)
        weights = torch.stack(
            [real / real.sum(1, keepdim=True), backbone / backbone.sum(1, keepdim=True), attention], dim=1
        )
        return (weights @ atoms).flatten(1)

    def forward(self, batch: Batch) -> Tensor:
        """Targets (B, T)."""
        values: Tensor = self.head(self.pooled(batch, self.atoms(batch)))
        return values
