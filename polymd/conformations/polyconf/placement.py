"""Assembly with excluded volume: where atoms come too close, draws of other units take the place.

PolyConf assembles its draws as they are, and long chains run through themselves. Here units are placed
from head to tail. A unit is tried as it was drawn, at the torsion of the junction that was drawn for it,
then with draws of any unit of its kind and any junction of its kind, and all torsions ever less near
the drawn ones. A placement of repulsion u (in kT; Weeks, Chandler and Andersen, as in growth, beyond that of
embedded units) passes with the probability exp(-(u - 8)) or 1; when none of `_TRIALS` does, they compete with
the weights exp(-u). A unit without a place takes some units before it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polymd.conformations.excluded_volume import (
    CLASH_COST,
    Table,
    Volumes,
    insert,
    make_table,
    remove_last,
    volumes,
)
from polymd.conformations.kernels import attach, frame, turn
from polymd.conformations.polyconf.assembly import STAR_AFTER
from polymd.conformations.polyconf.units import ChainUnits
from polymd.conformations.unit_placement import stage_repulsion

if TYPE_CHECKING:
    from polymd.polymer import Polymer

__all__ = ["Placement", "Pool", "place_units", "repulsions"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRIALS = 100
_ALLOWED = 8.0  # kT, of the repulsion of a unit, which passes in any case
_CEILING = 15.0  # kT, of the repulsion of a unit
_SOFTEST = 1.5  # of the repulsion in the last trial
_JUNCTION = 0.15  # rad, about drawn torsions of junctions
_TURN = 0.2  # rad, about drawn torsions of units, times softness
_STUCK = 0.08  # of softness, for each time that units were taken back of late
_LOSS, _WORTHLESS = 0.7, 0.02  # of a draw's worth, each time that the next unit finds no place; at least
_PATIENCE = 60  # steps a unit before the least bad placements are kept


class Pool(NamedTuple):
    """Draws of the units of one chain: D of each unit's conformation and of each junction's torsion.

    atoms (U, A) are chain indices: the unit's own, the next unit's head, and -1 where there is none; line
    (U, 6) is that of `assembly`. Draws of units (or junctions) of one group may stand in for each other.
    """

    points: Floats  # (U, D, A, 3) Å
    torsions: Floats  # (U, D) rad, of the junction before each unit
    usual: Floats  # (U,) kT, repulsion of embedded units with themselves
    atoms: Ints  # (U, A)
    own: NDArray[np.bool_]  # (U, A)
    line: Ints  # (U, 6)
    axes: Ints  # (U, T, 2) of turns
    moving: NDArray[np.bool_]  # (U, T, A), nothing where there is no turn
    units: Ints  # (U,) group of each unit
    junctions: Ints  # (U,) group of the junction before it


@numba.njit(cache=True, nogil=True)
def _pick(rng: np.random.Generator, groups: Ints, unit: int, worth: Floats) -> tuple[int, int]:
    """A draw of the group of `unit`, the more often the more it is `worth` (U, D): unit and draw."""
    while True:
        found, draw = int(rng.random() * len(groups)), int(rng.random() * worth.shape[1])
        if groups[found] == groups[unit] and rng.random() < worth[found, draw]:
            return found, draw


@numba.njit(cache=True, nogil=True)
def _repulsion(table: Table, volumes: Volumes, points: Floats, atoms: Ints, most: float) -> float:
    """Repulsion in kT of a unit with itself and with placed atoms; ends above `most`."""
    rows, total = np.arange(len(atoms)), 0.0
    for k in range(len(atoms)):
        total += stage_repulsion(table, volumes, rows, k, k + 1, points, atoms, most)
        if total > most:
            break
    return total


@numba.njit(cache=True, nogil=True)
def repulsions(points: Floats, atoms: Ints, volumes: Volumes) -> Floats:
    """Repulsion (P,) in kT of conformations (P, A, 3) of units, atoms (P, A), with themselves."""
    table = make_table(len(volumes.hard), volumes.reach)
    found = np.empty(len(points))
    for p in range(len(points)):
        found[p] = _repulsion(table, volumes, points[p], atoms[p], np.inf)
    return found


@numba.njit(cache=True, nogil=True)
def _shake(
    rng: np.random.Generator, points: Floats, axes: Ints, moving: NDArray[np.bool_], by: float
) -> None:
    """Turn all bonds of a unit by normal angles of the width `by` in rad."""
    for k in range(len(axes)):
        rows = np.flatnonzero(moving[k])
        if len(rows):
            turn(points, axes[k, 0], axes[k, 1], rows, 0, len(rows), by * rng.normal())


@numba.njit(cache=True, nogil=True)
def _choose(
    rng: np.random.Generator,
    pool: Pool,
    worth: Floats,
    unit: int,
    place: Floats,
    axes: Floats,
    table: Table,
    volumes: Volumes,
    points: Floats,
    used: Ints,
    stuck: float,
    desperate: bool,
) -> float:
    """Put a unit at `points` (A, 3); returns its repulsion in kT, infinite if it has no place.

    The first trial is the unit as drawn, unless units were taken back of late. The draws of unit and
    junction go to `used` (4,), their worth (2, U, D) is what `place_units` has learned.
    """
    late = min(_STUCK * stuck, 1.0)
    ceiling = np.inf if desperate else _CEILING * (1.0 + 4.0 * late)
    kept, kept_cost, total, trial_used = points.copy(), np.inf, 0.0, np.empty_like(used)
    for trial in range(_TRIALS):
        softness = _SOFTEST * max(trial / _TRIALS, late)
        trial_used[0], trial_used[1], trial_used[2], trial_used[3] = unit, 0, unit, 0
        first = trial == 0 and stuck == 0.0
        if not first:
            trial_used[0], trial_used[1] = _pick(rng, pool.units, unit, worth[0])
            trial_used[2], trial_used[3] = _pick(rng, pool.junctions, unit, worth[1])
        points[:] = pool.points[trial_used[0], trial_used[1]]
        angle = pool.torsions[trial_used[2], trial_used[3]]
        if not first:
            angle += _JUNCTION * (1.0 + 2.0 * softness) * rng.normal()
            _shake(rng, points, pool.axes[unit], pool.moving[unit], _TURN * softness)
        if unit > 0:
            line = pool.line[unit]
            attach(points, len(points), line[0], line[1], line[2], place, axes, angle)
        most = min(ceiling, kept_cost) if desperate else ceiling
        cost = _repulsion(table, volumes, points, pool.atoms[unit], most + pool.usual[unit])
        cost -= pool.usual[unit]
        if cost > most:
            continue
        passed = cost <= _ALLOWED - (1.0 + softness) * np.log(1.0 - rng.random())
        weight = np.exp(-cost / (1.0 + _SOFTEST * late))
        total += weight
        if passed or desperate or rng.random() * total < weight:
            kept[:], used[:], kept_cost = points, trial_used, cost
        if passed:
            break
    points[:] = kept
    return float(kept_cost)


@numba.njit(cache=True, nogil=True)
def place_units(rng: np.random.Generator, pool: Pool, volumes: Volumes) -> Floats:
    """Assemble a chain; returns positions (N, 3) in Å, with clashes if its patience came to an end.

    Draws after which the next unit finds no place lose worth, and are drawn less often from there on.
    """
    n_units, n_rows = pool.atoms.shape
    table = make_table(len(volumes.hard), volumes.reach)
    points, worth = np.empty((n_rows, 3)), np.ones((2, n_units, pool.points.shape[1]))
    places, axes = np.zeros((n_units + 1, 3)), np.zeros((n_units + 1, 3, 3))
    used = np.zeros((n_units, 4), dtype=np.int64)
    steps, stuck, i = _PATIENCE * n_units + 50, 0.0, 0
    while i < n_units:
        steps -= 1
        cost = _choose(
            rng, pool, worth, i, places[i], axes[i], table, volumes, points, used[i], stuck, steps < 0
        )
        if cost < np.inf:
            for row in range(n_rows):
                if pool.own[i, row]:
                    insert(table, pool.atoms[i, row], points[row])
            places[i + 1] = points[pool.line[i, 5]]
            frame(axes[i + 1], points[pool.line[i, 4]], places[i + 1], points[pool.line[i, 3]])
            i, stuck = i + 1, max(stuck - 0.3, 0.0)
        else:
            stuck += 1.0
            last = used[max(i - 1, 0)]
            worth[0, last[0], last[1]] = max(_LOSS * worth[0, last[0], last[1]], _WORTHLESS)
            worth[1, last[2], last[3]] = max(_LOSS * worth[1, last[2], last[3]], _WORTHLESS)
            back = max(0, i - 1 - int(-np.log(1.0 - rng.random()) * (0.5 + 0.2 * stuck)))
            for unit in range(i - 1, back - 1, -1):
                for row in range(n_rows - 1, -1, -1):
                    if pool.own[unit, row]:
                        remove_last(table, pool.atoms[unit, row])
            i = back
    return table.positions


@dataclass(frozen=True)
class Placement:
    """What the assembly knows of a chain; for the arrays see `Pool`."""

    volumes: Volumes
    usual: Floats
    atoms: Ints
    chain: ChainUnits
    kinds: Ints
    """(U,) of units that may stand in for each other."""

    @classmethod
    def of(
        cls, polymer: Polymer, units: ChainUnits, templates: list[NDArray[np.float32]], kinds: Ints
    ) -> Placement:
        """Of the units of a polymer, their embedded conformers (C, A, 3) Å and kinds (U,)."""
        sizes = volumes(polymer.atomic_numbers, polymer.bonds, 0.0)
        seen = units.own.copy()
        np.put_along_axis(seen, units.line[:, STAR_AFTER : STAR_AFTER + 1], True, axis=1)
        atoms = np.where(seen, units.atoms, -1)
        shown = {int(kind): i for i, kind in enumerate(kinds)}
        found = {
            kind: repulsions(
                templates[i].astype(np.float64), np.tile(atoms[i], (len(templates[i]), 1)), sizes
            )
            for kind, i in shown.items()
        }
        usual = np.array([np.median(found[int(kind)]) for kind in kinds])
        return cls(sizes, usual, atoms, units, kinds)

    def ordered(self, rng: np.random.Generator, draws: Tensor, units: Tensor) -> tuple[Tensor, Tensor]:
        """Draws (D, M, A, 3) of units (M,) in another order, and which units (M,) clash in all of them.

        First comes a draw with the weights exp(-u), u (kT) being the repulsion of a unit with itself.
        """
        n_draws, count = draws.shape[:2]
        own = np.tile(units.numpy(), n_draws)
        found = repulsions(draws.flatten(0, 1).double().numpy(), self.atoms[own], self.volumes)
        found = found.reshape(n_draws, count)
        order = torch.from_numpy(np.argsort(found - rng.gumbel(size=found.shape), axis=0))
        return (
            torch.gather(draws, 0, order[..., None, None].expand_as(draws)),
            torch.from_numpy(found.min(axis=0) >= CLASH_COST),
        )

    def place(self, rng: np.random.Generator, points: Floats, torsions: Floats) -> Floats:
        """Positions (N, 3) Å of a chain from arrays of a `Pool`; torsions (U - 1, D) of all but unit 0."""
        chain, kinds = self.chain, self.kinds
        before = np.concatenate([np.zeros((1, points.shape[1])), torsions])
        junctions = np.full(len(kinds), -1)
        junctions[1:] = kinds[:-1] * (kinds.max() + 1) + kinds[1:]
        pool = Pool(
            points, before, self.usual, self.atoms, chain.own, chain.line,
            np.ascontiguousarray(chain.quads[..., 1:3]), chain.moving, kinds, junctions,
        )  # fmt: skip
        return place_units(rng, pool, self.volumes)
