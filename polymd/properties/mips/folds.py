"""Held-out predictions of MIPS and of its blend with the Gaussian process, many properties together.

One polymer lies in the same fold in all tables, so that one network learns all properties of the training
folds at once. Nested: epochs and blend weights are chosen on validation polymers of the training folds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.chain_graph import chain_graph
from polymd.properties.fingerprints import graph_fingerprint
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.mips.finetuning import Examples, Finetuning, finetune
from polymd.properties.mips.graphs import ChainTensors
from polymd.properties.mips.model import Mips
from polymd.properties.mips.shape import N_SHAPE
from polymd.properties.mips.trained import MipsModel
from polymd.properties.networks.finetuning import outputs
from polymd.properties.networks.folds import HeldOut, folds_of_chains, standardised, validation_chains

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from polymd.properties.mips.model import Sizes
    from polymd.properties.training_tables import TrainingTable

    Floats = NDArray[np.float64]

__all__ = ["Polymers", "started", "train_fold", "train_on_all"]

_COUNTS = 1024  # of a vocabulary made here


@dataclass(frozen=True)
class Polymers:
    """The chains of several tables, each once; N chains, T tables."""

    names: list[str]
    keys: list[str]  #: (N,) canonical
    chains: list[ChainTensors]
    threshold: int  #: of the chains, in bonds
    descriptors: NDArray[np.float32]  #: (N, D)
    physics: NDArray[np.float32]  #: (N, 28), `Fingerprint.physics`
    rows: dict[str, NDArray[np.int64]]  #: of every table, the chain of each of its rows
    values: dict[str, Floats]  #: of every table, its targets
    fold: NDArray[np.int64]  #: (N,)
    shape: Floats | None  #: (N, S) 3D descriptors, nan where there are none
    vocabulary: Vocabulary  #: of `descriptors`

    @classmethod
    def of(
        cls,
        tables: Mapping[str, TrainingTable],
        threshold: int,
        vocabulary: Vocabulary | None = None,
        shapes: Mapping[str, Floats] | None = None,
    ) -> Polymers:
        """From tables whose folds agree, and 3D descriptors by canonical chain.

        Without a vocabulary, that of a pre-trained network, one is made from these polymers without labels.
        """
        place, rows, fold = folds_of_chains(tables)
        shape = None
        if shapes is not None:
            missing = np.full(N_SHAPE, np.nan)
            shape = np.array([shapes.get(chain, missing) for chain in place])
        graphs = [chain_graph(chain) for chain in place]
        fingerprints = [graph_fingerprint(graph) for graph in graphs]
        vocabulary = vocabulary or Vocabulary.of(fingerprints, _COUNTS)
        return cls(
            list(tables),
            place,
            [ChainTensors.of(graph, threshold) for graph in graphs],
            threshold,
            vocabulary.values(fingerprints),
            np.array([f.physics for f in fingerprints], dtype=np.float32),
            rows,
            {name: table.targets for name, table in tables.items()},
            fold,
            shape,
            vocabulary,
        )

    def examples(self, train: NDArray[np.bool_]) -> tuple[Examples, Floats, Floats]:
        """Targets standardised by the training chains (N,); their means and scales (T,)."""
        targets, means, scales = standardised(self.rows, self.values, train)
        extras: dict[str, NDArray[Any]] = {"descriptors": self.descriptors, "physics": self.physics}
        if self.shape is not None:
            extras["shape"] = self.shape
        return Examples(self.chains, targets, self.threshold, extras), means, scales

    def validation(self, held_out: int, seed: int) -> NDArray[np.bool_]:
        """Some chains outside a fold, (N,); the same ones whatever tables they come from."""
        inside: NDArray[np.bool_] = self.fold != held_out
        inside &= validation_chains(self.keys, held_out, seed)
        return inside


def train_fold(
    polymers: Polymers,
    held_out: int,
    start: Mips | None,
    sizes: Sizes,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> HeldOut:
    """Train one network on all folds but one, and predict all chains."""
    validation = polymers.validation(held_out, settings.seed)
    train = (polymers.fold != held_out) & ~validation
    examples, means, scales = polymers.examples(train)
    network = finetune(
        started(start, sizes, polymers, settings.seed),
        examples,
        np.flatnonzero(train),
        np.flatnonzero(validation),
        settings,
        tell,
    )
    return HeldOut(validation, means + scales * outputs(network, examples, np.arange(len(train))))


def train_on_all(
    polymers: Polymers,
    start: Mips | None,
    sizes: Sizes,
    settings: Finetuning,
    tell: Callable[[str], None] = lambda _: None,
) -> MipsModel:
    """Train all networks on every polymer for all epochs."""
    every = np.ones(len(polymers.chains), dtype=np.bool_)
    examples, means, scales = polymers.examples(every)
    networks: list[Mips] = []
    for seed in range(settings.seed, settings.seed + settings.networks):
        tell(f"all polymers, network {len(networks) + 1} of {settings.networks}")
        network = started(start, sizes, polymers, seed)
        own = replace(settings, seed=seed)
        networks.append(finetune(network, examples, np.flatnonzero(every), np.empty(0, np.int64), own, tell))
    return MipsModel(tuple(networks), tuple(polymers.names), tuple(means.tolist()), tuple(scales.tolist()))


def started(start: Mips | None, sizes: Sizes, polymers: Polymers, seed: int) -> Mips:
    """A network for the tables of some polymers, with the weights of a pre-trained one wherever it has them.

    Raises
    ------
    ValueError
        The pre-trained one differs in sizes other than those of the 3D part.
    """
    torch.manual_seed(seed)
    network = Mips(replace(sizes, descriptors=polymers.descriptors.shape[1]), len(polymers.names))
    network.set_vocabulary(polymers.vocabulary)
    network.set_scales("physics", polymers.physics)
    if sizes.shape and polymers.shape is not None:
        network.set_scales("shape", polymers.shape)
    if start is None:
        return network
    own = {**network.sizes.as_dict(), "shape": 0, "dropout": 0}
    other = {**start.sizes.as_dict(), "shape": 0, "dropout": 0}
    if own != other:
        raise ValueError(
            f"pre-trained weights of sizes {other} cannot start a network of {own}; use the same"
        )
    known = {k: v for k, v in start.state_dict().items() if not k.startswith(("head.", "shape"))}
    network.load_state_dict(known, strict=False)
    return network
