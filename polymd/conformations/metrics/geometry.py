"""Bond lengths and angles of generated chains against those of dynamics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.internal import angle_triples, bond_pairs

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["geometry_errors"]


def geometry_errors(
    polymer: Polymer, generated: NDArray[np.floating], reference: NDArray[np.floating]
) -> dict[str, float]:
    """How far means over `generated` (G, N, 3) Å are from those over `reference` (R, N, 3), on average.

    "bond_error" in Å is of all bond lengths, "angle_error" in degrees of all angles. Bonds to hydrogen of
    constrained dynamics do not vibrate. Few samples have errors by themselves: compare with reference
    against reference.
    """
    chain = Chain.of(polymer)
    bonds, angles = bond_pairs(chain), angle_triples(chain)
    lengths, degrees = [], []
    for frames in (generated, reference):
        x = np.asarray(frames, dtype=np.float64)
        a, b, c = (x[:, angles[:, k]] for k in range(3))
        u, v = a - b, c - b
        cosine = (u * v).sum(axis=2) / np.linalg.norm(u, axis=2) / np.linalg.norm(v, axis=2)
        degrees.append(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))).mean(axis=0))
        lengths.append(np.linalg.norm(x[:, bonds[:, 0]] - x[:, bonds[:, 1]], axis=2).mean(axis=0))
    return {
        "bond_error": float(np.abs(lengths[0] - lengths[1]).mean()),
        "angle_error": float(np.abs(degrees[0] - degrees[1]).mean()),
    }
