"""Training data of PolyConf: chains as units in their frames."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from polymd.conformations.graph_features import ATOM_FEATURES
from polymd.conformations.polyconf.assembly import frame_units
from polymd.conformations.polyconf.batch import batch_units
from polymd.conformations.polyconf.losses import Conformations
from polymd.conformations.polyconf.units import ChainUnits, chain_units
from polymd.training.conformation_data import ChainFrames

__all__ = ["Example", "conformations", "example"]

_HANDEDNESS = ATOM_FEATURES + 2


@dataclass(frozen=True)
class Example:
    """A chain and its frames."""

    units: ChainUnits
    local: NDArray[np.float32]  # (F, U, A, 3) Å
    rotation: NDArray[np.float32]  # (F, U, 3, 3)
    reference: bool


def example(frames: ChainFrames, hottest: float = np.inf) -> Example | None:
    """Units of all frames not hotter than `hottest` (K), None if there are none."""
    positions = np.asarray(frames.positions, dtype=np.float64)[frames.temperatures <= hottest]
    if not len(positions):
        return None
    units = chain_units(frames.polymer)
    count = (len(positions), len(units.plane))
    points = torch.from_numpy(positions[:, units.atoms].reshape(-1, units.atoms.shape[1], 3))
    line, plane = (
        torch.from_numpy(np.tile(x, (count[0], *[1] * (x.ndim - 1)))) for x in (units.line, units.plane)
    )
    local, rotation, _ = frame_units(points, line, plane)
    local = local * torch.from_numpy(np.tile(units.present, (count[0], 1)))[..., None]
    return Example(
        units,
        local.numpy().astype(np.float32).reshape(*count, -1, 3),
        rotation.numpy().astype(np.float32).reshape(*count, 3, 3),
        frames.reference,
    )


def conformations(
    examples: Sequence[Example], rng: np.random.Generator, mirrors: bool = True
) -> Conformations:
    """A frame of each example, drawn at random; half of them seen in a mirror.

    The mirror image of a unit in its frame has the other z, that of its rotation R diag(-1, -1, 1) when
    the chain is inverted, x -> -x.
    """
    units, local, rotation = [], [], []
    for one in examples:
        frame = int(rng.integers(len(one.local)))
        u, x, r = one.units, one.local[frame], one.rotation[frame]
        if mirrors and rng.random() < 0.5:
            features = u.features.copy()
            features[..., _HANDEDNESS] *= -1.0
            u = replace(u, features=features)
            x = x * np.array([1.0, 1.0, -1.0], dtype=np.float32)
            r = r * np.array([-1.0, -1.0, 1.0], dtype=np.float32)
        units.append(u)
        local.append(x)
        rotation.append(r)
    batch = batch_units(units)
    padded = np.zeros((*batch.present.shape, 3), dtype=np.float32)
    start = 0
    for x in local:
        padded[start : start + len(x), : x.shape[1]] = x
        start += len(x)
    return Conformations(
        batch,
        torch.from_numpy(padded),
        torch.from_numpy(np.concatenate(rotation)),
        torch.tensor([0.0 if one.reference else 1.0 for one in examples]),
    )
