"""Fine-tuning of MIPS: what `networks.finetuning` trains it on, descriptors hidden at random."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.mips.graphs import Batch
from polymd.properties.networks import finetuning
from polymd.properties.networks.kind import fastest_device

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from polymd.properties.mips.graphs import ChainTensors
    from polymd.properties.mips.model import Mips

    Floats = NDArray[np.float64]

__all__ = ["Examples", "Finetuning", "finetune"]


@dataclass(frozen=True)
class Finetuning(finetuning.Finetuning):
    """Settings of a fine-tuning."""

    epochs: int = 10
    hidden: Mapping[str, float] = field(  #: share of polymers whose descriptors of a kind are hidden
        default_factory=lambda: {"descriptors": 0.2, "physics": 0.2, "shape": 0.5}
    )
    networks: int = 1  #: of one start, with other seeds and other validation polymers; their mean is taken


@dataclass(frozen=True)
class Examples:
    """N polymers with T standardised targets."""

    chains: list[ChainTensors]
    targets: Floats  #: (N, T), nan where there is no label
    threshold: int  #: of the chains, in bonds
    extras: dict[str, NDArray[Any]] = field(default_factory=dict)  #: of `EXTRAS`, N rows each; see `Batch`
    hidden: Mapping[str, float] = field(default_factory=dict)  #: of `Finetuning`

    def batch(self, rows: NDArray[np.int64], rng: np.random.Generator | None = None) -> Batch:
        """Some polymers with all that is known of them; in training some descriptors are hidden."""
        extras = {name: values[rows] for name, values in self.extras.items()}
        batch = Batch.of([self.chains[row] for row in rows], self.threshold, extras).to(fastest_device())
        return batch if rng is None else self._hide(batch)

    def sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Atoms of some units."""
        return np.array([len(self.chains[row]) for row in rows], dtype=np.int64)

    def _hide(self, batch: Batch) -> Batch:
        """The same with descriptors of some polymers missing, so that both parts learn to speak alone."""
        left = {}
        for name, share in self.hidden.items():
            values: Tensor | None = getattr(batch, name)
            if values is not None:
                unseen = torch.rand(len(values), 1, device=values.device) < share
                left[name] = values.masked_fill(unseen, torch.nan)
        return replace(batch, **left)


def finetune(
    network: Mips,
    examples: Examples,
    train: NDArray[np.int64],
    validation: NDArray[np.int64],
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> Mips:
    """`networks.finetuning.finetune` of MIPS, in single precision, which is as fast for it."""
    hiding = replace(examples, hidden=settings.hidden)
    return finetuning.finetune(network, hiding, train, validation, settings, tell, mixed=False)
