"""MIPS belongs to the infinite chain: repeats, shifts, fillings, twin rings; and its baselines do not."""

import numpy as np
import pytest
import torch

from polymd.properties.chain_graph import ChainGraph, chain_graph, unit_graph
from polymd.properties.fingerprints import environments
from polymd.properties.mips.graphs import Batch, ChainTensors, n_categories
from polymd.properties.mips.model import Mips, Sizes
from polymd.repeats import n_links, repeat, shift
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles

SIZES = Sizes(channels=16, layers=3, heads=4, threshold=3, descriptors=30, physics=0, shape=5)


@pytest.fixture(scope="module")
def network() -> Mips:
    torch.manual_seed(0)
    return Mips(SIZES, targets=2).double().eval()


def double(units: list[ChainTensors], **extras: np.ndarray) -> Batch:
    return Batch.of(units, 3, extras, torch.float64)


def predictions(network: Mips, graphs: list[ChainGraph]) -> np.ndarray:
    """Targets of every graph as it is, (N, 2): nothing is shortened to the smallest repeat."""
    units = [ChainTensors.of(graph, network.sizes.threshold) for graph in graphs]
    order = np.argsort([len(unit) for unit in units])
    found = np.empty((len(units), network.targets))
    with torch.inference_mode():
        for rows in np.array_split(order, max(1, len(units) // 16)):
            found[rows] = network(double([units[row] for row in rows])).numpy()
    return found


def test_repeat_and_shift_invariance_of_a_thousand(network: Mips) -> None:
    """RSIT, algorithm 2 of arXiv 2507.20326, a random repeat 1 to 4 and shift of each polymer."""
    rng = np.random.default_rng(1)
    chains = list(random_psmiles(1000, seed=8))
    spelt = [shift(repeat(p, int(rng.integers(1, 5))), int(rng.integers(0, 24))) for p in chains]
    found = predictions(network, [chain_graph(p) for p in chains])
    other = predictions(network, [chain_graph(p) for p in spelt])
    np.testing.assert_allclose(other, found, rtol=SPELLING_RTOL)
    assert found.std(axis=0).min() > 1e-3


@pytest.mark.slow
def test_every_repeat_and_shift_of_twenty(network: Mips) -> None:
    for psmiles in random_psmiles(20, seed=9):
        spelt = [
            shift(repeat(psmiles, n), links) for n in (1, 2, 3, 4) for links in range(n * n_links(psmiles))
        ]
        found = predictions(network, [chain_graph(p) for p in spelt])
        np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), rtol=SPELLING_RTOL)


def test_single_precision_is_invariant_too() -> None:
    torch.manual_seed(0)
    network = Mips(SIZES, targets=1).eval()
    spelt = ["*CC(*)c1ccccc1", repeat("*CC(*)c1ccccc1", 3), shift(repeat("*CC(*)c1ccccc1", 2), 1)]
    units = [ChainTensors.of(chain_graph(p), 3) for p in spelt]
    with torch.inference_mode():
        values = network(Batch.of(units, 3)).numpy()[:, 0]
    np.testing.assert_allclose(values, values[0], rtol=SPELLING_RTOL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # one graph with its stars linked, a spiro of two rings; cut open at one ring or at the other
        ("*CCCCCC1(*)CCCC1", "*CCCCC1(*)CCCCC1"),
        # two rings of six fused, two of five linked: the same atoms and bonds as far as messages can tell
        ("*C1CCC2CC(*)CCC2C1", "*C1CCC(C1)C1CCC(*)C1"),
    ],
)
def test_twin_rings_are_told_apart(network: Mips, one: str, other: str) -> None:
    graphs = [without_rings(chain_graph(p)) for p in (one, other)]
    if one.startswith("*CCC"):  # plain message passing sees the same colours after any number of rounds
        assert environments(graphs[0], radius=8) == environments(graphs[1], radius=8)
    values = predictions(network, graphs)
    assert np.abs(values[0] - values[1]).max() > 1e-3


def without_rings(graph: ChainGraph) -> ChainGraph:
    """Without the column that tells ring sizes."""
    atoms = graph.atoms.copy()
    atoms[:, 4] = 0
    return ChainGraph(atoms, graph.edges, graph.images, graph.orders, graph.backbone)


def test_baselines_depend_on_the_spelling(network: Mips) -> None:
    """Stars kept or removed: what star linking mends."""
    for stars in (True, False):
        values = predictions(network, [unit_graph(p, stars=stars) for p in ("*CCO*", "*COC*", "*CCOCCO*")])
        assert np.ptp(values, axis=0).max() > 1e-3
    kept, removed = (unit_graph("*CC(*)C", stars=stars) for stars in (True, False))
    assert (len(kept.atoms), len(removed.atoms)) == (5, 3)
    assert sorted(kept.atoms[:, 0].tolist()) == [0, 0, 6, 6, 6]
    assert not removed.images.any()


def test_images_of_polyethylene() -> None:
    """One atom a unit: itself, two bonds, two images at two and at three bonds."""
    images = Batch.of([ChainTensors.of(chain_graph("*C*"), threshold=3)], 3).images
    assert images.shape == (1, 1, 1, n_categories(3))
    assert images[0, 0, 0].tolist() == [1, 2, 0, 0, 0, 2, 2]


def test_threshold_of_one_bond_is_a_bonded_graph() -> None:
    images = Batch.of([ChainTensors.of(chain_graph("*CC=CC*"), threshold=1)], 1).images
    assert images.shape[-1] == n_categories(1) == 5
    assert images[..., 1:].sum() == 2 * 4


def test_fillings_change_nothing(network: Mips) -> None:
    small, large = (ChainTensors.of(chain_graph(p), 3) for p in ("*CO*", "*CC(*)c1ccccc1"))
    with torch.inference_mode():
        alone = network(double([small]))
        beside = network(double([small, large]))[:1]
    torch.testing.assert_close(beside, alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "size"), [("descriptors", 30), ("shape", 5)])
def test_unknown_descriptors_leave_the_graph_alone(network: Mips, name: str, size: int) -> None:
    units = [ChainTensors.of(chain_graph(p), 3) for p in ("*CO*", "*CC(*)c1ccccc1")]
    values = np.ones((2, size))
    values[0] = np.nan
    with torch.inference_mode():
        flat, fused = network(double(units)), network(double(units, **{name: values}))
    assert torch.equal(flat[0], fused[0])
    assert not torch.allclose(flat[1], fused[1])


def test_without_backbone_embedding_backbones_are_not_seen() -> None:
    torch.manual_seed(0)
    network = Mips(Sizes(channels=16, layers=1, heads=4, backbone=False), targets=1).eval()
    unit = ChainTensors.of(chain_graph("*CC(*)C"), 3)
    other = ChainTensors(unit.atoms, ~unit.backbone, unit.images)
    with torch.inference_mode():
        assert torch.equal(network(Batch.of([unit], 3)), network(Batch.of([other], 3)))


def test_refuses_heads_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="3 heads do not divide 16 channels"):
        Mips(Sizes(channels=16, heads=3))
