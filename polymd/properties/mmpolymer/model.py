"""MMPolymer: both towers, their contrast, and targets from either or both (arXiv 2406.04727, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.properties.mmpolymer.tokens import END, MASK, vocabulary
from polymd.properties.mmpolymer.towers import (
    MODALITIES,
    Sizes,
    StructureTower,
    TextTower,
    mean_of_real,
    random_choice,
)
from polymd.properties.networks.contrast import info_nce
from polymd.properties.networks.denoising import displaced, position_loss

if TYPE_CHECKING:
    import numpy as np

__all__ = ["MMPolymer", "MultimodalBatch"]

_MASKED = 0.15  # share of tokens, and of atoms that are displaced
_REACH = 1.0  # Å, of the noise on a coordinate


@dataclass(frozen=True)
class MultimodalBatch:
    """B units, filled up to L tokens and N atoms, K conformers each."""

    tokens: Tensor  #: (B, L) int64
    readable: Tensor  #: (B, L) bool, no filling
    elements: Tensor  #: (B, N) int64, `element_categories`
    positions: Tensor  #: (B, K, N, 3), Å
    real: Tensor  #: (B, N) bool, no filling

    def to(self, device: torch.device) -> MultimodalBatch:
        """The same on a device."""
        return MultimodalBatch(*(tensor.to(device) for tensor in vars(self).values()))


class MMPolymer(nn.Module):
    """Units to targets. Representations of a tower are the means over its tokens; published: of the first."""

    def __init__(self, sizes: Sizes, targets: int = 1) -> None:
        super().__init__()
        if sizes.modalities not in MODALITIES:
            raise ValueError(
                f"no modalities {sizes.modalities!r}; allowed: {', '.join(MODALITIES)}; fix: take one of them"
            )
        self.sizes, self.targets = sizes, targets
        width = sizes.channels
        self.text = None if sizes.modalities == "structure" else TextTower(sizes)
        self.structure = None if sizes.modalities == "text" else StructureTower(sizes)
        joined = 2 * width if sizes.modalities == "both" else width
        self.contrast = nn.ModuleDict({name: nn.Linear(width, width) for name in ("text", "structure")})
        self.head = nn.Sequential(
            nn.Linear(joined, width), nn.SiLU(), nn.Dropout(sizes.dropout), nn.Linear(width, targets)
        )

    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Targets (B, T), the mean over conformers."""
        text = (
            []
            if self.text is None
            else [mean_of_real(self.text(batch.tokens, batch.readable), batch.readable)]
        )
        if self.structure is None:
            values: Tensor = self.head(text[0])
            return values
        found = []
        for positions in batch.positions.unbind(dim=1):
            atoms, _ = self.structure(batch.elements, positions, batch.real)
            found.append(self.head(torch.cat([*text, mean_of_real(atoms, batch.real)], dim=-1)))
        return torch.stack(found).mean(dim=0)

    def pretraining_loss(self, batch: MultimodalBatch, rng: np.random.Generator) -> Tensor:
        """Masked tokens, displaced atoms, and contrast between the towers, summed as published."""
        losses, views = [], []
        if self.text is not None:
            loss, tokens = self._masked_tokens(self.text, batch, rng)
            losses.append(loss)
            views.append(self.contrast["text"](mean_of_real(tokens, batch.readable)))
        if self.structure is not None:
            loss, atoms = self._displaced_atoms(self.structure, batch, rng)
            losses.append(loss)
            views.append(self.contrast["structure"](mean_of_real(atoms, batch.real)))
        if len(views) > 1:
            losses.append(info_nce(*views))
        return torch.stack(losses).sum()

    @staticmethod
    def _masked_tokens(
        text: TextTower, batch: MultimodalBatch, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Of 15 % of the tokens 80 % are hidden, 10 % are others, 10 % stay; all are to be told."""
        ordinary = batch.readable & (batch.tokens > END)
        chosen = random_choice(ordinary, _MASKED, _uniform(ordinary, rng)) & ordinary
        how = _uniform(ordinary, rng)
        other = torch.from_numpy(rng.integers(MASK + 1, len(vocabulary()), tuple(how.shape))).to(how.device)
        shown = torch.where(chosen & (how < 0.8), MASK, batch.tokens)
        shown = torch.where(chosen & (how >= 0.9), other, shown)
        tokens = text(shown, batch.readable)
        return functional.cross_entropy(text.masked(tokens[chosen]), batch.tokens[chosen]), tokens

    @staticmethod
    def _displaced_atoms(
        structure: StructureTower, batch: MultimodalBatch, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """15 % of the atoms are moved, up to 1 Å along each axis; where they were is to be told."""
        true = batch.positions[:, 0]
        chosen = random_choice(batch.real, _MASKED, _uniform(batch.real, rng))
        moved = displaced(true, chosen, _REACH, rng)
        atoms, pairs = structure(batch.elements, moved, batch.real)
        return position_loss(structure.undisturbed(pairs, moved, batch.real), true, chosen), atoms


def _uniform(like: Tensor, rng: np.random.Generator) -> Tensor:
    """Numbers from 0 to 1 in the shape of another tensor."""
    return torch.from_numpy(rng.random(tuple(like.shape))).to(like.device)
