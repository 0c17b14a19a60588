"""Several chains in a box."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from polymd import Polymer
from polymd.conformations import clash_count
from polymd.conformations.clashes import CLASH_SCALE, van_der_waals_radii
from polymd.conformations.packing import box_length, grow_box, place_chains
from polymd.units import G_CM3

CHAIN = np.stack([1.5 * np.arange(12), np.zeros(12), np.zeros(12)], axis=1)


@pytest.mark.parametrize("seed", range(5))
def test_no_atom_touches_another_chain_or_image(seed: int) -> None:
    length = 25.0
    placed = np.concatenate(place_chains([CHAIN] * 8, length, seed=seed))
    pairs = cKDTree(placed % length, boxsize=length).query_pairs(1.99)
    assert {(j - i, i // 12 == j // 12) for i, j in pairs} == {(1, True)}


def test_chains_stay_whole_and_rigid() -> None:
    placed = place_chains([CHAIN] * 3, 40.0, seed=1)
    assert len(placed) == 3
    for chain in placed:
        np.testing.assert_allclose(np.linalg.norm(chain - chain[0], axis=1), CHAIN[:, 0], atol=1e-9)


def test_the_seed_decides() -> None:
    first, again, other = (place_chains([CHAIN] * 3, 40.0, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_full_box_is_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match="lower density"):
        place_chains([CHAIN] * 200, 20.0, seed=1)
    with pytest.raises(ValueError, match=r"chain 1 of 1"):
        place_chains([CHAIN], 3.5, seed=1)  # 12 spheres of 2 Å across are larger than this box


def test_the_box_has_the_density_asked_for() -> None:
    length = box_length(1000.0, 0.5)
    assert 1000.0 / length**3 / G_CM3 == pytest.approx(0.5)


def melt(density: float, seed: int = 1) -> tuple[list[Polymer], list[np.ndarray], float]:
    """Chains of poly(ethylene oxide), isotactic and syndiotactic polypropylene."""
    polymers = [
        *(Polymer("*CCO*", 12, seed=i) for i in range(4)),
        Polymer("*CC(*)C", 10, tacticity="isotactic"),
        Polymer("*CC(*)C", 10, tacticity="syndiotactic"),
    ]
    edge = box_length(sum(polymer.masses.sum() for polymer in polymers), density)
    return polymers, grow_box(polymers, edge, seed=seed), edge


@pytest.mark.parametrize("density", [0.02, 0.3, 0.7])  # g/cm³; in the last but few cells
def test_chains_grown_together_keep_apart(density: float) -> None:
    polymers, chains, edge = melt(density)
    positions = np.concatenate(chains)
    radii = np.concatenate([van_der_waals_radii(polymer.atomic_numbers) for polymer in polymers])
    owner = np.repeat(np.arange(len(chains)), [len(chain) for chain in chains])
    pairs = cKDTree(positions % edge, boxsize=edge).query_pairs(3.5, output_type="ndarray")
    apart = positions[pairs[:, 0]] - positions[pairs[:, 1]]
    images = np.rint(apart / edge)
    others = (owner[pairs[:, 0]] != owner[pairs[:, 1]]) | images.any(axis=1)
    distances = np.linalg.norm(apart - edge * images, axis=1)[others]
    least = CLASH_SCALE * radii[pairs].sum(axis=1)[others]
    assert (distances > least).all()
    for polymer, chain in zip(polymers, chains, strict=True):
        assert clash_count(polymer, chain) == 0
        assert (chain[0] >= -edge).all()


def test_chains_grown_together_have_their_bonds() -> None:
    polymers, chains, _ = melt(0.5)
    for polymer, chain in zip(polymers, chains, strict=True):
        i, j = polymer.bonds.T
        lengths = np.linalg.norm(chain[i] - chain[j], axis=1)
        assert (lengths > 0.85).all()
        assert (lengths < 1.7).all()


def test_the_seed_decides_on_growth_in_a_box() -> None:
    first, again, other = (np.concatenate(melt(0.4, seed)[1]) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_growth_in_a_box_begins_anywhere_and_anyhow() -> None:
    polymer = Polymer("*CCO*", 4)
    chains = grow_box([polymer] * 40, 100.0, seed=3)
    starts = np.stack([chain[polymer.backbone[0]] for chain in chains])
    ends = np.stack([chain[polymer.backbone[-1]] for chain in chains])
    assert (np.ptp(starts, axis=0) > 50.0).all()
    directions = (ends - starts) / np.linalg.norm(ends - starts, axis=1)[:, None]
    assert np.linalg.norm(directions.mean(axis=0)) < 3.0 / len(chains) ** 0.5


def test_a_box_too_small_for_growth_is_refused() -> None:
    polymer = Polymer("*CCO*", 10)
    with pytest.raises(ValueError, match="lower density"):
        grow_box([polymer] * 4, box_length(4 * polymer.masses.sum(), 2.5), seed=1)
    with pytest.raises(ValueError, match="more chains"):
        grow_box([Polymer("*CCO*", 1)], 5.0, seed=1)
    with pytest.raises(ValueError, match="linear chains"):
        grow_box([Polymer("*CCO*", 10, ring=True)], 50.0, seed=1)
    assert grow_box([], 10.0, seed=1) == []
