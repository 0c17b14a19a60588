from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.geometry import dihedral
from polymd.conformations.metrics.distributions import (
    backbone_torsions,
    jensen_shannon,
    neighbor_torsion_divergence,
    rotor_divergence,
    torsion_divergence,
)
from polymd.polymer import Polymer


def test_torsions_are_dihedrals_of_the_backbone() -> None:
    polymer = Polymer("*CCO*", 3)
    x = np.random.default_rng(0).normal(size=(2, polymer.n_atoms, 3))
    found = backbone_torsions(polymer, x)
    assert found.shape == (2, len(polymer.backbone) - 3)
    for frame in range(2):
        for k in range(found.shape[1]):
            quartet = x[frame, polymer.backbone[k : k + 4]]
            assert found[frame, k] == pytest.approx(dihedral(*quartet))


def test_jensen_shannon_by_hand() -> None:
    one, other = np.array([4, 0]), np.array([0, 7])
    assert jensen_shannon(one, one) == 0.0
    assert jensen_shannon(one, other) == pytest.approx(1.0)
    # H(3/4, 1/4) - (0 + 1)/2 = 0.8112781 - 0.5
    assert jensen_shannon(one, np.array([5, 5])) == pytest.approx(0.3112781, abs=1e-7)
    assert np.isnan(jensen_shannon(one, np.zeros(2)))


def test_equal_samples_do_not_diverge_and_other_torsions_do() -> None:
    polymer = Polymer("*CC*", 6)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20, polymer.n_atoms, 3))
    for divergence in (torsion_divergence, neighbor_torsion_divergence):
        assert divergence(polymer, a, a) == 0.0
        assert 0.0 < divergence(polymer, a, b) < 1.0
        assert divergence(polymer, a, b) == pytest.approx(divergence(polymer, b, a))


def test_shuffled_neighbors_keep_torsions_and_lose_pairs() -> None:
    """Chains of two halves: all trans then all cis, against trans and cis in turn."""
    polymer = Polymer("*C*", 7)

    def chain(torsions: list[float]) -> np.ndarray:
        x = np.zeros((polymer.n_atoms, 3))
        points = [np.array([0.0, 0, 0]), np.array([1.0, 0, 0]), np.array([1.5, 1, 0])]
        for torsion in torsions:
            b, c = points[-2], points[-1]
            axis = (c - b) / np.linalg.norm(c - b)
            normal = np.cross(b - points[-3], axis)
            normal /= np.linalg.norm(normal)
            side = np.cross(normal, axis)
            points.append(c + 0.4 * axis + np.cos(torsion) * -side * -1 + np.sin(torsion) * normal)
        x[polymer.backbone] = points
        return x

    blocks, turns = chain([0.2, 0.2, 3.0, 3.0]), chain([0.2, 3.0, 0.2, 3.0])
    assert torsion_divergence(polymer, blocks[None], turns[None]) == pytest.approx(0.0, abs=1e-12)
    assert neighbor_torsion_divergence(polymer, blocks[None], turns[None]) > 0.1


def test_chains_without_torsions_have_no_divergence() -> None:
    polymer = Polymer("*C*", 3)
    x = np.random.default_rng(0).normal(size=(1, polymer.n_atoms, 3))
    assert np.isnan(torsion_divergence(polymer, x, x))
    assert np.isnan(neighbor_torsion_divergence(polymer, x, x))


def test_rotors_count_side_groups_and_no_hands() -> None:
    polymer = Polymer("*CC(*)C(=O)OC", 5)
    x = np.random.default_rng(0).normal(size=(12, polymer.n_atoms, 3))
    assert rotor_divergence(polymer, x, -x) == 0.0
    turned = x.copy()
    side = [a for a in range(polymer.n_atoms) if a not in polymer.backbone]
    turned[:, side] += np.random.default_rng(1).normal(size=(12, len(side), 3))
    assert torsion_divergence(polymer, x, turned) == 0.0
    assert rotor_divergence(polymer, x, turned) > 0.0
    assert np.isnan(rotor_divergence(Polymer("*C*", 1), x[:, :5], x[:, :5]))
