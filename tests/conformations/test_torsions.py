from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.chain import Chain
from polymd.conformations.kernels import BINS, HARMONICS, Links, distribution, pick
from polymd.conformations.library import unit_kinds
from polymd.conformations.network import Network
from polymd.conformations.torsions import Encoded, link_densities
from polymd.polymer import Polymer


def links_of(polymer: Polymer, network: Network) -> tuple[Links, Chain]:
    chain = Chain.of(polymer)
    kinds, kind_of, _ = unit_kinds(chain, np.zeros(polymer.n_units, dtype=np.int64))
    encoded = Encoded(chain, network, range(polymer.n_atoms))
    return link_densities(chain, range(polymer.n_units), kinds, kind_of, encoded), chain


def density(links: Links, stage: int, angles: np.ndarray, unit: int) -> np.ndarray:
    total = np.empty(BINS)
    distribution(links, stage, angles, unit, 0.0, total)
    return np.diff(total, prepend=0.0) / total[-1]


def apart(p: np.ndarray, q: np.ndarray) -> float:
    """Total variation; embedded units are symmetric to a few degrees only."""
    return float(np.abs(p - q).sum() / 2.0)


def test_mirrored_chains_have_mirrored_densities(network: Network) -> None:
    """Isotactic chains of either handedness: same torsions with the other sign, same density."""
    left, _ = links_of(Polymer("*C[C@H](*)CC", 4), network)
    right, _ = links_of(Polymer("*C[C@@H](*)CC", 4), network)
    angles = np.random.default_rng(0).uniform(-np.pi, np.pi, (4, int(np.diff(left.first_stage).max())))
    np.testing.assert_array_equal(left.parent, right.parent)
    for stage in range(left.first_stage[2], left.first_stage[3]):
        one = density(left, stage, angles, 2)
        other = density(right, stage, -angles, 2)
        assert apart(one, np.roll(other[::-1], 1)) < 0.15
        assert apart(one, np.full(BINS, 1.0 / BINS)) > 0.3


def test_densities_of_achiral_units_are_even_when_parents_are_flat(network: Network) -> None:
    links, _ = links_of(Polymer("*CCO*", 4), network)
    angles = np.full((4, 3), np.pi)
    for stage in range(links.first_stage[2], links.first_stage[3]):
        p = density(links, stage, angles, 2)
        assert apart(p, np.roll(p[::-1], 1)) < 0.15


def test_methyl_groups_are_threefold(network: Network) -> None:
    links, _ = links_of(Polymer("*CC(*)C", 4), network)
    angles = np.random.default_rng(1).uniform(-np.pi, np.pi, (4, 3))
    p = density(links, int(links.first_stage[2]) + 2, angles, 2)
    assert apart(p, np.roll(p, BINS // 3)) < 0.15


def test_draws_follow_the_density() -> None:
    rng = np.random.default_rng(0)
    series = np.zeros((1, 2 * HARMONICS))
    series[0, 2], series[0, 7] = 1.0, 0.5
    empty = np.empty(0, dtype=np.int64)
    links = Links(
        np.array([0, 1]), np.zeros(1, dtype=np.int64), series, np.zeros(2, dtype=np.int64), empty, empty,
        np.empty((0, 6, 6)),
    )  # fmt: skip
    total = np.empty(BINS)
    distribution(links, 0, np.zeros((1, 1)), 0, 0.0, total)
    drawn = np.array([pick(rng, total) for _ in range(20000)])
    x = np.linspace(0.0, 2.0 * np.pi, 7201)[:-1]
    p = np.exp(np.cos(3 * x) + 0.5 * np.sin(2 * x))
    for k in (1, 2, 3):
        expected = complex((p * np.exp(1j * k * x)).sum() / p.sum())
        assert np.exp(1j * k * drawn).mean() == pytest.approx(expected, abs=0.02)
