"""Training of MIPS: pre-training, five folds, all polymers; it can go on.

Everything that takes long is kept in a folder: the checkpoint of the pre-training and a file a fold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from polymd.properties.blending import NetworkFolds
from polymd.properties.mips.finetuning import Finetuning
from polymd.properties.mips.folds import Polymers, train_fold, train_on_all
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.mips.pretraining import Pretraining, pretrain
from polymd.properties.mips.shape import N_SHAPE, shape_descriptors
from polymd.properties.mips.store import UnitStore
from polymd.properties.mips.trained import MipsModel
from polymd.properties.networks.trained import shipped_tensors
from polymd.properties.networks.training import stored_folds
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.training_tables import TrainingTable

__all__ = [
    "MipsSettings",
    "folds_of_mips",
    "held_out_networks",
    "pretrained",
    "read_polymers",
    "shipped_start",
    "train_mips",
]


@dataclass(frozen=True)
class MipsSettings:
    """What a training of MIPS is asked for."""

    folder: Path  #: of checkpoints
    pool: Sequence[str] = ()  #: polymers to pre-train on; none: start from `start`
    start: Mips | None = None
    pretraining: Pretraining = field(default_factory=Pretraining)
    finetuning: Finetuning = field(default_factory=Finetuning)
    shape: bool = False  #: with 3D descriptors

    @property
    def sizes(self) -> Sizes:
        """Of the networks that are fine-tuned."""
        return replace(self.pretraining.sizes, shape=N_SHAPE if self.shape else 0)


def train_mips(
    tables: Mapping[str, TrainingTable],
    settings: MipsSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[MipsModel, dict[str, NetworkFolds]]:
    """One network for all tables, and what those of the five folds said."""
    start = pretrained(settings, tell)
    polymers = read_polymers(tables, settings, start)
    folds = held_out_networks(polymers, start, settings, tell)
    return train_on_all(polymers, start, settings.sizes, settings.finetuning, tell), folds


def folds_of_mips(
    tables: Mapping[str, TrainingTable],
    settings: MipsSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, NetworkFolds]:
    """What the networks of the five folds say, as `train_mips`, without one of all polymers."""
    start = pretrained(settings, tell)
    return held_out_networks(read_polymers(tables, settings, start), start, settings, tell)


def pretrained(settings: MipsSettings, tell: Callable[[str], None] = lambda _: None) -> Mips | None:
    """The network to start from."""
    if not settings.pool:
        return settings.start
    settings.folder.mkdir(parents=True, exist_ok=True)
    path, budget = settings.folder / "units.npz", settings.pretraining
    if not path.exists():
        units = UnitStore.read(
            settings.pool,
            budget.sizes.threshold,
            most_atoms=budget.most_atoms,
            counts=budget.counts,
            tell=tell,
        )
        units.save(path)
    return pretrain(UnitStore.load(path), budget, settings.folder / "pretraining.pt", tell)


def held_out_networks(
    polymers: Polymers,
    start: Mips | None,
    settings: MipsSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, NetworkFolds]:
    """Predictions of the networks of five folds, by table; folds done before are read."""
    fold, first = crc32(polymers.fold.tobytes()), settings.finetuning.seed
    found = []
    for seed in range(first, first + settings.finetuning.networks):
        own = replace(settings.finetuning, seed=seed, networks=1)
        about = repr((polymers.names, fold, own, settings.sizes))
        train = partial(train_fold, polymers, start=start, sizes=settings.sizes, settings=own, tell=tell)
        found.append(stored_folds(settings.folder / f"network-{seed}", about, polymers.rows, train, tell))
    return {name: NetworkFolds.mean([folds[name] for folds in found]) for name in polymers.names}


def shipped_start() -> Mips | None:
    """The shipped network that was pre-trained and has seen no labels; None where there is none."""
    stored = shipped_tensors("mips")
    return None if stored is None else MipsModel.of_tensors(*stored).networks[0]


def read_polymers(
    tables: Mapping[str, TrainingTable], settings: MipsSettings, start: Mips | None = None
) -> Polymers:
    """Chains of the tables, with the descriptors of `start` and 3D ones where they are asked for."""
    threshold, vocabulary = settings.sizes.threshold, None if start is None else start.vocabulary
    if not settings.shape:
        return Polymers.of(tables, threshold, vocabulary)
    path = settings.folder / "shapes.npz"
    chains = sorted({canonical_chain(p) for table in tables.values() for p in table.psmiles})
    if not path.exists():
        settings.folder.mkdir(parents=True, exist_ok=True)
        np.savez(path, chains=chains, shapes=[shape_descriptors(chain) for chain in chains])
    with np.load(path) as stored:
        shapes: dict[str, NDArray[np.float64]] = dict(zip(stored["chains"], stored["shapes"], strict=True))
    return Polymers.of(tables, threshold, vocabulary, shapes)
