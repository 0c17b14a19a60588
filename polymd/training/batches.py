"""Frames of many molecules side by side, and the numbered stream of batches that training reads.

Batch number s is a function of the seed, s and the frames alone, so a run that stopped after any step goes
on with exactly the batches that it would have seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset, IterableDataset

from polymd.datasets.frames import LabelledMolecule
from polymd.potentials.half_list import molecule_pairs
from polymd.potentials.repulsion import RADII, longest_reach
from polymd.training.force_matching import Batch, repulsion

VALIDATION_BATCH = 25


@dataclass(frozen=True)
class FrameTable:
    """F frames with A atoms in all; frame f has the atoms pointers[f] : pointers[f + 1].

    numbers (A,), positions (A, 3) Å, labelled energies (F,) eV, molecules (F,): which one a frame shows, and
    what the network learns, without the repulsion: targets (A, 3) eV/Å, the forces, and relative (F,) eV, the
    energies less the mean of their molecule.
    """

    numbers: NDArray[np.int64]
    positions: NDArray[np.float32]
    targets: NDArray[np.float32]
    energies: NDArray[np.float64]
    pointers: NDArray[np.int64]
    molecules: NDArray[np.int64]
    relative: NDArray[np.float32]

    @classmethod
    def of(cls, molecules: Sequence[LabelledMolecule]) -> "FrameTable":
        """Table of molecules in vacuum. Raises ValueError for periodic frames or when there are none."""
        for molecule in molecules:
            if molecule.cells is not None:
                raise ValueError(f"molecule {molecule.id!r} is periodic; training takes molecules in vacuum")
        if not molecules:
            raise ValueError("there are no frames to train on")
        sizes = [n for m in molecules for n in [len(m.numbers)] * len(m.energies)]
        pointers = np.cumsum([0, *sizes]).astype(np.int64)
        numbers = np.concatenate([np.tile(m.numbers, len(m.energies)) for m in molecules]).astype(np.int64)
        positions = np.concatenate([m.positions.reshape(-1, 3) for m in molecules]).astype(np.float32)
        forces = np.concatenate([m.forces.reshape(-1, 3) for m in molecules]).astype(np.float32)
        pairs = molecule_pairs(positions, pointers, longest_reach(numbers))
        walls, wall_forces = repulsion(positions, numbers, pairs, RADII)
        energies = np.concatenate([m.energies for m in molecules])
        index = np.repeat(np.arange(len(molecules)), [len(m.energies) for m in molecules])
        relative = energies - np.add.reduceat(walls, pointers[:-1])
        relative -= (np.bincount(index, relative) / np.bincount(index))[index]
        return cls(
            numbers, positions, forces - wall_forces, energies, pointers, index, relative.astype(np.float32)
        )

    def __len__(self) -> int:
        return len(self.energies)

    def batch(self, frames: NDArray[np.int64]) -> Batch:
        """The named frames as tensors on the CPU."""
        pieces = [slice(self.pointers[f], self.pointers[f + 1]) for f in frames]
        numbers, positions, targets = (
            torch.from_numpy(np.concatenate([array[piece] for piece in pieces]))
            for array in (self.numbers, self.positions, self.targets)
        )
        pointers = np.cumsum([0, *(piece.stop - piece.start for piece in pieces)])
        return Batch(numbers, positions, targets, torch.from_numpy(self.relative[frames]), pointers)


def frames_of_step(step: int, n_frames: int, batch: int, seed: int) -> NDArray[np.int64]:
    """Frames (batch,) of a step: every epoch is a permutation of its own, its incomplete batch left out."""
    epoch, position = divmod(step, n_frames // batch)
    order = np.random.default_rng([seed, epoch]).permutation(n_frames)
    return order[position * batch : (position + 1) * batch]


def with_partners(
    frames: NDArray[np.int64], molecules: NDArray[np.int64], step: int, seed: int
) -> NDArray[np.int64]:
    """Each of the frames (K,) followed by another of its molecule, if it has another: (2 K,).

    `molecules` (F,) says which molecule each frame shows, those of one molecule being neighbours.
    """
    first = np.searchsorted(molecules, molecules[frames])
    others = np.searchsorted(molecules, molecules[frames], side="right") - first - 1
    draw = np.random.default_rng([seed, step]).random(len(frames))
    shift = np.where(others > 0, 1 + np.floor(draw * others).astype(np.int64), 0)
    partners = first + (frames - first + shift) % (others + 1)
    return np.stack([frames, partners], axis=1).reshape(-1)


class BatchStream(IterableDataset[Batch]):
    """Batches of the steps start, start + 1, ... without end; process `rank` of `world` gets its share.

    With `pairs`, frames 2 k and 2 k + 1 of a batch show the same molecule.
    """

    def __init__(
        self,
        frames: FrameTable,
        batch: int,
        seed: int,
        *,
        pairs: bool = False,
        start: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.frames, self.batch, self.seed, self.pairs = frames, batch, seed, pairs
        self.start, self.rank, self.world = start, rank, world

    def __iter__(self) -> Iterator[Batch]:
        step, share = self.start, self.batch // self.world
        while True:
            drawn = self.batch // 2 if self.pairs else self.batch
            chosen = frames_of_step(step, len(self.frames), drawn, self.seed)
            if self.pairs:
                chosen = with_partners(chosen, self.frames.molecules, step, self.seed)
            yield self.frames.batch(chosen[self.rank * share : (self.rank + 1) * share])
            step += 1


class ValidationBatches(Dataset[Batch]):
    """The same few hundred frames every time, as many batches in each process."""

    def __init__(self, frames: FrameTable, count: int, *, rank: int = 0, world: int = 1) -> None:
        chosen = np.random.default_rng(1).permutation(len(frames))[:count]
        own = chosen[: len(chosen) - len(chosen) % world][rank::world] if len(chosen) >= world else chosen
        self.frames = frames
        self.pieces = [own[n : n + VALIDATION_BATCH] for n in range(0, len(own), VALIDATION_BATCH)]

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, index: int) -> Batch:
        return self.frames.batch(self.pieces[index])
