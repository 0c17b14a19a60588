"""Held-out predictions of a network of any kind, many properties together.

One polymer lies in the same fold in all tables, so that one network learns all properties of the training
folds at once. Nested: epochs and blend weights are chosen on validation polymers of the training folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from polymd.properties.networks.finetuning import Examples, Finetuning, finetune, outputs
from polymd.properties.networks.kernel_head import KernelHead
from polymd.properties.networks.trained import TrainedNetwork
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from polymd.properties.networks.kind import NetworkKind
    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = [
    "HeldOut",
    "Polymers",
    "folds_of_chains",
    "kernel_fold",
    "kernel_on_all",
    "standardised",
    "train_fold",
    "train_on_all",
    "validation_chains",
]

_VALIDATION = 12  # per cent of the training polymers


@dataclass(frozen=True)
class Polymers:
    """The chains of several tables, each once; N chains, T tables."""

    names: list[str]
    chains: list[str]  #: canonical
    rows: dict[str, NDArray[np.int64]]  #: of every table, the chain of each of its rows
    values: dict[str, Floats]  #: of every table, its targets
    fold: NDArray[np.int64]  #: (N,)

    @classmethod
    def of(cls, tables: Mapping[str, TrainingTable]) -> Polymers:
        """From tables whose folds agree; raises ValueError where they do not."""
        chains, rows, fold = folds_of_chains(tables)
        return cls(list(tables), chains, rows, {name: t.targets for name, t in tables.items()}, fold)

    def targets(self, train: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        """Targets (N, T) standardised by the training chains (N,), nan where missing; means, scales (T,)."""
        return standardised(self.rows, self.values, train)


def folds_of_chains(
    tables: Mapping[str, TrainingTable],
) -> tuple[list[str], dict[str, NDArray[np.int64]], NDArray[np.int64]]:
    """Chains (N,) of several tables, of every table the chain of each row, and the fold of each chain.

    Raises ValueError where the tables disagree about the fold of a chain.
    """
    keys = {name: [canonical_chain(p) for p in table.psmiles] for name, table in tables.items()}
    place = {chain: i for i, chain in enumerate(dict.fromkeys(c for k in keys.values() for c in k))}
    rows = {name: np.array([place[c] for c in chains], dtype=np.int64) for name, chains in keys.items()}
    fold = np.full(len(place), -1, dtype=np.int64)
    for name, table in tables.items():
        fold[rows[name]] = table.fold
    for name, table in tables.items():
        if not np.array_equal(fold[rows[name]], table.fold):
            raise ValueError(f"a polymer of {name!r} lies in another fold elsewhere; deal folds together")
    return list(place), rows, fold


def standardised(
    rows: Mapping[str, NDArray[np.int64]], values: Mapping[str, Floats], train: NDArray[np.bool_]
) -> tuple[Floats, Floats, Floats]:
    """Targets (N, T) standardised by the training chains (N,), nan where missing; means, scales (T,)."""
    targets = np.full((len(train), len(rows)), np.nan)
    means, scales = np.empty(len(rows)), np.empty(len(rows))
    for column, (name, chains) in enumerate(rows.items()):
        known = values[name][train[chains]]
        means[column], scales[column] = known.mean(), known.std() or 1.0
        count = np.bincount(chains, minlength=len(targets))  # a chain that stands twice has the mean value
        total = np.bincount(chains, values[name], minlength=len(targets))
        some = count > 0
        targets[some, column] = (total[some] / count[some] - means[column]) / scales[column]
    return targets, means, scales


@dataclass(frozen=True)
class HeldOut:
    """What one fold's network says of all chains."""

    validation: NDArray[np.bool_]  #: (N,), chains that epochs and blend weights are chosen on
    predicted: Floats  #: (N, T), in the tables' targets


def validation_chains(chains: Sequence[str], held_out: int, seed: int) -> NDArray[np.bool_]:
    """Which chains (N,) epochs and blend weights are chosen on, the same whatever stands beside them."""
    return np.array([crc32(f"{seed} {held_out} {chain}".encode()) % 100 < _VALIDATION for chain in chains])


def train_fold(
    kind: NetworkKind,
    polymers: Polymers,
    held_out: int,
    start: nn.Module | None,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> HeldOut:
    """Train on all folds but one, and predict all chains."""
    inside = polymers.fold != held_out
    validation = inside & validation_chains(polymers.chains, held_out, settings.seed)
    train = inside & ~validation
    targets, means, scales = polymers.targets(train)
    examples = Examples(kind, kind.prepare(polymers.chains, tell), targets)
    network = kind.start(len(polymers.names), start, settings.seed)
    kind.set_scales(network, [examples.samples[row] for row in np.flatnonzero(train).tolist()])
    network = finetune(
        network,
        examples,
        np.flatnonzero(train),
        np.flatnonzero(validation),
        settings,
        tell,
    )
    return HeldOut(validation, means + scales * outputs(network, examples, np.arange(len(inside))))


def train_on_all(
    kind: NetworkKind,
    polymers: Polymers,
    start: nn.Module | None,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> TrainedNetwork:
    """Train on every polymer for all epochs."""
    targets, means, scales = polymers.targets(np.ones(len(polymers.chains), dtype=np.bool_))
    examples = Examples(kind, kind.prepare(polymers.chains, tell), targets)
    network = kind.start(len(polymers.names), start, settings.seed)
    kind.set_scales(network, examples.samples)
    every = np.arange(len(polymers.chains))
    network = finetune(network, examples, every, np.empty(0, np.int64), settings, tell)
    return TrainedNetwork(kind, network, tuple(polymers.names), tuple(means.tolist()), tuple(scales.tolist()))


def kernel_fold(
    polymers: Polymers,
    views: Mapping[str, Floats],
    shares: Sequence[Mapping[str, float]],
    held_out: int,
    seed: int,
) -> HeldOut:
    """Fit a kernel to all folds but one, and predict all chains from views (N, numbers) of each.

    Validation chains are predicted by a kernel that has not seen them, all others by one that has seen all
    of the training folds.
    """
    inside = polymers.fold != held_out
    validation = inside & validation_chains(polymers.chains, held_out, seed)
    found = []
    for train in (inside, inside & ~validation):
        targets, means, scales = polymers.targets(train)
        head = KernelHead.fit(views, shares, targets, np.flatnonzero(train))
        found.append(means + scales * head.predict(views))
    return HeldOut(validation, np.where(validation[:, None], found[1], found[0]))


def kernel_on_all(
    kind: NetworkKind, polymers: Polymers, network: nn.Module, views: Mapping[str, Floats]
) -> TrainedNetwork:
    """A kernel fitted to every polymer, on the views of a network that is left as it is."""
    every = np.arange(len(polymers.chains))
    targets, means, scales = polymers.targets(np.ones(len(every), dtype=np.bool_))
    head = KernelHead.fit(views, kind.shares, targets, every)
    return TrainedNetwork(
        kind, network, tuple(polymers.names), tuple(means.tolist()), tuple(scales.tolist()), head
    )
