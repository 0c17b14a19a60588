"""The two towers of MMPolymer: a transformer on tokens, and one on atoms in space."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from polymd.properties.mmpolymer.tokens import vocabulary
from polymd.properties.networks.attention import PairAttention
from polymd.properties.networks.denoising import Displacements
from polymd.properties.networks.distances import PairBias, PairKernels, pair_distances
from polymd.properties.networks.elements import N_ELEMENTS

__all__ = ["MODALITIES", "Sizes", "StructureTower", "TextTower", "mean_of_real"]

MODALITIES = ("both", "text", "structure")
LONGEST = 400  #: tokens; longer P-SMILES are cut off
_APART = 32  # tokens, of the farthest pair whose offset is told from others


@dataclass(frozen=True)
class Sizes:
    """Sizes of MMPolymer; published ones are 6 and 15 layers of 768 and 512 channels."""

    channels: int = 128
    layers: int = 4  #: of the P-SMILES tower
    spatial_layers: int = 3  #: of the 3D tower
    heads: int = 8
    widening: int = 4  #: hidden channels of a feed-forward part, over channels
    kernels: int = 32  #: Gaussians of distances
    dropout: float = 0.1
    modalities: str = "both"  #: of `MODALITIES`
    physics: bool = True  #: whether the head sees `Fingerprint.physics` beside the towers; published: no
    taught: int = 0  #: numbers of a chain that are learnt in pre-training, `TaughtPool.width`

    def as_dict(self) -> dict[str, Any]:
        """For the header of a file."""
        return asdict(self)


class TextTower(nn.Module):
    """Tokens to their representations: a transformer of RoBERTa's kind, normalised before each part.

    Beside the places of tokens, attention has a bias by their offset, as in T5 (Raffel et al., JMLR 2020).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.tokens = nn.Embedding(len(vocabulary()), sizes.channels)
        self.places = nn.Embedding(LONGEST, sizes.channels)
        self.offsets = nn.Embedding(2 * _APART + 1, sizes.heads)
        self.layers = _layers(sizes, sizes.layers)
        self.norm = nn.LayerNorm(sizes.channels)
        self.masked = nn.Linear(sizes.channels, len(vocabulary()))
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=0.3)
        nn.init.normal_(self.offsets.weight, std=0.3)

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Ids (B, L), and whether they are no filling, to (B, L, channels)."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        offsets = (places - places[:, None]).clamp(-_APART, _APART) + _APART
        bias = self.offsets(offsets).permute(2, 0, 1)[None]
        found = self.tokens(tokens) + self.places.weight[: tokens.shape[1]]
        for layer in self.layers:
            found, _ = layer(found, real, bias)
        normal: Tensor = self.norm(found)
        return normal


class StructureTower(nn.Module):
    """Elements and distances to representations of atoms and pairs: a transformer of Uni-Mol's kind.

    It sees distances only, so that turning, moving or mirroring the atoms changes nothing. Beside the bias of
    pairs, which is Uni-Mol's, every atom begins with the sum of its encoded distances, as in Transformer-M.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.elements = nn.Embedding(N_ELEMENTS, sizes.channels)
        self.kernels = PairKernels(sizes.kernels)
        self.sums = nn.Linear(sizes.kernels, sizes.channels)
        self.bias = PairBias(sizes.kernels, sizes.heads)
        self.layers = _layers(sizes, sizes.spatial_layers)
        self.norm = nn.LayerNorm(sizes.channels)
        self.displacements = Displacements(sizes.heads)
        nn.init.normal_(self.elements.weight, std=0.3)

    def forward(self, elements: Tensor, positions: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """Categories (B, N), positions (B, N, 3) in Å, and whether they are no filling.

        Returns representations (B, N, channels), and pairs (B, heads, N, N): the logits of the last layer
        less the first bias.
        """
        distances = pair_distances(positions, positions)
        encoded = self.kernels(distances, elements, elements) * real[:, None, :, None]
        first = self.bias(encoded).permute(0, 3, 1, 2)
        found, pairs = self.elements(elements) + self.sums(encoded.sum(dim=2)), first
        for layer in self.layers:
            found, pairs = layer(found, real, pairs)
        return self.norm(found), pairs - first

    def undisturbed(self, pairs: Tensor, positions: Tensor, real: Tensor) -> Tensor:
        """Positions (B, N, 3) without their noise."""
        found: Tensor = self.displacements(pairs, positions, positions, real)
        return found


def mean_of_real(tokens: Tensor, real: Tensor) -> Tensor:
    """Mean (B, channels) of representations (B, N, channels) without fillings."""
    weights = real.to(tokens.dtype)[..., None]
    return (tokens * weights).sum(dim=1) / weights.sum(dim=1)


def _layers(sizes: Sizes, count: int) -> nn.ModuleList:
    return nn.ModuleList(
        PairAttention(sizes.channels, sizes.heads, sizes.widening, sizes.dropout) for _ in range(count)
    )


def random_choice(real: Tensor, share: float, numbers: Tensor) -> Tensor:
    """Where `real` and uniform `numbers` (B, N) are below `share`; at least one a row."""
    chosen = real & (numbers < share)
    first = numbers.masked_fill(~real, torch.inf).argmin(dim=1, keepdim=True)
    return chosen.scatter(1, first, True)
