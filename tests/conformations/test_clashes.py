from __future__ import annotations

import numpy as np
from rdkit import Chem

from polymd.conformations.clashes import clash_count, clashes, graph_neighbors, van_der_waals_radii
from polymd.polymer import Polymer


def test_radii_are_rdkits() -> None:
    assert van_der_waals_radii(np.array([1, 6, 8])).tolist() == [1.2, 1.7, 1.55]


def test_graph_neighbors_are_the_distance_matrix() -> None:
    polymer = Polymer("*CC(*)c1ccccc1", 3)
    distance = Chem.GetDistanceMatrix(polymer.to_rdkit())
    for reach in (1, 2, 3):
        indptr, indices = graph_neighbors(polymer.n_atoms, polymer.bonds, reach)
        for i in range(polymer.n_atoms):
            expected = np.flatnonzero((distance[i] <= reach) & (distance[i] > 0))
            np.testing.assert_array_equal(indices[indptr[i] : indptr[i + 1]], expected)


def test_clashes_against_all_pairs() -> None:
    polymer = Polymer("*CCO*", 6)
    positions = np.random.default_rng(0).normal(size=(polymer.n_atoms, 3)) * 4
    distance = Chem.GetDistanceMatrix(polymer.to_rdkit())
    radii = van_der_waals_radii(polymer.atomic_numbers)
    expected = [
        (i, j)
        for i in range(polymer.n_atoms)
        for j in range(i + 1, polymer.n_atoms)
        if distance[i, j] >= 4 and np.linalg.norm(positions[i] - positions[j]) < 0.70 * (radii[i] + radii[j])
    ]
    assert sorted(map(tuple, clashes(polymer, positions).tolist())) == expected
    assert clash_count(polymer, positions) == len(expected) > 0


def test_atoms_far_apart_do_not_clash() -> None:
    polymer = Polymer("*C*", 2)
    positions = np.arange(3.0 * polymer.n_atoms).reshape(-1, 3) * 10
    assert clash_count(polymer, positions) == 0
