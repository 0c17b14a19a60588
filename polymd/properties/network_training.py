"""Training of MIPS: pre-training, five folds, all polymers; it can go on.

Everything that takes long is kept in a folder: the checkpoint of the pre-training and a file a fold.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from polymd.properties.mips.finetuning import Finetuning
from polymd.properties.mips.folds import Polymers, train_fold, train_on_all
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.mips.pretraining import Pretraining, pretrain
from polymd.properties.mips.shape import N_SHAPE, shape_descriptors
from polymd.properties.mips.store import UnitStore
from polymd.properties.networks.folds import HeldOut
from polymd.properties.networks.training import stored_folds
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from polymd.properties.blending import NetworkFolds
    from polymd.properties.mips.trained import MipsModel
    from polymd.properties.training_tables import TrainingTable

__all__ = [
    "NetworkSettings",
    "held_out_networks",
    "pretrained",
    "read_polymers",
    "read_pool",
    "shipped_start",
    "train_mips",
]


@dataclass(frozen=True)
class NetworkSettings:
    """What a training of MIPS is asked for."""

    folder: Path  #: of checkpoints
    pool: Sequence[str] = ()  #: polymers to pre-train on; none: start from `start`
    start: Mips | None = None
    pretraining: Pretraining = field(default_factory=Pretraining)
    finetuning: Finetuning = field(default_factory=Finetuning)
    shape: bool = False  #: with 3D descriptors in training

    @property
    def sizes(self) -> Sizes:
        """Of the networks that are fine-tuned."""
        return replace(self.pretraining.sizes, shape=N_SHAPE if self.shape else 0)


def train_mips(
    tables: Mapping[str, TrainingTable],
    settings: NetworkSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[MipsModel, dict[str, NetworkFolds]]:
    """One network for all tables, and what those of the five folds said."""
    start = pretrained(settings, tell)
    polymers = read_polymers(tables, settings, start)
    folds = held_out_networks(polymers, start, settings, tell)
    tell("all polymers")
    return train_on_all(polymers, start, settings.sizes, settings.finetuning), folds


def pretrained(settings: NetworkSettings, tell: Callable[[str], None] = lambda _: None) -> Mips | None:
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
    settings: NetworkSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, NetworkFolds]:
    """Predictions of the networks of five folds, by table; folds done before are read."""
    folds = crc32(polymers.fold.tobytes())
    about = repr((polymers.names, folds, settings.finetuning, settings.sizes))

    def train(fold: int) -> HeldOut:
        return train_fold(polymers, fold, start, settings.sizes, settings.finetuning, tell)

    return stored_folds(settings.folder, about, polymers.rows, train, tell)


def read_pool(path: Path) -> list[str]:
    """P-SMILES of a CSV file with a column `psmiles` or `SMILES`; raises ValueError where it has none."""
    import pandas as pd

    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a CSV file with a column psmiles or SMILES")
    frame = pd.read_csv(path)
    column = next((name for name in ("psmiles", "SMILES") if name in frame), None)
    if column is None:
        raise ValueError(f"{path} has no column 'psmiles' or 'SMILES'; it has {list(frame.columns)}")
    return [str(text) for text in frame[column]]


def shipped_start() -> Mips | None:
    """The shipped network that was pre-trained and has seen no labels; None where there is none."""
    from safetensors import safe_open

    from polymd.properties.mips.trained import MipsModel

    path = Path(__file__).parent / "weights" / "mips-pretrained.safetensors"
    if not path.is_file():
        return None
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        return MipsModel.of_tensors(tensors, file.metadata()["mips"]).network


def read_polymers(
    tables: Mapping[str, TrainingTable], settings: NetworkSettings, start: Mips | None = None
) -> Polymers:
    """Chains of the tables, with the descriptors of `start` and 3D ones where they are asked for."""
    threshold, vocabulary = settings.sizes.threshold, None if start is None else start.vocabulary
    if not settings.shape:
        return Polymers.of(tables, threshold, vocabulary)
    path = settings.folder / "shapes.npz"
    chains = sorted({canonical_chain(p) for table in tables.values() for p in table.psmiles})
    if not path.exists():
        settings.folder.mkdir(parents=True, exist_ok=True)
        missing = np.full(N_SHAPE, np.nan)
        found = [shape_descriptors(chain) for chain in chains]
        np.savez(path, chains=chains, shapes=[missing if shape is None else shape for shape in found])
    with np.load(path) as stored:
        shapes: dict[str, NDArray[np.float64]] = dict(zip(stored["chains"], stored["shapes"], strict=True))
    return Polymers.of(tables, threshold, vocabulary, shapes)
