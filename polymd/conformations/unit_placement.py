"""Placing one unit on the end of a chain: stage by stage, refused by its repulsion, chosen by attraction."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from polymd.conformations.excluded_volume import Table, Volumes, energy, mark, pair_repulsion
from polymd.conformations.kernels import BINS, FREE, STIFF, Links, Units, attach, distribution, pick, turn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRIES = 8  # torsions drawn for one stage before the unit is begun anew
_TRIALS = 40  # units begun before some are taken back
_SOFTEST = 1.5  # of densities and repulsion in the last of these trials
_CEILING = 6.0  # kT, of the repulsion of the atoms of one stage
_STUCK = 0.25  # of that, for each time that units were taken back of late
_CANDIDATES = 6  # placements to choose from where atoms attract each other
_ATOM = 10.0  # Å³, volume of an atom in a melt
_SHELL = 1.5  # Å outside the globule that cost 1 kT in the poorest solvent


@numba.njit(cache=True, nogil=True)
def stage_repulsion(
    table: Table,
    volumes: Volumes,
    rows: Ints,
    start: int,
    stop: int,
    points: Floats,
    atoms: Ints,
    most: float,
) -> float:
    """Repulsion in kT of the rows from `start` on with placed atoms and with the rows before `start`.

    `atoms` (A + 2,) are the chain's atoms that the rows stand for, -1 for none. Ends above `most`.
    """
    total = 0.0
    for p in range(start, stop):
        i = atoms[rows[p]]
        if i < 0:
            continue
        point = points[rows[p]]
        here = mark(table, volumes, i)
        for q in range(start):
            j = atoms[rows[q]]
            if j >= 0 and table.marks[j] != here:
                other = points[rows[q]]
                r2 = (point[0] - other[0]) ** 2 + (point[1] - other[1]) ** 2 + (point[2] - other[2]) ** 2
                total += pair_repulsion(volumes, i, j, r2, table.marks[j] == here + 1)
        if total <= most:
            total += energy(table, volumes, i, point, False)
        if total > most:
            break
    return total


@numba.njit(cache=True, nogil=True)
def _best_of(
    rng: np.random.Generator, drawn: Floats, costs: Floats, ceiling: float, softness: float
) -> float:
    """One of the torsions drawn, by the weights exp(-cost / (1 + softness)); infinite if all cost more."""
    least = np.min(costs)
    if least > ceiling:
        return np.inf
    total, chosen = 0.0, drawn[0]
    for angle, cost in zip(drawn, costs):  # noqa: B905 - Numba knows no strict
        weight = np.exp((least - cost) / (1.0 + softness)) if cost <= max(ceiling, least) else 0.0
        total += weight
        if rng.random() * total < weight:
            chosen = angle
    return float(chosen)


@numba.njit(cache=True, nogil=True)
def _draw(rng: np.random.Generator, how: int, entry: float, density: Floats) -> float:
    """A torsion: near its value in the conformer, any, or one of the network's density."""
    if how == STIFF:
        return float(entry + 0.05 * rng.normal())
    if how == FREE:
        return float(2.0 * np.pi * rng.random())
    return float(pick(rng, density))


