"""The oracle: units cut from the dynamics of the same polymer, put together by growth with excluded volume.

What a perfect model of units could reach. It is no generator: it needs dynamics of the very polymer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.conformations.chain import Chain
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.excluded_volume import (
    CLASH_COST,
    Table,
    insert,
    make_table,
    remove_last,
    volumes,
)
from polymd.conformations.internal import dihedrals
from polymd.conformations.kernels import attach, frame
from polymd.conformations.library import Key, mirrored_key, unit_key
from polymd.conformations.unit_placement import stage_repulsion

if TYPE_CHECKING:
    from polymd.datasets.polybench.storage import ReferenceChain
    from polymd.polymer import Polymer

__all__ = ["OracleGrower", "oracle_growth"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRIALS = 40  # units tried before some are taken back
_NEAREST = 12  # library units among which the first trials choose
_WIDEN = 10  # trials after which there are twice as many
_SOFTEST = 1.5  # of the repulsion in the last trials
_CEILING = 30.0  # kT
_PATIENCE = 25  # steps a unit before the least bad placements are kept
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class LibraryUnits:
    """Units of one kind: `rows` as those of `UnitKind`, and what was before them in their chains."""

    rows: Floats  # (E, A + 2, 3) Å
    entry: Floats  # (E,) rad, torsion of the junction
    context: Floats  # (E, K) rad, backbone torsions before it, backwards; NaN beyond the chain's head
    before: list[Key | None]  # (E,) kind of the previous unit


class OracleGrower:
    """Grows chains of a polymer from library chains of it.

    A unit is drawn from those library units of the same stereo whose previous unit had nearly the same
    backbone torsions and the same stereo, and is refused with the probability 1 - exp(-u), u being its
    repulsion from the atoms placed (`excluded_volume`); units that find no place are taken back.

    Raises
    ------
    ConformationError
        The library lacks a unit of a stereo that the polymer has.
    """

    def __init__(self, polymer: Polymer, library: Iterable[ReferenceChain]) -> None:
        self.polymer = polymer
        self.chain = Chain.of(polymer)
        self.keys = [unit_key(self.chain, polymer.unit_types, i) for i in range(polymer.n_units)]
        self.library = _cut_all(library)
        missing = [key for key in self.keys if key not in self.library]
        if missing:
            raise ConformationError(
                f"the library has no unit like {len(missing)} of {polymer.name}; allowed: library chains with"
                " all stereoisomers of the unit; fix: more library chains"
            )
        self.quads = [context_quads(self.chain, i) for i in range(polymer.n_units)]
        self.volumes = volumes(polymer.atomic_numbers, polymer.bonds, 0.0)

    def grow(self, rng: np.random.Generator) -> tuple[Floats, int]:
        """Positions (N, 3) in Å of one chain, and the clashes left in it."""
        chain, n_units = self.chain, self.polymer.n_units
        table = make_table(self.polymer.n_atoms, self.volumes.reach)
        x = np.zeros((self.polymer.n_atoms, 3))
        axes = np.zeros((n_units + 1, 3, 3))
        left = [0] * n_units
        steps, stuck, i = _PATIENCE * n_units + 50, 0, 0
        while i < n_units:
            steps -= 1
            points, cost = self._place(rng, i, x, axes[i], table, desperate=steps < 0)
            if cost < np.inf:
                for row, atom in enumerate(chain.atoms[i]):
                    insert(table, atom, points[row])
                    x[atom] = points[row]
                joints = chain.joints(i)
                if i + 1 < n_units:
                    x[chain.line[chain.span[i + 1][0] + 1]] = points[joints[5]]
                    frame(axes[i + 1], points[joints[4]], points[joints[5]], points[joints[3]])
                left[i] = int(cost / CLASH_COST)
                i, stuck = i + 1, max(stuck - 1, 0)
            else:
                stuck += 1
                back = max(0, i - 1 - int(rng.exponential(0.5 + 0.2 * stuck)))
                for unit in range(i - 1, back - 1, -1):
                    for atom in reversed(chain.atoms[unit]):
                        remove_last(table, atom)
                i = back
        return table.positions, sum(left)

    def _place(
        self, rng: np.random.Generator, i: int, x: Floats, axes: Floats, table: Table, *, desperate: bool
    ) -> tuple[Floats, float]:
        """A placement of unit i and its repulsion in kT, infinite where there is none."""
        units = self.library[self.keys[i]]
        order = np.argsort(self._distances(units, i, x), kind="stable")
        chain, n = self.chain, len(self.chain.atoms[i])
        atoms = np.array([*chain.atoms[i], -1, -1], dtype=np.int64)
        if i + 1 < self.polymer.n_units:  # the next unit's head, whose place is settled with this unit
            atoms[n + 1] = chain.line[chain.span[i + 1][0] + 1]
        tested = np.array([*range(n), n + 1], dtype=np.int64)
        joints = chain.joints(i)
        best, least = np.empty((n + 2, 3)), np.inf
        for trial in range(_TRIALS):
            nearest = order[: _NEAREST * 2 ** (trial // _WIDEN)]
            chosen = int(rng.choice(nearest))
            points = np.ascontiguousarray(units.rows[chosen])
            if i > 0:
                head = x[chain.line[chain.span[i][0] + 1]]
                attach(points, n + 2, joints[0], joints[1], joints[2], head, axes, float(units.entry[chosen]))
            cost = stage_repulsion(table, self.volumes, tested, 0, n + 1, points, atoms, np.inf)
            if cost < least:
                best, least = points, cost
            if cost <= -(1.0 + _SOFTEST * trial / _TRIALS) * np.log(1.0 - rng.random()):
                return points, cost
        return best, least if desperate or least < _CEILING else np.inf

    def _distances(self, units: LibraryUnits, i: int, x: Floats) -> Floats:
        """How different (E,) the library's previous units are: mean of 1 - cos, 1 more for another stereo."""
        if i == 0 or not len(self.quads[i]):
            return np.zeros(len(units.entry))
        now = dihedrals(x[None], self.quads[i])[0]
        apart = 1.0 - np.cos(units.context[:, : len(now)] - now[: units.context.shape[1]])
        known = np.isfinite(apart)
        mean = np.where(known, apart, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        other = np.array([key != self.keys[i - 1] for key in units.before])
        return np.asarray(mean + other)


def _cut_all(library: Iterable[ReferenceChain]) -> dict[Key, LibraryUnits]:
    """Units of all frames of the chains and their mirror images, by kind."""
    found: dict[Key, list[LibraryUnits]] = {}
    for reference in library:
        polymer = reference.polymer()
        chain = Chain.of(polymer)
        keys = [unit_key(chain, polymer.unit_types, i) for i in range(chain.n_units)]
        x = np.asarray(reference.positions, dtype=np.float64)
        for i, key in enumerate(keys):
            units = _cut(chain, i, x, keys[i - 1] if i > 0 else None)
            found.setdefault(key, []).append(units)
            found.setdefault(mirrored_key(key), []).append(_mirrored(units))
    return {key: _joined(parts) for key, parts in found.items()}


def _cut(chain: Chain, i: int, x: Floats, before: Key | None) -> LibraryUnits:
    """Unit i in frames x (F, N, 3)."""
    start = chain.span[i][0]
    entry = dihedrals(x, np.array([chain.line[start - 1 : start + 3]]))[:, 0] if i > 0 else np.zeros(len(x))
    n_before = chain.span[i - 1][1] - chain.span[i - 1][0] - 2 if i > 0 else 0
    context = np.full((len(x), n_before), np.nan)
    quads = context_quads(chain, i)
    context[:, : len(quads)] = dihedrals(x, quads)
    return LibraryUnits(x[:, chain.local(i)], entry, context, [before] * len(x))


def context_quads(chain: Chain, i: int) -> Ints:
    """Backbone torsions (K, 4) of the previous unit, from that before the junction of unit i backwards."""
    if i == 0:
        return np.empty((0, 4), dtype=np.int64)
    start = chain.span[i][0]
    n = chain.span[i - 1][1] - chain.span[i - 1][0] - 2
    quads = [chain.line[start - 1 - k : start + 3 - k] for k in range(1, n + 1) if start - 1 - k >= 0]
    return np.array(quads, dtype=np.int64).reshape(-1, 4)


def _mirrored(units: LibraryUnits) -> LibraryUnits:
    before = [None if key is None else mirrored_key(key) for key in units.before]
    return LibraryUnits(units.rows * _MIRROR, -units.entry, -units.context, before)


def _joined(parts: Sequence[LibraryUnits]) -> LibraryUnits:
    return LibraryUnits(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.entry for part in parts]),
        np.concatenate([part.context for part in parts]),
        [key for part in parts for key in part.before],
    )


def oracle_growth(polymer: Polymer, library: Iterable[ReferenceChain], n: int, seed: int) -> Floats:
    """Conformations (n, N, 3) in Å, centred, from `OracleGrower`; clashes that growth leaves stay in."""
    grower = OracleGrower(polymer, library)
    chains = [grower.grow(np.random.default_rng(child))[0] for child in np.random.SeedSequence(seed).spawn(n)]
    return np.stack([chain - chain.mean(axis=0) for chain in chains])
