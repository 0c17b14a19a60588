from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.clashes import clashes
from polymd.conformations.excluded_volume import (
    CLASH_COST,
    energy,
    insert,
    make_table,
    mark,
    pair_attraction,
    pair_repulsion,
    remove_last,
    volumes,
)
from polymd.polymer import Polymer


@pytest.mark.parametrize("edge", [0.0, 13.0, 19.0, 26.0])  # Å; open space, one cell, and cubes of several
def test_table_finds_all_pairs(edge: float) -> None:
    """The energies of a cloud of atoms, pair by pair, are those of the table, nearest images if periodic."""
    polymer = Polymer("*CC(*)C", 6)
    sizes = volumes(polymer.atomic_numbers, polymer.bonds, 1.0)
    x = np.random.default_rng(0).uniform(0.0, 11.0, (polymer.n_atoms, 3))
    if edge:
        x[::2] += edge * np.array([1, -2, 0])  # images
        x[-1] = -0.3
    table = make_table(polymer.n_atoms, sizes.reach, edge)
    for atom in range(polymer.n_atoms - 1):
        insert(table, atom, x[atom])
    last = polymer.n_atoms - 1
    near = dict(
        zip(
            sizes.indices[sizes.indptr[last] : sizes.indptr[last + 1]].tolist(),
            sizes.fourth[sizes.indptr[last] : sizes.indptr[last + 1]].tolist(),
            strict=True,
        )
    )
    repelled = attracted = 0.0
    for j in range(last):
        apart = x[last] - x[j]
        if edge:
            apart -= edge * np.rint(apart / edge)
        r2 = float((apart**2).sum())
        if near.get(j, 1) and r2 < sizes.reach**2:
            repelled += pair_repulsion(sizes, last, j, r2, near.get(j, 0) == 1)
            attracted += pair_attraction(sizes, last, j, r2)
    mark(table, sizes, last)
    assert energy(table, sizes, last, x[last], False) == pytest.approx(repelled)
    assert energy(table, sizes, last, x[last], True) == pytest.approx(attracted)
    for atom in range(last - 1, -1, -1):
        remove_last(table, atom)
    assert energy(table, sizes, last, x[last], False) == 0.0


def test_every_clash_costs() -> None:
    polymer = Polymer("*CC(*)C", 3)
    sizes = volumes(polymer.atomic_numbers, polymer.bonds, 0.0)
    x = np.random.default_rng(1).uniform(0.0, 5.0, (polymer.n_atoms, 3))
    pairs = clashes(polymer, x)
    assert len(pairs)
    for i, j in pairs:
        assert pair_repulsion(sizes, i, j, float(((x[i] - x[j]) ** 2).sum()), False) >= CLASH_COST


def test_hydrogens_that_can_bond_are_small() -> None:
    polymer = Polymer("*CC(*)O", 2)
    sizes = volumes(polymer.atomic_numbers, polymer.bonds, 0.0)
    hydrogens = sizes.soft[polymer.atomic_numbers == 1]
    assert len(set(hydrogens.tolist())) == 2
