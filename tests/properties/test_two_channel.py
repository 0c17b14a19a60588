"""The two-channel encoder: invariance, polymers and molecules, with and without positions."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from polymd.properties.chain_graph import chain_graph, molecule_graph
from polymd.properties.networks.conformers import Conformers, ConformerStore, unit_conformers
from polymd.properties.networks.taught_pool import TaughtPool
from polymd.properties.networks.trained import TrainedNetwork, shipped_start
from polymd.properties.read_chain import read_chains
from polymd.properties.two_channel.kind import TwoChannelKind
from polymd.properties.two_channel.model import Sizes, TwoChannel
from polymd.repeats import repeat, shift
from polymd.testing import FLOAT32_RTOL, SPELLING_RTOL

from .chains import random_psmiles

SIZES = Sizes(channels=16, layers=2, heads=4, kernels=8, threshold=4, dropout=0.0)
STORE = ConformerStore(n=2)
KIND = TwoChannelKind(SIZES, STORE)
FLAT = TwoChannelKind(replace(SIZES, modalities="graph"))
CHAINS = list(dict.fromkeys(random_psmiles(24, seed=3)))
MOLECULES = ["CCO", "c1ccccc1C", "C", "CC(=O)OC"]


@pytest.fixture(scope="module")
def network() -> TwoChannel:
    torch.manual_seed(0)
    return KIND.build(2).eval()


def test_the_graph_channel_belongs_to_the_chain(network: TwoChannel) -> None:
    for psmiles in CHAINS[:8]:
        spelt = [psmiles, repeat(psmiles, 3), shift(repeat(psmiles, 2), 1)]
        with torch.inference_mode():
            values = network(FLAT.collate(FLAT.prepare(spelt))).numpy()
        np.testing.assert_allclose(values[1:], values[[0, 0]], rtol=10 * SPELLING_RTOL, atol=1e-5)


def test_turned_moved_and_mirrored_units_are_the_same(network: TwoChannel) -> None:
    batch = KIND.collate(KIND.prepare([*CHAINS, *MOLECULES]))
    values = network(batch)
    turn = torch.linalg.qr(torch.randn(3, 3))[0]
    other = replace(batch, positions=batch.positions @ turn + torch.randn(3))
    torch.testing.assert_close(network(other), values, rtol=10 * FLOAT32_RTOL, atol=1e-4)
    bent = network(replace(batch, positions=batch.positions * 1.1))
    assert (bent - values).abs().amax(dim=1)[:10].min() > 1e-5


def test_fillings_change_nothing(network: TwoChannel) -> None:
    samples = KIND.prepare([*CHAINS, *MOLECULES])
    together = network(KIND.collate(samples))
    alone = torch.cat([network(KIND.collate([sample])) for sample in samples])
    torch.testing.assert_close(together, alone, rtol=10 * FLOAT32_RTOL, atol=1e-5)


def test_works_without_positions(network: TwoChannel) -> None:
    with_positions, without = KIND.prepare(CHAINS[:3]), FLAT.prepare(CHAINS[:3])
    flat = network(FLAT.collate(without))
    mixed = network(KIND.collate([with_positions[0], without[1], with_positions[2]]))
    torch.testing.assert_close(mixed[1], flat[1])
    assert (mixed[0] - flat[0]).abs().max() > 1e-4


def test_stars_are_images_of_the_opposite_ends() -> None:
    sample = KIND.placed("*NCC(=O)*", unit_conformers("*NCC(=O)*"))
    assert sample.owners.tolist() == [0, 1, 2, 3, 2, 0]
    assert sample.conformers is not None
    assert sample.conformers.numbers.tolist() == [7, 6, 6, 8, 6, 7]
    assert sample.chain.atoms[:, 0].tolist() == [3, 2, 2, 4]


def test_neighbours_are_seen_where_they_are(network: TwoChannel) -> None:
    """What the atoms beyond a unit do matters: the same unit with its stars elsewhere."""
    conformers = unit_conformers("*CCO*", n=1)
    moved = conformers.positions.copy()
    moved[:, [0, -1]] *= 1.2
    samples = [KIND.placed("*CCO*", c) for c in (conformers, Conformers(conformers.numbers, moved))]
    values = network(KIND.collate(samples))
    assert (values[0] - values[1]).abs().max() > 1e-5


def test_molecules_have_no_images() -> None:
    graph = molecule_graph("CCO")
    assert not graph.images.any()
    assert not graph.backbone.any()
    assert graph.atoms[:, 0].tolist() == [6, 6, 8]
    assert chain_graph("*CCO*").images.any()
    for bad in ("*CCO*", "C1CC", ""):
        with pytest.raises(ValueError, match="bad SMILES"):
            molecule_graph(bad)


def test_what_cannot_be_read_is_none() -> None:
    found = KIND.prepare(["*C", "C1CC", "*CC*", "CC"])
    assert [sample is None for sample in found] == [True, True, False, False]


def test_pretraining_learns_every_task() -> None:
    torch.manual_seed(0)
    network = KIND.build(1)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    rng = np.random.default_rng(0)
    losses = []
    for _ in range(25):
        loss = KIND.pretraining_loss(network, KIND.collate(KIND.prepare(CHAINS), rng), rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert all(name.startswith("head.") for name in unused)


def test_both_channels_learn_what_is_taught() -> None:
    torch.manual_seed(0)
    courses = KIND.courses(TaughtPool.read(CHAINS, counts=20), placed=4)
    assert [(course.name, len(course.chains)) for course in courses] == [
        ("graph", len(CHAINS)),
        ("both", 4),
    ]
    for course in courses:
        network = course.kind.build(1)
        optimizer = torch.optim.Adam(network.parameters(), 5e-3)
        rng = np.random.default_rng(0)
        batch = course.kind.collate(course.kind.prepare(course.chains), rng)
        losses = []
        for _ in range(25):
            loss = course.kind.pretraining_loss(network, batch, rng)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])


def test_the_graph_channel_alone_learns_from_the_whole_pool() -> None:
    (course,) = FLAT.courses(TaughtPool.read(CHAINS[:6], counts=20), placed=4)
    assert len(course.chains) == 6
    assert all(sample.conformers is None for sample in course.kind.prepare(course.chains))


def test_chains_that_were_read_need_no_other_spelling() -> None:
    torch.manual_seed(0)
    trained = TrainedNetwork(FLAT, FLAT.build(1).eval(), ("a",), (1.0,), (2.0,))
    found = trained.predict(read_chains(CHAINS[:6]))["a"]
    again = trained.predict(read_chains([shift(repeat(p, 2), 1) for p in CHAINS[:6]]))["a"]
    np.testing.assert_allclose(again, found, rtol=10 * SPELLING_RTOL, atol=1e-5)
    canonical = trained.predict_samples(FLAT.prepare([c.canonical for c in read_chains(CHAINS[:6])]))["a"]
    np.testing.assert_allclose(canonical, found, rtol=10 * SPELLING_RTOL, atol=1e-5)


def test_unknown_modalities_are_refused() -> None:
    with pytest.raises(ValueError, match="no modalities 'touch'"):
        TwoChannel(replace(SIZES, modalities="touch"))


def test_pretraining_without_any_positions() -> None:
    network = FLAT.build(1)
    rng = np.random.default_rng(0)
    loss = FLAT.pretraining_loss(network, FLAT.collate(FLAT.prepare(CHAINS[:4]), rng), rng)
    assert torch.isfinite(loss)


def test_the_shipped_network_starts_a_training_without_a_pool() -> None:
    shipped = shipped_start("two-channel")
    assert isinstance(shipped, TwoChannel)
    started = TwoChannelKind().start(3, shipped, seed=0)
    torch.testing.assert_close(started.biases, shipped.biases)


def test_a_network_survives_its_file() -> None:
    torch.manual_seed(0)
    trained = TrainedNetwork(KIND, KIND.build(1).eval(), ("a",), (1.0,), (2.0,))
    read = TrainedNetwork.of_tensors(trained.tensors(), trained.header())
    chains = read_chains(CHAINS)
    np.testing.assert_allclose(read.predict(chains)["a"], trained.predict(chains)["a"], atol=5e-3)
