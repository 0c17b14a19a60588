"""Unit conformers with the network's bond lengths and angles, and with thermal vibrations about them.

With internal coordinates q(x) (bonds, angles, torsions that do not turn, planarity), their means m from
the network (torsions and planarity: those of the embedded conformer) and standard deviations s,
(an angle that is straight in the conformer counts as the sum of the unit vectors along its bonds, which is
zero then and, unlike the angle, has a gradient there),

    E(x) / kT = 1/2 sum_i (q_i(x) - m_i)^2 / s_i^2

is minimised by Gauss-Newton steps x <- x - (J^T W J)^+ J^T W (q - m), with J = dq/dx and W = 1/s^2, and its
Gaussian, of covariance (J^T W J)^+ in Cartesian coordinates, is what the pool is drawn from.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.internal import angle_triples, bond_pairs, covalent_lengths, dihedrals
from polymd.conformations.library import UnitKind
from polymd.conformations.torsions import Encoded

__all__ = ["thermal_pool"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POOL = 48
"""Conformers in a unit's pool."""
_STEPS = 4
_HELD = 0.02  # rad, of torsions that growth turns later
_RING = 0.12  # rad, of torsions in rings and about double bonds
_FLAT = 0.08  # rad, of planar centres
_LONGEST = 0.3  # Å, of a step
_FARTHEST = 1.0  # Å, that an atom may move from where it was embedded
_STRAIGHTENED = 2  # steps that mend what the linear displacement bends
_STIFFNESS = 1e-7  # modes softer than this part of the stiffest are no vibrations


@dataclass(frozen=True)
class _Coordinates:
    """Internal coordinates of a unit: local atoms, means and standard deviations."""

    bonds: Ints  # (B, 2)
    angles: Ints  # (A, 3)
    straight: Ints  # (L, 3)
    torsions: Ints  # (T, 4)
    means: Floats  # (B + A + 3 L,) Å, rad, none
    widths: Floats  # (B + A + 3 L + T,)

    def values(self, x: Floats) -> Floats:
        """(B + A + 3 L + T,) of positions (n, 3)."""
        bond = x[self.bonds[:, 0]] - x[self.bonds[:, 1]]
        one, other = (_unit_vectors(x, self.angles[:, [1, k]]) for k in (0, 2))
        left, right = (_unit_vectors(x, self.straight[:, [1, k]]) for k in (0, 2))
        return np.concatenate(
            [
                np.linalg.norm(bond, axis=1),
                np.arccos(np.clip((one * other).sum(axis=1), -1.0, 1.0)),
                (left + right).ravel(),
                dihedrals(x[None], self.torsions)[0],
            ]
        )

    def miss(self, x: Floats, means: Floats) -> Floats:
        """How far positions are off `means`; torsions the short way round."""
        miss = self.values(x) - means
        turned = slice(len(self.means), None)
        miss[turned] = np.angle(np.exp(1j * miss[turned]))
        return miss

    def weighted_jacobian(self, x: Floats) -> Floats:
        """dq/dx / s (B + A + 3 L + T, 3 n)."""
        rows = np.zeros((len(self.widths), len(x), 3))
        b, a = len(self.bonds), len(self.angles)
        _bond_rows(rows[:b], x, self.bonds)
        _angle_rows(rows[b : b + a], x, self.angles)
        _straight_rows(rows[b + a : len(self.means)], x, self.straight)
        _torsion_rows(rows[len(self.means) :], x, self.torsions)
        return rows.reshape(len(rows), -1) / self.widths[:, None]


def _unit_vectors(x: Floats, pairs: Ints) -> Floats:
    """Directions (P, 3) from the first to the second atom of each pair."""
    d = x[pairs[:, 1]] - x[pairs[:, 0]]
    return np.asarray(d / np.linalg.norm(d, axis=1, keepdims=True))


def _bond_rows(rows: Floats, x: Floats, pairs: Ints) -> None:
    d = x[pairs[:, 0]] - x[pairs[:, 1]]
    d /= np.linalg.norm(d, axis=1, keepdims=True)
    k = np.arange(len(pairs))
    rows[k, pairs[:, 0]], rows[k, pairs[:, 1]] = d, -d