@numba.njit(cache=True, nogil=True)
def place_unit(
    rng: np.random.Generator,
    units: Units,
    links: Links,
    kind: int,
    link: int,
    unit: int,
    atoms: Ints,
    place: Floats,
    axes: Floats,
    angles: Floats,
    table: Table,
    volumes: Volumes,
    points: Floats,
    softness: float,
    desperate: bool,
) -> float:
    """Draw one placement of a unit to `points` and its torsions to `angles`; returns its repulsion in kT.

    Each stage draws torsions x from the network's density p until one passes with the probability
    exp(-u(x)), u being the repulsion of the atoms that the stage settles; when none of _TRIES passes, they
    compete with the weights exp(-u). Infinite when all are above _CEILING, or whatever they are if the
    unit is desperate. Softness s takes p and exp(-u) to the power 1 / (1 + s).
    """
    conformer = int(rng.random() * (units.first_conformer[kind + 1] - units.first_conformer[kind]))
    n_rows = units.n_rows[kind]
    top = units.first_row[kind] + conformer * n_rows
    points[:n_rows] = units.rows[top : top + n_rows]
    if unit == 0:
        for row in range(n_rows):
            points[row] = (
                place + points[row, 0] * axes[0] + points[row, 1] * axes[1] + points[row, 2] * axes[2]
            )
    first_rotor = units.first_rotor[kind]
    n_rotors = units.first_rotor[kind + 1] - first_rotor
    own = units.first_torsion[kind] + conformer * n_rotors
    density, drawn, costs = np.empty(BINS), np.empty(_TRIES), np.empty(_TRIES)
    total = 0.0
    entry = units.entry[units.first_conformer[kind] + conformer]
    ceiling = np.inf if desperate else _CEILING * (1.0 + 4.0 * softness)
    begin = units.first_stage_row[first_rotor + kind]
    rows = units.stage_rows[begin : units.first_stage_row[first_rotor + kind + n_rotors + 1]]
    for stage in range(n_rotors + 1):
        at = links.first_stage[link] + stage
        how = links.turns[at]
        if how != STIFF and how != FREE:
            distribution(links, at, angles, unit, softness, density)
        current = entry if stage == 0 else units.torsions[own + stage - 1]
        start = units.first_stage_row[first_rotor + kind + stage] - begin
        stop = units.first_stage_row[first_rotor + kind + stage + 1] - begin
        limit = -(1.0 + softness) * np.log(1.0 - rng.random())
        tries = _TRIES if how != STIFF and (stage > 0 or unit > 0) else 1
        for attempt in range(tries + 1):
            if attempt == tries:
                angle = _best_of(rng, drawn[:tries], costs[:tries], ceiling, softness)
                if angle == np.inf:
                    return np.inf
            else:
                angle = _draw(rng, how, entry, density)
            if stage > 0:
                r = first_rotor + stage - 1
                turn(
                    points, units.axes[r, 0], units.axes[r, 1], units.moving,
                    units.first_moving[r], units.first_moving[r + 1], angle - current,
                )  # fmt: skip
                current = angle
            elif unit > 0:
                line = units.line[kind]
                attach(points, n_rows, line[0], line[1], line[2], place, axes, angle)
            cost = stage_repulsion(table, volumes, rows, start, stop, points, atoms, ceiling)
            if cost <= limit or attempt == tries:
                angles[unit, stage] = angle
                total += cost
                break
            drawn[attempt], costs[attempt] = angle, cost
    return total


@numba.njit(cache=True, nogil=True)
def _outside(table: Table, first: int, stop: int, point: Floats) -> float:
    """How far (Å) a point is outside of the globule of the chain's atoms from `first` up to `stop`."""
    if first == stop:
        return 0.0
    distance = 0.0
    for d in range(3):
        distance += (point[d] - np.mean(table.positions[first:stop, d])) ** 2
    radius = (0.75 / np.pi * _ATOM * (stop - first)) ** (1.0 / 3.0)
    return float(max(0.0, np.sqrt(distance) - radius))


@numba.njit(cache=True, nogil=True)
def choose_unit(
    rng: np.random.Generator,
    units: Units,
    links: Links,
    kind: int,
    link: int,
    unit: int,
    atoms: Ints,
    place: Floats,
    axes: Floats,
    angles: Floats,
    table: Table,
    volumes: Volumes,
    points: Floats,
    first: int,
    stuck: float,
    desperate: bool,
) -> float:
    """A placement that repulsion admits; of several, where atoms attract each other, one by its weight.

    Placements are chosen with probability proportional to exp(-v), v the attraction in kT: that of pairs
    of atoms, and that of the chain as a whole, which draws an end outside of the globule that the placed
    atoms would be at the density of a melt back to their centre. Returns the repulsion, infinite when
    there is none.
    """
    wanted = _CANDIDATES if volumes.attraction > 0.0 and not desperate else 1
    found, weights, cost = 0, 0.0, np.inf
    kept, kept_angles = points.copy(), angles[unit].copy()
    for trial in range(_TRIALS):
        softness = _SOFTEST * ((trial - found) / _TRIALS + min(_STUCK * stuck, 1.0))
        new = place_unit(
            rng, units, links, kind, link, unit, atoms, place, axes, angles, table, volumes, points,
            softness, desperate,
        )  # fmt: skip
        if new == np.inf:
            continue
        found += 1
        if wanted == 1:
            return new
        pull = volumes.attraction * _outside(table, first, atoms[0], points[units.line[kind, 5]]) / _SHELL
        for row in range(units.n_rows[kind]):
            if atoms[row] >= 0:
                mark(table, volumes, atoms[row])
                pull += energy(table, volumes, atoms[row], points[row], True)
        weight = np.exp(min(-pull, 50.0))
        weights += weight
        if rng.random() * weights < weight:
            kept[:], kept_angles[:], cost = points, angles[unit], new
        if found == wanted:
            break
    points[:], angles[unit] = kept, kept_angles
    return cost
