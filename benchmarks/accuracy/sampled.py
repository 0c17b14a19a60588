"""Frames on AIMNet2's surface: moved on its single model, labelled by the ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.common import MODELS
from polymd.datasets.frames import LabelledMolecule

if TYPE_CHECKING:
    from polymd.datasets.sampling.langevin import Replica


def sampled(
    replicas: Sequence[Replica], ids: Sequence[str], settle: int, apart: int, frames: int
) -> list[LabelledMolecule]:
    """So many frames of every replica, the first after `settle` fs and the others `apart` fs apart, each as a
    molecule of one frame under the replica's id.
    """
    from polymd.datasets.sampling.langevin import propagate
    from polymd.datasets.teachers import load_teacher

    cheap, teacher = load_teacher("aimnet2-single", MODELS), load_teacher("aimnet2", MODELS)
    molecules = []
    for block in range(frames):
        propagate(replicas, cheap, apart if block else settle, block)
        labels = teacher.label([(r.start.numbers, r.positions) for r in replicas])
        for replica, name, label in zip(replicas, ids, labels, strict=True):
            molecules.append(
                LabelledMolecule(
                    numbers=replica.start.numbers,
                    positions=replica.positions[None].astype(np.float32),
                    energies=np.array([label.energy]),
                    forces=label.forces[None].astype(np.float32),
                    temperatures=np.array([replica.temperature]),
                    psmiles=replica.start.psmiles,
                    id=name,
                    n_units=replica.start.form.n_units,
                    kind=replica.start.form.kind,
                )
            )
    return molecules
