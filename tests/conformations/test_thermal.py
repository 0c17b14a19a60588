from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.chain import Chain
from polymd.conformations.internal import bond_pairs, covalent_lengths
from polymd.conformations.library import unit_kinds
from polymd.conformations.network import load_network
from polymd.conformations.thermal import POOL, thermal_pool
from polymd.conformations.torsions import Encoded
from polymd.polymer import Polymer


@pytest.mark.parametrize("psmiles", ["*CC(*)c1ccccc1", "*CC(*)(Cl)C#N", "*CC#CC*"])
def test_pool_has_the_lengths_of_the_network_and_vibrates(psmiles: str) -> None:
    polymer = Polymer(psmiles, 4)
    chain = Chain.of(polymer)
    kinds, kind_of, _ = unit_kinds(chain, np.zeros(4, dtype=np.int64))
    network = load_network()
    encoded = Encoded(chain, network, range(polymer.n_atoms))
    for unit in (0, 1, 3):
        pool = thermal_pool(chain, unit, kinds[kind_of[unit]], encoded, 0)
        local = chain.local(unit)
        assert pool.coordinates.shape == (POOL, len(local), 3)
        assert len(pool.entry) == POOL
        pairs = bond_pairs(chain, local)
        where = np.array([[local.index(a) for a in pair] for pair in pairs])
        seen = np.linalg.norm(pool.coordinates[:, where[:, 0]] - pool.coordinates[:, where[:, 1]], axis=2)
        start = covalent_lengths(polymer.atomic_numbers, pairs).astype(np.float32)
        mean, width = network.lengths(encoded.features, encoded.index[pairs], start)
        np.testing.assert_allclose(seen.mean(axis=0), mean, atol=0.03)
        assert np.all(seen.std(axis=0) < 1.6 * width + 0.01)
        assert np.any(seen.std(axis=0) > 0.5 * width)
        straight = _angles(pool.coordinates, local, chain)
        assert np.all(np.degrees(straight) > 155.0)


def _angles(coordinates: np.ndarray, local: list[int], chain: Chain) -> np.ndarray:
    """Angles (C, L) in rad at atoms with two neighbours and a triple bond."""
    found = []
    for apex in local:
        bonds = chain.mol.GetAtomWithIdx(apex).GetBonds()
        ends = [bond.GetOtherAtomIdx(apex) for bond in bonds]
        if len(ends) == 2 and any(b.GetBondTypeAsDouble() == 3.0 for b in bonds) and set(ends) <= set(local):
            u, v = (coordinates[:, local.index(end)] - coordinates[:, local.index(apex)] for end in ends)
            cosine = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
            found.append(np.arccos(cosine))
    return np.array(found)


def test_chain_ends_stand_twice_at_the_same_place() -> None:
    polymer = Polymer("*CCO*", 3)
    chain = Chain.of(polymer)
    kinds, kind_of, _ = unit_kinds(chain, np.zeros(3, dtype=np.int64))
    encoded = Encoded(chain, load_network(), range(polymer.n_atoms))
    pool = thermal_pool(chain, 0, kinds[kind_of[0]], encoded, 0)
    local = chain.local(0)
    first = local.index(local[-2])
    np.testing.assert_array_equal(pool.coordinates[:, first], pool.coordinates[:, -2])