def _angle_rows(rows: Floats, x: Floats, triples: Ints) -> None:
    u, v = x[triples[:, 0]] - x[triples[:, 1]], x[triples[:, 2]] - x[triples[:, 1]]
    lu, lv = np.linalg.norm(u, axis=1, keepdims=True), np.linalg.norm(v, axis=1, keepdims=True)
    u, v = u / lu, v / lv
    cosine = (u * v).sum(axis=1, keepdims=True)
    sine = np.sqrt(np.maximum(1.0 - cosine**2, 1e-3))
    first, last = (cosine * u - v) / (lu * sine), (cosine * v - u) / (lv * sine)
    k = np.arange(len(triples))
    rows[k, triples[:, 0]], rows[k, triples[:, 2]], rows[k, triples[:, 1]] = first, last, -first - last


def _straight_rows(rows: Floats, x: Floats, triples: Ints) -> None:
    """Of e_1 + e_2, the unit vectors from the apex: d e / dr = (1 - e e^T) / |r|."""
    for t, triple in enumerate(triples):
        for k in (0, 2):
            d = x[triple[k]] - x[triple[1]]
            length = float(np.linalg.norm(d))
            e = d / length
            block = (np.eye(3) - np.outer(e, e)) / length
            rows[3 * t : 3 * t + 3, triple[k]] += block
            rows[3 * t : 3 * t + 3, triple[1]] -= block


def _torsion_rows(rows: Floats, x: Floats, quads: Ints) -> None:
    """A. Blondel, M. Karplus, J. Comput. Chem. 17, 1132 (1996), equation 27."""
    f, g, h = (x[quads[:, k]] - x[quads[:, k + 1]] for k in (0, 1, 2))
    h = -h
    a, b = np.cross(f, g), np.cross(h, g)
    length = np.linalg.norm(g, axis=1, keepdims=True)
    aa = np.maximum((a * a).sum(axis=1, keepdims=True), 1e-2)
    bb = np.maximum((b * b).sum(axis=1, keepdims=True), 1e-2)
    fg, hg = (f * g).sum(axis=1, keepdims=True), (h * g).sum(axis=1, keepdims=True)
    first, last = -length / aa * a, length / bb * b
    shift = fg / (aa * length) * a - hg / (bb * length) * b
    k = np.arange(len(quads))
    for place, value in enumerate((first, shift - first, -shift - last, last)):
        rows[k, quads[:, place]] += value


def thermal_pool(chain: Chain, unit: int, kind: UnitKind, encoded: Encoded, seed: int) -> UnitKind:
    """The kind with POOL conformers at the network's lengths and angles, vibrating as at 298 K.

    `unit` is a unit of this kind; a conformer that the means do not fit is kept as it was embedded.
    """
    rng = np.random.default_rng(seed)
    coordinates = _coordinates(chain, unit, kind, encoded)
    n = len(kind.coordinates)
    counts = [POOL // n + (c < POOL % n) for c in range(n)]
    pool = [
        x
        for conformer, count in zip(kind.coordinates, counts, strict=True)
        for x in _vibrating(coordinates, conformer, count, rng)
    ]
    local = chain.local(unit)
    own = [local.index(atom) for atom in local]  # at chain ends an atom stands twice
    return replace(kind, coordinates=np.stack(pool)[:, own], entry=np.repeat(kind.entry, counts))


def _vibrating(coordinates: _Coordinates, x: Floats, count: int, rng: np.random.Generator) -> list[Floats]:
    """`count` positions drawn from the Gaussian about the minimum near x (n, 3)."""
    means = np.concatenate([coordinates.means, coordinates.values(x)[len(coordinates.means) :]])
    start = x
    for _ in range(_STEPS):
        jacobian = coordinates.weighted_jacobian(x)
        inverse, root = _inverse(jacobian)
        x = x - _step(inverse @ (coordinates.miss(x, means) / coordinates.widths))
    if not float(np.linalg.norm(x - start, axis=1).max()) < _FARTHEST:
        return [start] * count
    found = []
    for _ in range(count):
        shift = root @ rng.normal(size=root.shape[1])
        wanted = means + coordinates.miss(x, means) + coordinates.widths * (jacobian @ shift)
        moved = x + shift.reshape(-1, 3)
        for _ in range(_STRAIGHTENED):
            moved = moved - _step(inverse @ (coordinates.miss(moved, wanted) / coordinates.widths))
        found.append(moved)
    return found


def _inverse(jacobian: Floats) -> tuple[Floats, Floats]:
    """Pseudo-inverse of a weighted Jacobian, and a root of the covariance (J^T J)^+."""
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    kept = values > _STIFFNESS * values[-1]
    vectors = vectors[:, kept]
    return (vectors / values[kept]) @ vectors.T @ jacobian.T, vectors / np.sqrt(values[kept])


def _step(step: Floats) -> Floats:
    return (step * min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-12))).reshape(-1, 3)


