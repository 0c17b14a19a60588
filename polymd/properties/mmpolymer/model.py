"""MMPolymer: both towers, their contrast, and targets from either or both (arXiv 2406.04727, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from polymd.properties.fingerprints import PHYSICS
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
from polymd.properties.networks.kind import check_modalities
from polymd.properties.networks.taught_pool import teaching_loss

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MMPolymer", "MultimodalBatch"]

_DISTURBED = 0.4  # share of units in pre-training; the others are whole, so that all of a chain can be told
_MASKED = 0.15  # share of their tokens, and of their atoms that are displaced
_REACH = 1.0  # Å, of the noise on a coordinate
_LEAST_SPREAD = 1e-3  # of a number that is the same for all
_MOST = 5.0  # spreads from the mean that physics may lie


@dataclass(frozen=True)
class MultimodalBatch:
    """B units, filled up to L tokens and N atoms, K conformers each; for a text tower alone N is 0."""

    tokens: Tensor  #: (B, L) int64
    readable: Tensor  #: (B, L) bool, no filling
    elements: Tensor  #: (B, N) int64, `element_categories`
    positions: Tensor  #: (B, K, N, 3), Å
    real: Tensor  #: (B, N) bool, no filling
    physics: Tensor | None = None  #: (B, 28), `PHYSICS`
    taught: Tensor | None = None  #: (B, D), what pre-training learns of chains

    def to(self, device: torch.device) -> MultimodalBatch:
        """The same on a device."""
        parts: dict[str, Any] = {
            name: None if part is None else part.to(device) for name, part in vars(self).items()
        }
        return MultimodalBatch(**parts)


class PhysicsView(nn.Module):
    """What is computed of a chain, (B, 28), to (B, channels); standardised by `scales`, means and spreads."""

    scales: Tensor  #: (2, 28)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("scales", torch.tensor([[0.0], [1.0]]).repeat(1, len(PHYSICS)))
        self.told = nn.Sequential(nn.Linear(len(PHYSICS), channels), nn.SiLU(), nn.Linear(channels, channels))

    def set_scales(self, physics: NDArray[np.float32]) -> None:
        """From physics (N, 28) of some chains."""
        scales = np.stack([physics.mean(axis=0), physics.std(axis=0).clip(_LEAST_SPREAD)])
        self.scales.copy_(torch.from_numpy(scales))

    def forward(self, physics: Tensor) -> Tensor:
        mean, spread = self.scales
        view: Tensor = self.told(((physics - mean) / spread).clamp(-_MOST, _MOST))
        return view


class MMPolymer(nn.Module):
    """Units to targets. Representations of a tower are the means over its tokens; published: of the first."""

    def __init__(self, sizes: Sizes, targets: int = 1) -> None:
        super().__init__()
        check_modalities(sizes.modalities, MODALITIES)
        self.sizes, self.targets = sizes, targets
        width = sizes.channels
        self.text = None if sizes.modalities == "structure" else TextTower(sizes)
        self.structure = None if sizes.modalities == "text" else StructureTower(sizes)
        joined = (2 if sizes.modalities == "both" else 1) + sizes.physics
        if sizes.physics:
            self.physics = PhysicsView(width)
        self.contrast = nn.ModuleDict({name: nn.Linear(width, width) for name in ("text", "structure")})
        if sizes.taught:
            self.taught = nn.ModuleDict({name: nn.Linear(width, sizes.taught) for name in self.contrast})
        self.head = nn.Sequential(
            nn.Linear(joined * width, width), nn.SiLU(), nn.Dropout(sizes.dropout), nn.Linear(width, targets)
        )

    def forward(self, batch: MultimodalBatch) -> Tensor:
        """Targets (B, T), the mean over conformers."""
        views = [] if batch.physics is None else [self.physics(batch.physics)]
        if self.text is not None:
            views.append(self._text(self.text, batch))
        if self.structure is None:
            values: Tensor = self.head(torch.cat(views, dim=-1))
            return values
        found = [
            self.head(torch.cat([*views, one], dim=-1)) for one in self._structures(self.structure, batch)
        ]
        return torch.stack(found).mean(dim=0)

    def views(self, batch: MultimodalBatch) -> dict[str, Tensor]:
        """What is computed of the chains, (B, 28), and what each tower says of them, (B, channels)."""
        found = {} if batch.physics is None else {"physics": batch.physics}
        if self.text is not None:
            found["text"] = self._text(self.text, batch)
        if self.structure is not None:
            found["structure"] = torch.stack(self._structures(self.structure, batch)).mean(dim=0)
        return found

    @staticmethod
    def _text(text: TextTower, batch: MultimodalBatch) -> Tensor:
        """Means (B, channels) over tokens."""
        return mean_of_real(text(batch.tokens, batch.readable), batch.readable)

    @staticmethod
    def _structures(structure: StructureTower, batch: MultimodalBatch) -> list[Tensor]:
        """Means (B, channels) over atoms, of every conformer."""
        return [
            mean_of_real(structure(batch.elements, positions, batch.real)[0], batch.real)
            for positions in batch.positions.unbind(dim=1)
        ]

    def pretraining_loss(self, batch: MultimodalBatch, rng: np.random.Generator) -> Tensor:
        """Masked tokens, displaced atoms, contrast between the towers, and what each tells of the chain."""
        losses, views = [], []
        if self.text is not None:
            loss, tokens = self._masked_tokens(self.text, batch, rng)
            losses.append(loss)
            views.append(("text", mean_of_real(tokens, batch.readable)))
        if self.structure is not None:
            loss, atoms = self._displaced_atoms(self.structure, batch, rng)
            losses.append(loss)
            views.append(("structure", mean_of_real(atoms, batch.real)))
        if len(views) > 1:
            losses.append(info_nce(*(self.contrast[name](view) for name, view in views)))
        if batch.taught is not None:
            losses += [teaching_loss(self.taught[name](view), batch.taught) for name, view in views]
        return torch.stack(losses).sum()

    @staticmethod
    def _masked_tokens(
        text: TextTower, batch: MultimodalBatch, rng: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Of 15 % of the tokens 80 % are hidden, 10 % are others, 10 % stay; all are to be told."""
        disturbed = _disturbed(batch.readable, rng)
        ordinary = batch.readable & (batch.tokens > END) & disturbed
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
        disturbed = _disturbed(batch.real, rng)
        chosen = random_choice(batch.real, _MASKED, _uniform(batch.real, rng)) & disturbed
        moved = displaced(true, chosen, _REACH, rng)
        atoms, pairs = structure(batch.elements, moved, batch.real)
        return position_loss(structure.undisturbed(pairs, moved, batch.real), true, chosen), atoms


def _disturbed(like: Tensor, rng: np.random.Generator) -> Tensor:
    """Which of B units (B, 1) are masked or displaced at all, one of them at least; for tensors (B, N)."""
    chosen = rng.random((len(like), 1)) < _DISTURBED
    chosen[0] |= not chosen.any()
    return torch.from_numpy(chosen).to(like.device)


def _uniform(like: Tensor, rng: np.random.Generator) -> Tensor:
    """Numbers from 0 to 1 in the shape of another tensor."""
    return torch.from_numpy(rng.random(tuple(like.shape))).to(like.device)
