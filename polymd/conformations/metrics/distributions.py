"""Backbone torsions and pairs of neighbouring ones, and how far samples of them diverge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.geometry import torsion_angles
from polymd.conformations.internal import dihedrals
from polymd.conformations.rotors import unit_rotors

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = [
    "backbone_torsions",
    "jensen_shannon",
    "neighbor_torsion_divergence",
    "rotor_divergence",
    "torsion_divergence",
]

BINS = 36
PAIR_BINS = 12
ROTOR_BINS = 12


def backbone_torsions(polymer: Polymer, positions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Torsions (F, B - 3) in rad along the backbone of B atoms, of `positions` (F, N, 3) Å, IUPAC sign."""
    x = np.asarray(positions, dtype=np.float64)[:, polymer.backbone]
    return torsion_angles(x[:, :-3], x[:, 1:-2], x[:, 2:-1], x[:, 3:])


def jensen_shannon(p: NDArray[np.floating], q: NDArray[np.floating]) -> float:
    """Jensen-Shannon divergence in bits, 0 (equal) to 1 (disjoint), of two histograms of equal shape.

        JS = H((p + q)/2) - (H(p) + H(q))/2,   H(p) = -sum p_i log2 p_i

    J. Lin, IEEE Trans. Inf. Theory 37, 145 (1991), eq. 4.1 with equal weights; p and q are normalised
    here. Empty histograms give NaN.
    """
    if p.sum() == 0 or q.sum() == 0:
        return float("nan")
    a, b = p / p.sum(), q / q.sum()
    return max(0.0, _entropy((a + b) / 2) - (_entropy(a) + _entropy(b)) / 2)


def _entropy(p: NDArray[np.floating]) -> float:
    some = p[p > 0]
    return float(-np.sum(some * np.log2(some)))


def torsion_divergence(
    polymer: Polymer, generated: NDArray[np.floating], reference: NDArray[np.floating]
) -> float:
    """Mean over the bonds of a repeat unit of the `jensen_shannon` of their torsions in 10° bins.

    `generated` (G, N, 3) and `reference` (R, N, 3) in Å. Few samples diverge by themselves: compare with
    reference against reference. NaN for backbones under four atoms.
    """
    a, b = backbone_torsions(polymer, generated), backbone_torsions(polymer, reference)
    period = len(polymer.backbone) // polymer.n_units
    classes = [_histogram(a[:, k::period], b[:, k::period]) for k in range(min(period, a.shape[1]))]
    return float(np.mean(classes)) if classes else float("nan")


def _histogram(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    counts = [np.histogram(angles, bins=BINS, range=(-np.pi, np.pi))[0] for angles in (a, b)]
    return jensen_shannon(counts[0], counts[1])


def neighbor_torsion_divergence(
    polymer: Polymer, generated: NDArray[np.floating], reference: NDArray[np.floating]
) -> float:
    """As `torsion_divergence`, of the pairs of torsions about neighbouring bonds in 30° by 30° bins."""
    a, b = backbone_torsions(polymer, generated), backbone_torsions(polymer, reference)
    period = len(polymer.backbone) // polymer.n_units
    found = []
    for k in range(min(period, a.shape[1] - 1)):
        counts = []
        for angles in (a, b):
            pairs = angles[:, k:-1:period].ravel(), angles[:, k + 1 :: period].ravel()
            edges = (-np.pi, np.pi)
            counts.append(np.histogram2d(*pairs, bins=PAIR_BINS, range=(edges, edges))[0])
        found.append(jensen_shannon(counts[0], counts[1]))
    return float(np.mean(found)) if found else float("nan")


def rotor_divergence(
    polymer: Polymer, generated: NDArray[np.floating], reference: NDArray[np.floating]
) -> float:
    """As `torsion_divergence`, of all bonds that growth turns, those of side groups included.

    Sizes of torsions, from 0 to 180° in 15° bins: units of either handedness count together. Inner units
    only where there are any. NaN without rotors.
    """
    chain = Chain.of(polymer)
    inner = range(1, chain.n_units - 1) if chain.n_units > 2 else range(chain.n_units)
    classes: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for i in inner:
        for rotor in unit_rotors(chain, i):
            if not rotor.free:
                place = chain.atoms[i].index(rotor.far), len(chain.atoms[i])
                quad = (rotor.before, rotor.near, rotor.far, rotor.after)
                classes.setdefault(place, []).append(quad)
    found = []
    for quads in classes.values():
        counts = []
        for frames in (generated, reference):
            sizes = np.abs(dihedrals(np.asarray(frames, dtype=np.float64), np.array(quads)))
            counts.append(np.histogram(sizes, bins=ROTOR_BINS, range=(0.0, np.pi))[0])
        found.append(jensen_shannon(counts[0], counts[1]))
    return float(np.mean(found)) if found else float("nan")