def _coordinates(chain: Chain, unit: int, kind: UnitKind, encoded: Encoded) -> _Coordinates:
    local = chain.local(unit)
    where = {atom: k for k, atom in reversed(list(enumerate(local)))}
    mapped = np.full(len(chain.neighbors), -1, dtype=np.int64)
    for atom, k in where.items():
        mapped[atom] = k
    bonds, angles = bond_pairs(chain, local), angle_triples(chain, local)
    numbers = np.array([atom.GetAtomicNum() for atom in chain.mol.GetAtoms()], dtype=np.int64)
    network, h, index = encoded.network, encoded.features, encoded.index
    start = covalent_lengths(numbers, bonds).astype(np.float32)
    length, length_width = network.lengths(h, index[bonds], start)
    angle, angle_width = network.angles(h, index[angles])
    flat = _straight(kind.coordinates[0], mapped[angles])
    lines = mapped[angles[flat]]
    torsions, widths = _fixed_torsions(chain, kind, where, lines)
    return _Coordinates(
        mapped[bonds],
        mapped[angles[~flat]],
        lines,
        torsions,
        np.concatenate([length, angle[~flat], np.zeros(3 * len(lines))]).astype(np.float64),
        np.concatenate([length_width, angle_width[~flat], np.repeat(angle_width[flat], 3), widths]).astype(
            np.float64
        ),
    )


def _straight(x: Floats, triples: Ints) -> NDArray[np.bool_]:
    """Which angles are straight."""
    u, v = x[triples[:, 0]] - x[triples[:, 1]], x[triples[:, 2]] - x[triples[:, 1]]
    cosine = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
    return np.asarray(cosine < -0.98)


def _fixed_torsions(chain: Chain, kind: UnitKind, where: dict[int, int], lines: Ints) -> tuple[Ints, Floats]:
    """Torsions held at their values: rotors closely, the others as rings; and improper ones.

    None that has one of the straight angles `lines` (L, 3), where it is not defined.
    """
    undefined = {(apex, frozenset((i, j))) for i, apex, j in lines.tolist()}
    turning = {frozenset(turn.torsion[1:3]) for turn in kind.turns}
    quads: list[tuple[int, int, int, int]] = []
    widths: list[float] = []
    for b, k in where.items():
        around = [where[a] for a in chain.neighbors[b] if a in where]
        for c in (a for a in chain.neighbors[b] if a in where and b < a):
            ends = [where[a] for a in chain.neighbors[c] if a in where and a != b]
            ends = [a for a in ends if (where[c], frozenset((k, a))) not in undefined]
            sides = [a for a in around if a != where[c] and (k, frozenset((a, where[c]))) not in undefined]
            turned = frozenset((k, where[c])) in turning
            for i in sides[: 1 if turned else None]:
                for j in ends[: 1 if turned else None]:
                    if i != j:
                        quads.append((i, k, where[c], j))
                        widths.append(_HELD if turned else _RING)
        if len(around) == 3:
            quads.append((around[0], around[1], k, around[2]))
            widths.append(_FLAT)
    return np.array(quads, dtype=np.int64).reshape(-1, 4), np.array(widths, dtype=np.float64)
