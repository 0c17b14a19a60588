from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polymd.conformations.chain import Chain
from polymd.conformations.graph_features import chain_graph
from polymd.conformations.internal import angle_triples, bond_pairs, covalent_lengths
from polymd.conformations.network import Network, load_network
from polymd.polymer import Polymer


def test_features_depend_on_the_surroundings_within_the_layers_only(network: Network) -> None:
    polymer = Polymer("*CC(*)C", 9)
    chain = Chain.of(polymer)
    whole = network.encode(chain_graph(chain, range(polymer.n_atoms)))
    own = polymer.unit_atoms(4).tolist()
    window = chain.within(own, network.sizes.layers + 1)
    part = network.encode(chain_graph(chain, window))
    where = [window.index(a) for a in own]
    np.testing.assert_allclose(part[where], whole[own], rtol=2e-5, atol=2e-6)
    assert len(window) < polymer.n_atoms


def test_saved_networks_read_back(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    network.save(path)
    again = Network.read(path)
    assert again.sizes == network.sizes
    assert again.card == {"name": "random"}
    for name, value in network.weights.items():
        np.testing.assert_array_equal(again.weights[name], value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    with pytest.raises(ValueError, match="cannot read"):
        Network.read(path)
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(1)}, str(path))
    with pytest.raises(ValueError, match="growth needs"):
        Network.read(path)


def test_shipped_lengths_and_angles_are_those_of_molecules() -> None:
    network = load_network()
    polymer = Polymer("*CC(*)C(=O)NC", 3)
    chain = Chain.of(polymer)
    h = network.encode(chain_graph(chain, range(polymer.n_atoms)))
    pairs, triples = bond_pairs(chain), angle_triples(chain)
    start = covalent_lengths(polymer.atomic_numbers, pairs)
    length, width = network.lengths(h, pairs, start.astype(np.float32))
    assert np.abs(length - start).max() < 0.3
    assert 0.0 < width.min() <= width.max() < 0.08
    angle, spread = network.angles(h, triples)
    assert np.rad2deg(angle.min()) > 95.0
    assert np.rad2deg(angle.max()) < 130.0
    assert 0.0 < spread.min() <= spread.max() < 0.2
