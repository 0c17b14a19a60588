"""How polymers and molecules become batches of the two-channel encoder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from polymd.properties.chain_graph import chain_graph, molecule_graph
from polymd.properties.fingerprints import PHYSICS
from polymd.properties.mips.graphs import Batch, ChainTensors
from polymd.properties.networks.conformers import Conformers, ConformerStore, molecule_conformers
from polymd.properties.networks.elements import element_categories
from polymd.properties.networks.kind import PHYSICS_SHARES, Course, NetworkKind, physics_of
from polymd.properties.two_channel.model import Sizes, TwoChannel, TwoChannelBatch
from polymd.properties.two_channel.pretraining import PretrainingTwoChannel
from polymd.psmiles import parse, star_indices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from polymd.properties.networks.taught_pool import TaughtPool
    from polymd.properties.read_chain import ReadChain

__all__ = ["TwoChannelKind", "TwoChannelSample"]

_WITHOUT_POSITIONS = 0.3  # share of polymers whose positions are hidden in training
_FLAT = 0.6  # of the budget of a pre-training, for the 2D channel alone


@dataclass(frozen=True)
class TwoChannelSample:
    """A graph of N atoms, and where there are conformers, M atoms in space: the N, then the stars'.

    `physics` (28,) is computed of a chain, zeros of a molecule; `taught` (D,) is what pre-training learns.
    """

    chain: ChainTensors
    owners: NDArray[np.int64]  #: (M,), the atom of the graph that each is an image of
    conformers: Conformers | None  #: of M atoms
    physics: NDArray[np.float32] = field(default_factory=lambda: np.zeros(len(PHYSICS), np.float32))
    taught: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class TwoChannelKind(NetworkKind):
    """The encoder of some sizes, with conformers out of a store where it sees both channels."""

    key = "two-channel"
    pretraining_parts = ("decoders.", "displacements.")
    shares = tuple({"physics": share, "unit": 1.0} for share in PHYSICS_SHARES)
    sizes: Sizes = field(default_factory=Sizes)
    store: ConformerStore = field(default_factory=ConformerStore, compare=False)
    pool: TaughtPool | None = field(default=None, compare=False)

    @property
    def sees_space(self) -> bool:
        return self.sizes.modalities != "graph"

    @classmethod
    def of(cls, sizes: dict[str, Any]) -> TwoChannelKind:
        """With conformers in memory."""
        return cls(Sizes(**sizes))

    def keeping(self, path: Path, conformers: int) -> TwoChannelKind:
        return replace(self, store=ConformerStore(path, conformers))

    def as_dict(self) -> dict[str, Any]:
        return self.sizes.as_dict()

    def prepare(
        self, psmiles: Sequence[str], tell: Callable[[str], None] = lambda _: None
    ) -> list[TwoChannelSample | None]:
        """P-SMILES, or SMILES of molecules, which have no stars."""
        units = [text for text in psmiles if "*" in text and _is_readable(text)]
        known: dict[str, Conformers | None] = dict.fromkeys(units)
        if self.sees_space:
            known |= zip(units, self.store.find(units, tell), strict=True)
        found: list[TwoChannelSample | None] = []
        for text in psmiles:
            if text in known:
                found.append(self.placed(text, known[text]))
            else:
                found.append(None if "*" in text else self.molecule(text))
        return found

    def prepare_chains(self, chains: Sequence[ReadChain]) -> list[Any]:
        """Without conformers from the graphs, which say all there is to see."""
        if self.sees_space:
            return super().prepare_chains(chains)
        found = []
        for chain in chains:
            graph = ChainTensors.of(chain.graph, self.sizes.threshold)
            physics = chain.fingerprint.physics.astype(np.float32)
            found.append(TwoChannelSample(graph, np.arange(len(graph)), None, physics))
        return found

    def placed(self, psmiles: str, conformers: Conformers | None) -> TwoChannelSample:
        """A unit with conformers in the order of its P-SMILES, stars included."""
        chain = _chain(psmiles, self.sizes.threshold)
        order, owners = _order(psmiles)
        if conformers is not None:
            conformers = Conformers(conformers.numbers[order], conformers.positions[:, order])
        if self.pool is not None:
            return TwoChannelSample(chain, owners, conformers, taught=self.pool.of(psmiles))
        return TwoChannelSample(chain, owners, conformers, physics_of(psmiles))

    def courses(self, pool: TaughtPool, placed: int) -> list[Course]:
        """The 2D channel on the whole pool, then both on the chains that have conformers."""
        sizes = replace(self.sizes, taught=pool.width, dropout=0.0)
        graph = replace(self, sizes=replace(sizes, modalities="graph"), pool=pool)
        if sizes.modalities == "graph":
            return [Course("graph", graph, pool.chains, 1.0)]
        both = replace(self, sizes=sizes, pool=pool)
        return [
            Course("graph", graph, pool.chains, _FLAT),
            Course("both", both, pool.chains[:placed], 1.0 - _FLAT),
        ]

    def molecule(self, smiles: str) -> TwoChannelSample | None:
        """A molecule with a conformer, or None where the SMILES cannot be read."""
        from rdkit import Chem, rdBase

        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(smiles)
        if mol is None or not mol.GetNumAtoms():
            return None
        chain = ChainTensors.of(molecule_graph(smiles), self.sizes.threshold)
        conformers = None
        if self.sees_space:
            conformers = molecule_conformers(mol, self.store.n, self.store.seed)
        return TwoChannelSample(chain, np.arange(len(chain)), conformers)

    def size(self, sample: TwoChannelSample) -> int:
        return len(sample.chain)

    def collate(
        self, samples: Sequence[TwoChannelSample], rng: np.random.Generator | None = None
    ) -> TwoChannelBatch:
        """In training one conformer of each, at random, or none; otherwise all."""
        graph = Batch.of([sample.chain for sample in samples], self.sizes.threshold)
        atoms = graph.real.shape[1]
        size = atoms + max(len(sample.owners) - len(sample.chain) for sample in samples)
        counts = [len(s.conformers.positions) for s in samples if s.conformers is not None]
        count = 1 if rng is not None or not counts else max(counts)
        elements, owners = (np.zeros((len(samples), size), dtype=np.int64) for _ in range(2))
        present = np.zeros((len(samples), size), dtype=np.bool_)
        positions = np.zeros((len(samples), count, size, 3), dtype=np.float32)
        known = np.zeros(len(samples), dtype=np.bool_)
        for b, sample in enumerate(samples):
            if sample.conformers is None or (rng is not None and rng.random() < _WITHOUT_POSITIONS):
                continue
            n, m = len(sample.chain), len(sample.owners)
            rows = np.r_[:n, atoms : atoms + m - n]  # images of stars stand behind all atoms
            known[b], present[b, rows] = True, True
            elements[b, rows] = element_categories(sample.conformers.numbers)
            owners[b, rows] = sample.owners
            found = sample.conformers.positions
            chosen = rng.integers(len(found), size=1) if rng is not None else np.arange(count)
            positions[b][:, rows] = found[chosen]
        taught = [sample.taught for sample in samples if sample.taught is not None]
        physics = np.array([sample.physics for sample in samples])
        arrays = (elements, owners, present, positions, known, physics)
        batch = TwoChannelBatch(graph, *(torch.from_numpy(array) for array in arrays))
        return replace(batch, taught=torch.from_numpy(np.array(taught))) if taught else batch

    def views(self, network: TwoChannel, batch: TwoChannelBatch) -> dict[str, Tensor]:
        return network.views(batch)

    def build(self, targets: int) -> TwoChannel:
        return TwoChannel(self.sizes, targets)

    def pretraining_loss(
        self, network: TwoChannel, batch: TwoChannelBatch, rng: np.random.Generator
    ) -> Tensor:
        return PretrainingTwoChannel(network).loss(batch, rng)


@lru_cache(maxsize=8192)
def _chain(psmiles: str, threshold: int) -> ChainTensors:
    """The graph of a unit, read once: in training a unit comes back in every fold and pass."""
    return ChainTensors.of(chain_graph(psmiles), threshold)


@lru_cache(maxsize=8192)
def _order(psmiles: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Atoms of a P-SMILES with its stars last, and the atoms of the graph that they are images of.

    What stands for the head star is the tail atom of the unit before, and the reverse.
    """
    unit = parse(psmiles)
    stars = star_indices(unit)
    head, tail = (unit.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in stars)
    inner = np.array([i for i in range(unit.GetNumAtoms()) if i not in stars], dtype=np.int64)
    owners = np.concatenate([np.arange(len(inner)), np.searchsorted(inner, [tail, head])])
    return np.concatenate([inner, stars]), owners


def _is_readable(psmiles: str) -> bool:
    """Whether it is a P-SMILES; the lists to pre-train on hold a few that are none."""
    try:
        parse(psmiles)
    except ValueError:
        return False
    return True
