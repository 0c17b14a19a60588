"""Push-off: move clashing atoms apart while bonds, angles, rings and planar groups keep their shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from polymd.conformations.clashes import graph_neighbors, van_der_waals_radii

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from polymd.polymer import Polymer

__all__ = ["Shape", "push_off"]

_BOND, _ANGLE, _RIGID, _TORSION, _REPULSION = 100.0, 40.0, 20.0, 0.3, 10.0
_SKIN = 0.6


@dataclass(frozen=True)
class Shape:
    """Pairs of atoms up to three bonds apart and how stiffly each keeps its distance; (P, 2) and (P,)."""

    pairs: NDArray[np.int64]
    stiffness: NDArray[np.float64]
    radii: NDArray[np.float64]
    near: NDArray[np.int64]

    @classmethod
    def of(cls, polymer: Polymer) -> Shape:
        """Shape terms of a polymer: bonds, 1-3 pairs, 1-4 pairs over rigid bonds, 1-4 pairs over rotors."""
        mol = polymer.to_rdkit()
        n = polymer.n_atoms
        pairs, stiffness = [], []
        rank: dict[tuple[int, int], float] = {}
        for reach, value in ((3, _TORSION), (2, _ANGLE), (1, _BOND)):
            indptr, indices = graph_neighbors(n, polymer.bonds, reach)
            owner = np.repeat(np.arange(n), np.diff(indptr))
            for i, j in zip(owner.tolist(), indices.tolist(), strict=True):
                if i < j:
                    rank[i, j] = value
        for pair in _rigid_pairs(mol):
            rank[pair] = max(rank[pair], _RIGID)
        for pair in sorted(rank):
            pairs.append(pair)
            stiffness.append(rank[pair])
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(
            table,
            np.array(stiffness, dtype=np.float64),
            van_der_waals_radii(polymer.atomic_numbers),
            table[:, 0] * n + table[:, 1],
        )


def _rigid_pairs(mol: Mol) -> list[tuple[int, int]]:
    """1-4 pairs over bonds that do not turn: in rings of up to eight atoms, multiple or conjugated."""
    pairs = []
    rings = mol.GetRingInfo()
    for bond in mol.GetBonds():
        size = rings.MinBondRingSize(bond.GetIdx())
        if 0 < size <= 8 or bond.GetBondTypeAsDouble() > 1.0 or bond.GetIsConjugated():
            i, j = bond.GetBeginAtom(), bond.GetEndAtom()
            for a in i.GetNeighbors():
                for b in j.GetNeighbors():
                    ends = sorted((a.GetIdx(), b.GetIdx()))
                    if ends[0] != ends[1] and a.GetIdx() != j.GetIdx() and b.GetIdx() != i.GetIdx():
                        pairs.append((ends[0], ends[1]))
    return pairs


def push_off(
    shape: Shape, positions: NDArray[np.float64], scale: float, rounds: int = 40, steps: int = 25
) -> NDArray[np.float64]:
    """Positions (N, 3) Å with atoms four or more bonds apart pushed to at least `scale` of their radii's sum.

    Minimises, by FIRE (E. Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006)),

        E = 1/2 sum_shape k_p (|r_p| - d_p)^2 + 1/2 sum_close k_r (scale (r_i + r_j) - |r_ij|)^2

    | symbol | here |
    |---|---|
    | k_p, d_p | `shape.stiffness`, the distance in `positions` |
    | k_r | 10, for pairs closer than scale (r_i + r_j) |

    Dimensionless: only the ratios of the constants matter. Stops when nothing is left to push.
    """
    x = np.array(positions, dtype=np.float64)
    i, j = shape.pairs.T
    rest = np.linalg.norm(x[i] - x[j], axis=1)
    reach = 2 * scale * float(shape.radii.max()) + _SKIN
    velocity = np.zeros_like(x)
    state = np.array([0.02, 0.1, 0.0])
    for _ in range(rounds):
        close = cKDTree(x).query_pairs(reach, output_type="ndarray").astype(np.int64)
        close = close[~np.isin(close[:, 0] * len(x) + close[:, 1], shape.near)]
        gap = scale * shape.radii[close].sum(axis=1)
        if not np.any(np.linalg.norm(x[close[:, 0]] - x[close[:, 1]], axis=1) < 0.98 * gap):
            break
        _fire(x, velocity, state, shape.pairs, rest, shape.stiffness, close, gap, steps)
    return x


@numba.njit(cache=True, nogil=True)
def _add(force: NDArray[np.float64], x: NDArray[np.float64], i: int, j: int, d: float, k: float) -> None:
    """Add the force of a spring of rest length d and stiffness k between atoms i and j."""
    dx, dy, dz = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
    r = np.sqrt(dx * dx + dy * dy + dz * dz) + 1e-9
    f = k * (d - r) / r
    force[i, 0] += f * dx
    force[i, 1] += f * dy
    force[i, 2] += f * dz
    force[j, 0] -= f * dx
    force[j, 1] -= f * dy
    force[j, 2] -= f * dz


@numba.njit(cache=True, nogil=True)
def _fire(
    x: NDArray[np.float64],
    velocity: NDArray[np.float64],
    state: NDArray[np.float64],
    pairs: NDArray[np.int64],
    rest: NDArray[np.float64],
    stiffness: NDArray[np.float64],
    close: NDArray[np.int64],
    gap: NDArray[np.float64],
    steps: int,
) -> None:
    """`steps` of FIRE in place; `state` is (time step, mixing, steps since the last uphill step)."""
    force = np.empty_like(x)
    for _ in range(steps):
        force[:] = 0.0
        for p in range(len(pairs)):
            _add(force, x, pairs[p, 0], pairs[p, 1], rest[p], stiffness[p])
        for p in range(len(close)):
            i, j = close[p]
            away = (x[i, 0] - x[j, 0]) ** 2 + (x[i, 1] - x[j, 1]) ** 2 + (x[i, 2] - x[j, 2]) ** 2
            if away < gap[p] * gap[p]:
                _add(force, x, i, j, gap[p], _REPULSION)
        power = np.sum(force * velocity)
        if power > 0.0:
            ratio = np.sqrt(np.sum(velocity**2) / (np.sum(force**2) + 1e-30))
            velocity[:] = (1.0 - state[1]) * velocity + state[1] * ratio * force
            state[2] += 1.0
            if state[2] > 5.0:
                state[0], state[1] = min(state[0] * 1.1, 0.06), state[1] * 0.99
        else:
            velocity[:] = 0.0
            state[0], state[1], state[2] = max(state[0] * 0.5, 0.002), 0.1, 0.0
        velocity += state[0] * force
        x += state[0] * velocity
