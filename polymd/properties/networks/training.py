"""Training of a network of any kind beside the Gaussian processes: pre-training, five folds, all polymers.

Everything that takes long is kept in a folder, so that a training can go on: conformers, the checkpoint of
the pre-training and a file a fold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from polymd.datasets.properties import N_FOLDS
from polymd.properties.blending import NetworkFolds
from polymd.properties.networks.finetuning import Finetuning
from polymd.properties.networks.folds import (
    HeldOut,
    Polymers,
    kernel_fold,
    kernel_on_all,
    train_fold,
    train_on_all,
)
from polymd.properties.networks.kernel_head import views_of
from polymd.properties.networks.pretraining import Pretraining, pretrain
from polymd.properties.networks.taught_pool import TaughtPool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from polymd.properties.networks.kind import NetworkKind
    from polymd.properties.networks.trained import TrainedNetwork
    from polymd.properties.training_tables import TrainingTable

    Views = dict[str, NDArray[np.float64]]

__all__ = [
    "TrainingSettings",
    "held_out_networks",
    "pretrained",
    "stored_folds",
    "train_kind",
    "trained_folds",
]

_CONFORMERS = 2  # of a labelled unit; one of them in a step, all in a prediction


@dataclass(frozen=True)
class TrainingSettings:
    """What a training is asked for."""

    folder: Path  #: of checkpoints
    pool: Sequence[str] = ()  #: polymers to pre-train on; none: start from `start`
    start: nn.Module | None = None  #: a pre-trained network; None: random weights
    pretraining: Pretraining = field(default_factory=Pretraining)
    finetuning: Finetuning | None = None  #: of the whole network; None: a kernel on it as it is


def train_kind(
    kind: NetworkKind,
    tables: Mapping[str, TrainingTable],
    settings: TrainingSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[TrainedNetwork, dict[str, NetworkFolds]]:
    """One network for all tables, and what those of the five folds said."""
    start = pretrained(kind, settings, tell)
    polymers, keeping = Polymers.of(tables), _keeping(kind, settings)
    views = _views(keeping, polymers, start, settings, tell)
    folds = held_out_networks(keeping, polymers, start, settings, tell, views)
    tell("all polymers")
    if settings.finetuning is None:
        network = keeping.start(1, start, settings.pretraining.seed)
        return kernel_on_all(keeping, polymers, network, views()), folds
    return train_on_all(keeping, polymers, start, settings.finetuning), folds


def trained_folds(
    kind: NetworkKind,
    tables: Mapping[str, TrainingTable],
    settings: TrainingSettings,
    tell: Callable[[str], None] = lambda _: None,
) -> dict[str, NetworkFolds]:
    """Held-out predictions by table, pre-training included."""
    start = pretrained(kind, settings, tell)
    return held_out_networks(_keeping(kind, settings), Polymers.of(tables), start, settings, tell)


def _keeping(kind: NetworkKind, settings: TrainingSettings) -> NetworkKind:
    """With the conformers of labelled polymers in a file."""
    return kind.keeping(settings.folder / "conformers.npz", _CONFORMERS)


def pretrained(
    kind: NetworkKind, settings: TrainingSettings, tell: Callable[[str], None] = lambda _: None
) -> nn.Module | None:
    """The network to start from."""
    if not settings.pool:
        return settings.start
    path, budget, network = settings.folder / "pool.npz", settings.pretraining, None
    if not path.exists():
        TaughtPool.read(settings.pool, budget.counts, tell).save(path)
    for course in kind.courses(TaughtPool.load(path), budget.placed):
        part = budget.shared(course.share)
        taught = course.kind.keeping(settings.folder / "placed.npz", 1)
        checkpoint = settings.folder / f"{course.name}.pt"
        network = pretrain(taught, course.chains, part, checkpoint, tell, network)
    return network


def _views(
    kind: NetworkKind,
    polymers: Polymers,
    start: nn.Module | None,
    settings: TrainingSettings,
    tell: Callable[[str], None],
) -> Callable[[], Views]:
    """What the network to start from says of all chains, worked out once and only when asked for."""

    @cache
    def views() -> Views:
        network = kind.start(1, start, settings.pretraining.seed)
        return views_of(kind, network, kind.prepare(polymers.chains, tell))

    return views


def held_out_networks(
    kind: NetworkKind,
    polymers: Polymers,
    start: nn.Module | None,
    settings: TrainingSettings,
    tell: Callable[[str], None] = lambda _: None,
    views: Callable[[], Views] | None = None,
) -> dict[str, NetworkFolds]:
    """Predictions of the networks of five folds, by table; folds done before are read.

    `views` are those of `start` on all chains, worked out here where they are not given.

    Raises
    ------
    ValueError
        A file of a fold is of another training.
    """
    views = views or _views(kind, polymers, start, settings, tell)
    about = repr(
        (kind.key, kind.as_dict(), polymers.names, crc32(polymers.fold.tobytes()), settings.finetuning)
    )

    def train(fold: int) -> HeldOut:
        if settings.finetuning is None:
            return kernel_fold(polymers, views(), kind.shares, fold, settings.pretraining.seed)
        return train_fold(kind, polymers, fold, start, settings.finetuning, tell)

    return stored_folds(settings.folder, about, polymers.rows, train, tell)


def stored_folds(
    folder: Path,
    about: str,
    rows: Mapping[str, NDArray[np.int64]],
    train: Callable[[int], HeldOut],
    tell: Callable[[str], None],
) -> dict[str, NetworkFolds]:
    """Five folds by table, each out of a file in `folder` or trained and kept there.

    `about` tells trainings apart; `rows` are the chain of each row of a table, in the order of targets.

    Raises
    ------
    ValueError
        A file of a fold is of another training.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for fold in range(N_FOLDS):
        path = folder / f"fold-{fold}.npz"
        if not path.exists():
            tell(f"fold {fold + 1} of {N_FOLDS}")
            held_out = train(fold)
            np.savez(path, about=about, validation=held_out.validation, predicted=held_out.predicted)
        with np.load(path) as stored:
            if str(stored["about"]) != about:
                raise ValueError(f"{path} is of another training; take another --out or remove the folder")
            found.append(HeldOut(stored["validation"], stored["predicted"]))
    return {
        name: NetworkFolds(
            np.array([fold.predicted[chains, column] for fold in found]),
            np.array([fold.validation[chains] for fold in found]),
        )
        for column, (name, chains) in enumerate(rows.items())
    }
