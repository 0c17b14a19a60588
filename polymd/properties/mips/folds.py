"""Held-out predictions of MIPS and of its blend with the Gaussian process, many properties together.

One polymer lies in the same fold in all tables, so that one network learns all properties of the training
folds at once. Nested: epochs and blend weights are chosen on validation polymers of the training folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from polymd.properties.mips.finetuning import Examples, Finetuning, finetune, outputs
from polymd.properties.mips.graphs import ChainTensors
from polymd.properties.mips.shape import N_SHAPE
from polymd.properties.mips.trained import MipsModel, started
from polymd.repeats import canonical_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from polymd.properties.mips.model import Mips, Sizes
    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["HeldOut", "Polymers", "train_fold", "train_on_all"]

_VALIDATION = 0.12  # share of the training polymers


@dataclass(frozen=True)
class Polymers:
    """The chains of several tables, each once; N chains, T tables."""

    names: list[str]
    chains: list[ChainTensors]
    rows: dict[str, NDArray[np.int64]]  #: of every table, the chain of each of its rows
    values: dict[str, Floats]  #: of every table, its targets
    fold: NDArray[np.int64]  #: (N,)
    shape: Floats | None  #: (N, D) 3D descriptors, nan where there are none

    @classmethod
    def of(
        cls, tables: Mapping[str, TrainingTable], threshold: int, shapes: Mapping[str, Floats] | None = None
    ) -> Polymers:
        """From tables whose folds agree, and 3D descriptors by canonical chain."""
        keys = {name: [canonical_chain(p) for p in table.psmiles] for name, table in tables.items()}
        place = {chain: i for i, chain in enumerate(dict.fromkeys(c for k in keys.values() for c in k))}
        rows = {name: np.array([place[c] for c in chains], dtype=np.int64) for name, chains in keys.items()}
        fold = np.full(len(place), -1, dtype=np.int64)
        for name, table in tables.items():
            fold[rows[name]] = table.fold
        for name, table in tables.items():
            if not np.array_equal(fold[rows[name]], table.fold):
                raise ValueError(f"a polymer of {name!r} lies in another fold elsewhere; deal folds together")
        shape = None
        if shapes is not None:
            missing = np.full(N_SHAPE, np.nan)
            shape = np.array([shapes.get(chain, missing) for chain in place])
        chains = [ChainTensors.read(chain, threshold) for chain in place]
        values = {name: table.targets for name, table in tables.items()}
        return cls(list(tables), chains, rows, values, fold, shape)

    def examples(self, train: NDArray[np.bool_]) -> tuple[Examples, Floats, Floats]:
        """Targets and descriptors standardised by the training chains (N,); with means and scales (T,)."""
        targets = np.full((len(self.chains), len(self.names)), np.nan)
        means, scales = np.empty(len(self.names)), np.empty(len(self.names))
        for column, name in enumerate(self.names):
            rows, values = self.rows[name], self.values[name]
            known = values[train[rows]]
            means[column], scales[column] = known.mean(), known.std() or 1.0
            count = np.bincount(rows, minlength=len(targets))  # a chain that stands twice has the mean value
            total = np.bincount(rows, values, minlength=len(targets))
            some = count > 0
            targets[some, column] = (total[some] / count[some] - means[column]) / scales[column]
        return Examples(self.chains, targets, self._standard_shape(train)), means, scales

    def _standard_shape(self, train: NDArray[np.bool_]) -> Floats | None:
        if self.shape is None:
            return None
        spread = np.nanstd(self.shape[train], axis=0)
        standard = (self.shape - np.nanmean(self.shape[train], axis=0)) / np.where(spread > 1e-9, spread, 1.0)
        clipped: Floats = np.clip(standard, -5.0, 5.0)
        return clipped


@dataclass(frozen=True)
class HeldOut:
    """Predictions (N, T) of one fold's network, in the tables' targets."""

    validation: NDArray[np.bool_]  #: (N,), chains that epochs and blend weights are chosen on
    flat: Floats  #: without 3D descriptors
    full: Floats  #: with them, where they are known


def train_fold(
    polymers: Polymers,
    held_out: int,
    start: Mips | None,
    sizes: Sizes,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> HeldOut:
    """Train on all folds but one, and predict all chains."""
    rng = np.random.default_rng((settings.seed, held_out))
    inside = polymers.fold != held_out
    validation = inside & (rng.random(len(inside)) < _VALIDATION)
    train = inside & ~validation
    examples, means, scales = polymers.examples(train)
    network = finetune(
        started(start, sizes, len(polymers.names), settings.seed),
        examples,
        np.flatnonzero(train),
        np.flatnonzero(validation),
        settings,
        tell,
    )
    every = np.arange(len(inside))
    flat, full = (
        means + scales * outputs(network, examples, every, with_shape=shape) for shape in (False, True)
    )
    return HeldOut(validation, flat, full)


def train_on_all(
    polymers: Polymers,
    start: Mips | None,
    sizes: Sizes,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> MipsModel:
    """Train on every polymer for all epochs."""
    every = np.ones(len(polymers.chains), dtype=np.bool_)
    examples, means, scales = polymers.examples(every)
    network = started(start, sizes, len(polymers.names), settings.seed)
    network = finetune(network, examples, np.flatnonzero(every), np.empty(0, np.int64), settings, tell)
    return MipsModel(network, tuple(polymers.names), tuple(means.tolist()), tuple(scales.tolist()))
