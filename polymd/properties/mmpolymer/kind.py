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
from polymd.properties.networks.kind import PHYSICS_SHARES, Course, NetworkKind, physics_of
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from polymd.properties.networks.taught_pool import TaughtPool

__all__ = ["MMPolymerKind", "Multimodal"]

_TEXT = 0.7  # of the budget of a pre-training, for the P-SMILES tower alone


@dataclass(frozen=True)
class Multimodal:
    """One unit in both modalities, or in those that a network sees."""

    tokens: NDArray[np.int64]  #: (L,)
    conformers: Conformers | None
    physics: NDArray[np.float32] | None = None  #: (28,), `Fingerprint.physics` of the chain
    taught: NDArray[np.float32] | None = None  #: (D,), what pre-training learns of the chain


@dataclass(frozen=True)
class MMPolymerKind(NetworkKind):
    """MMPolymer of some sizes, with conformers out of a store, and in pre-training with what is taught."""

    key = "mmpolymer"
    pretraining_parts = ("text.masked.", "structure.displacements.", "contrast.", "taught.")
    head_parts = ("head.", "physics.")
    shares = tuple({"physics": share, "text": 0.5, "structure": 0.5} for share in PHYSICS_SHARES)
    sizes: Sizes = field(default_factory=Sizes)
    store: ConformerStore = field(default_factory=ConformerStore, compare=False)
    pool: TaughtPool | None = field(default=None, compare=False)

    @property
    def sees_space(self) -> bool:
        return self.sizes.modalities != "text"

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
        known: dict[str, Conformers | None] = dict.fromkeys(readable)
        if self.sees_space:
            known |= zip(readable, self.store.find(readable, tell), strict=True)
        return [self._sample(text, known[text]) if text in known else None for text in psmiles]

    def _sample(self, psmiles: str, conformers: Conformers | None) -> Multimodal:
        physics = physics_of(psmiles) if self.sizes.physics else None
        taught = None if self.pool is None else self.pool.of(psmiles)
        return Multimodal(encode(psmiles), conformers, physics, taught)

    def courses(self, pool: TaughtPool, placed: int) -> list[Course]:
        """The P-SMILES tower on the whole pool, then both towers on the chains that have conformers."""
        sizes = replace(self.sizes, physics=False, taught=pool.width, dropout=0.0)
        kind = replace(self, sizes=sizes, pool=pool)
        if sizes.modalities == "text":
            return [Course("text", kind, pool.chains, 1.0)]
        last = Course(sizes.modalities, kind, pool.chains[:placed], 1.0)
        if sizes.modalities == "structure":
            return [last]
        text = replace(kind, sizes=replace(sizes, modalities="text"))
        return [Course("text", text, pool.chains, _TEXT), replace(last, share=1.0 - _TEXT)]

    def placed(self, psmiles: str, conformers: Conformers | None) -> Multimodal:
        """With the tokens of the canonical chain, whichever unit of it the conformers are of."""
        if conformers is None:
            raise ValueError("'mmpolymer' takes no units without positions; fix: give conformers")
        return self._sample(canonical_chain(psmiles), conformers)

    def size(self, sample: Multimodal) -> int:
        return len(sample.tokens) + (0 if sample.conformers is None else len(sample.conformers))

    def collate(
        self, samples: Sequence[Multimodal], rng: np.random.Generator | None = None
    ) -> MultimodalBatch:
        """In training one conformer of each, at random; otherwise all."""
        length = min(LONGEST, max(len(sample.tokens) for sample in samples))
        placed = [sample.conformers for sample in samples if sample.conformers is not None]
        size = max((len(conformers) for conformers in placed), default=0)
        count = 1 if rng is not None or not placed else placed[0].positions.shape[0]
        tokens = np.full((len(samples), length), PAD, dtype=np.int64)
        elements = np.zeros((len(samples), size), dtype=np.int64)
        real = np.zeros((len(samples), size), dtype=np.bool_)
        positions = np.zeros((len(samples), count, size, 3), dtype=np.float32)
        for b, sample in enumerate(samples):
            text = sample.tokens[:length]
            tokens[b, : len(text)] = text
            if sample.conformers is None:
                continue
            n, found = len(sample.conformers), sample.conformers.positions
            elements[b, :n], real[b, :n] = element_categories(sample.conformers.numbers), True
            positions[b, :, :n] = found if rng is None else found[rng.integers(len(found))]
        physics = [sample.physics for sample in samples if sample.physics is not None]
        taught = [sample.taught for sample in samples if sample.taught is not None]
        return MultimodalBatch(
            torch.from_numpy(tokens),
            torch.from_numpy(tokens != PAD),
            torch.from_numpy(elements),
            torch.from_numpy(positions),
            torch.from_numpy(real),
            torch.from_numpy(np.array(physics)) if physics else None,
            torch.from_numpy(np.array(taught)) if taught else None,
        )

    def build(self, targets: int) -> MMPolymer:
        return MMPolymer(self.sizes, targets)

    def views(self, network: MMPolymer, batch: MultimodalBatch) -> dict[str, Tensor]:
        return network.views(batch)

    def set_scales(self, network: MMPolymer, samples: Sequence[Multimodal]) -> None:
        """Of physics."""
        if self.sizes.physics:
            network.physics.set_scales(np.array([sample.physics for sample in samples]))

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
