"""The table of frames and the stream of batches."""

import dataclasses
from itertools import islice

import numpy as np
import pytest
import torch

from polymd.datasets.frames import LabelledMolecule
from polymd.training.batches import (
    BatchStream,
    FrameTable,
    ValidationBatches,
    frames_of_step,
    with_partners,
)
from polymd.training.force_matching import Batch


def same(one: Batch, other: Batch) -> bool:
    return torch.equal(one.positions, other.positions) and torch.equal(one.forces, other.forces)


def test_table_and_batch_hold_the_frames(molecules: list[LabelledMolecule]) -> None:
    table = FrameTable.of(molecules)
    assert len(table) == 30
    batch = table.batch(np.array([7, 0]))
    ethanol, methanol = molecules[1], molecules[0]
    assert np.array_equal(batch.numbers, np.concatenate([ethanol.numbers, methanol.numbers]))
    assert np.array_equal(batch.positions[:9], ethanol.positions[1])
    assert np.array_equal(batch.pointers, [0, 9, 15])


def test_targets_are_forces_without_repulsion(molecules: list[LabelledMolecule]) -> None:
    close = dataclasses.replace(
        molecules[3],
        positions=molecules[3].positions * np.float32(0.8),
        forces=np.zeros_like(molecules[3].forces),
    )
    targets = FrameTable.of([close]).targets.reshape(close.positions.shape)
    assert np.abs(targets).max() > 1.0
    np.testing.assert_allclose(targets.sum(axis=1), 0.0, atol=1e-4)


def test_every_epoch_sees_every_frame_once() -> None:
    first = np.concatenate([frames_of_step(step, 12, 4, 5) for step in range(3)])
    second = np.concatenate([frames_of_step(step, 12, 4, 5) for step in range(3, 6)])
    assert sorted(first) == sorted(second) == list(range(12))
    assert not np.array_equal(first, second)


def test_partners_are_other_frames_of_the_same_molecule() -> None:
    molecules = np.repeat([0, 1, 2, 3], [5, 1, 2, 7])
    frames = np.arange(15)
    drawn = [with_partners(frames, molecules, step, 3).reshape(-1, 2) for step in range(60)]
    assert all(np.array_equal(pairs[:, 0], frames) for pairs in drawn)
    assert all(np.array_equal(molecules[pairs[:, 1]], molecules) for pairs in drawn)
    assert all(
        np.array_equal(pairs[:, 0] == pairs[:, 1], frames == 5) for pairs in drawn
    )  # only one has none
    assert {int(pairs[8, 1]) for pairs in drawn} == {9, 10, 11, 12, 13, 14}


def test_relative_energies_are_without_repulsion_and_of_mean_zero(molecules: list[LabelledMolecule]) -> None:
    table = FrameTable.of(molecules)
    means = np.bincount(table.molecules, table.relative) / np.bincount(table.molecules)
    np.testing.assert_allclose(means, 0.0, atol=1e-5)
    far = dataclasses.replace(molecules[0], positions=molecules[0].positions * np.float32(3.0))
    np.testing.assert_allclose(FrameTable.of([far]).relative, far.energies - far.energies.mean(), atol=1e-5)


def test_stream_goes_on_anywhere_and_is_shared_out(molecules: list[LabelledMolecule]) -> None:
    table = FrameTable.of(molecules)
    whole = list(islice(BatchStream(table, 4, 1), 9))
    later = list(islice(BatchStream(table, 4, 1, start=6), 3))
    assert all(same(a, b) for a, b in zip(whole[6:], later, strict=True))
    parts = [next(iter(BatchStream(table, 4, 1, start=2, rank=rank, world=2))) for rank in range(2)]
    assert torch.equal(torch.cat([p.positions for p in parts]), whole[2].positions)


def test_validation_is_shared_out_evenly(molecules: list[LabelledMolecule]) -> None:
    table = FrameTable.of(molecules)
    for count, world in [(30, 1), (29, 2), (1, 2)]:
        shares = [ValidationBatches(table, count, rank=rank, world=world) for rank in range(world)]
        assert len({sum(len(piece) for piece in share.pieces) for share in shares}) == 1
        assert all(len(share[0].positions) for share in shares)


def test_refuses_what_it_cannot_train_on(molecules: list[LabelledMolecule]) -> None:
    with pytest.raises(ValueError, match="no frames"):
        FrameTable.of([])
    with pytest.raises(ValueError, match="periodic"):
        FrameTable.of([dataclasses.replace(molecules[0], cells=np.zeros((6, 3, 3)))])
