"""How polymers become batches of MMPolymer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.mmpolymer.model import MMPolymer, MultimodalBatch
from polymd.properties.mmpolymer.tokens import PAD, encode
from polymd.properties.mmpolymer.towers import LONGEST, Sizes
from polymd.properties.networks.conformers import Conformers, ConformerStore
from polymd.properties.networks.elements import element_categories
from polymd.properties.networks.kind import NetworkKind
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

__all__ = ["MMPolymerKind", "Multimodal"]


@dataclass(frozen=True)
class Multimodal:
    """One unit in both modalities."""

    tokens: NDArray[np.int64]  #: (L,)
    conformers: Conformers


@dataclass(frozen=True)
class MMPolymerKind(NetworkKind):
    """MMPolymer of some sizes, with conformers out of a store."""

    key = "mmpolymer"
    sizes: Sizes = field(default_factory=Sizes)
    store: ConformerStore = field(default_factory=ConformerStore, compare=False)

    @classmethod
    def of(cls, sizes: dict[str, Any]) -> MMPolymerKind:
        """With conformers in memory."""
        return cls(Sizes(**sizes))

    def keeping(self, path: Path, conformers: int) -> MMPolymerKind:
        return replace(self, store=ConformerStore(path, conformers))

    def as_dict(self) -> dict[str, Any]:
        return self.sizes.as_dict()

    def prepare(
        self, psmiles: Sequence[str], tell: Callable[[str], None] = lambda _: None
    ) -> list[Multimodal | None]:
        readable = [text for text in psmiles if _is_readable(text)]
        known = dict(zip(readable, self.store.find(readable, tell), strict=True))
        return [Multimodal(encode(text), known[text]) if text in known else None for text in psmiles]

    def placed(self, psmiles: str, conformers: Conformers | None) -> Multimodal:
        """With the tokens of the canonical chain, whichever unit of it the conformers are of."""
        if conformers is None:
            raise ValueError("'mmpolymer' takes no units without positions; fix: give conformers")
        return Multimodal(encode(canonical_chain(psmiles)), conformers)

    def size(self, sample: Multimodal) -> int:
        return len(sample.tokens) + len(sample.conformers)

    def collate(
        self, samples: Sequence[Multimodal], rng: np.random.Generator | None = None
    ) -> MultimodalBatch:
        """In training one conformer of each, at random; otherwise all."""
        length = min(LONGEST, max(len(sample.tokens) for sample in samples))
        size = max(len(sample.conformers) for sample in samples)
        count = 1 if rng is not None else samples[0].conformers.positions.shape[0]
        tokens = np.full((len(samples), length), PAD, dtype=np.int64)
        elements = np.zeros((len(samples), size), dtype=np.int64)
        real = np.zeros((len(samples), size), dtype=np.bool_)
        positions = np.zeros((len(samples), count, size, 3), dtype=np.float32)
        for b, sample in enumerate(samples):
            n, text = len(sample.conformers), sample.tokens[:length]
            tokens[b, : len(text)] = text
            elements[b, :n], real[b, :n] = element_categories(sample.conformers.numbers), True
            found = sample.conformers.positions
            positions[b, :, :n] = found if rng is None else found[rng.integers(len(found))]
        return MultimodalBatch(
            torch.from_numpy(tokens),
            torch.from_numpy(tokens != PAD),
            torch.from_numpy(elements),
            torch.from_numpy(positions),
            torch.from_numpy(real),
        )

    def build(self, targets: int) -> MMPolymer:
        return MMPolymer(self.sizes, targets)

    def pretraining_loss(
        self, network: MMPolymer, batch: MultimodalBatch, rng: np.random.Generator
    ) -> Tensor:
        return network.pretraining_loss(batch, rng)


def _is_readable(psmiles: str) -> bool:
    """Whether it is a P-SMILES; the lists to pre-train on hold a few that are none."""
    from polymd.psmiles import parse

    try:
        parse(psmiles)
    except ValueError:
        return False
    return True
