from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from polymd.conformations import generate_conformations
from polymd.conformations.chain import Chain
from polymd.conformations.graph_features import chain_graph
from polymd.conformations.network import Network, Sizes
from polymd.datasets.polybench.storage import ReferenceChain, write_chains
from polymd.polymer import Polymer
from polymd.training.conformation_config import ConformationConfig, read_config
from polymd.training.conformation_data import ChainFrames, Example, batch_of, example
from polymd.training.conformation_network import Batch, ConformationNetwork
from polymd.training.conformations import train

SIZES = Sizes(width=16, layers=2, hidden=16)


def frames_of(psmiles: str, n_units: int = 3, n: int = 4) -> ChainFrames:
    polymer = Polymer(psmiles, n_units)
    return ChainFrames(polymer, generate_conformations(polymer, n, seed=1), np.full(n, 300.0), True)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return [example(frames_of(p), backward) for p in ("*CC(*)C", "*CC#CCO*") for backward in (False, True)]


@pytest.fixture
def network() -> ConformationNetwork:
    torch.manual_seed(0)
    network = ConformationNetwork(SIZES)
    for head in (network.single, network.coupled):
        torch.nn.init.normal_(head.out.weight, std=0.3)
    return network


def batch(examples: list[Example]) -> Batch:
    return batch_of(examples, 3, np.random.default_rng(0))


def test_densities_are_normalised(network: ConformationNetwork, examples: list[Example]) -> None:
    """The likelihood is exact: over the circle, each conditional density integrates to one."""
    one = batch(examples)
    h, total, n = network.encode(one), torch.zeros(len(one.torsions)), 360
    for k in range(n):
        turned = Batch(**(one.__dict__ | {"torsions": torch.full_like(one.torsions, 2 * torch.pi * k / n)}))
        total += torch.exp(network.log_density(h, turned)).detach() * (2 * torch.pi / n)
    np.testing.assert_allclose(total.numpy(), 1.0, atol=2e-3)


def test_mirror_images_are_equally_likely(network: ConformationNetwork) -> None:
    one = frames_of("*CC(*)c1ccccc1")
    mirrored = ChainFrames(one.polymer, one.positions * [-1.0, 1.0, 1.0], one.temperatures, True)
    values = []
    for frames in (one, mirrored):
        observed = batch([example(frames)])
        values.append(network.log_density(network.encode(observed), observed).detach().numpy())
    np.testing.assert_allclose(values[0], values[1], atol=2e-4)


def test_numpy_and_torch_agree(network: ConformationNetwork) -> None:
    chain = Chain.of(Polymer("*CC(*)C", 3))
    one = batch([example(frames_of("*CC(*)C"))])
    weights = {k: v.detach().numpy() for k, v in network.state_dict().items()}
    numpy = Network(weights, SIZES, {})
    h = network.encode(one)
    features = numpy.encode(chain_graph(chain, range(len(chain.neighbors))))
    np.testing.assert_allclose(features, h.detach().numpy(), rtol=1e-4, atol=1e-5)
    atoms, quintets = one.single_atoms.numpy(), one.term_atoms.numpy()
    torch_single = network.single(h, one.single_atoms).detach().numpy()
    np.testing.assert_allclose(numpy.single(features, atoms), torch_single, rtol=1e-3, atol=1e-4)
    torch_coupled = network.coupled(h, one.term_atoms).detach().numpy()
    numpy_coupled = numpy.coupled(features, quintets).reshape(torch_coupled.shape)
    np.testing.assert_allclose(numpy_coupled, torch_coupled, rtol=1e-3, atol=1e-4)


def test_training_learns_resumes_and_writes_weights(tmp_path: Path) -> None:
    chains = []
    for psmiles, split in (
        ("*CC(*)C", "train"),
        ("*CCO*", "train"),
        ("*CCS*", "validation"),
        ("*CCN*", "test"),
    ):
        frames = frames_of(psmiles)
        positions = frames.positions.astype(np.float32)
        shape = len(positions)
        chains.append(
            ReferenceChain(
                psmiles, 3, "atactic", 0, split, "library", "bcc",
                positions, np.zeros(shape), np.zeros(shape, dtype=np.int16),
            )
        )  # fmt: skip
    data = tmp_path / "chains.h5"
    write_chains(data, chains)
    fields = {"data": [data], "out": tmp_path / "out", "steps": 4, "batch": 4, "validate_every": 2}
    fields |= {"network": {"width": 16, "layers": 1, "hidden": 16}, "checkpoint_minutes": 0.0}
    config = ConformationConfig(**fields)
    card = train(config)
    assert card["training"]["steps"] == 4
    assert card["training"]["chains"] == 2
    assert card["validation_families"] == ["C1CS1"]
    assert set(card["errors"]) == {"reference"}
    assert Network.read(config.model).card["name"] == "growth"
    with pytest.raises(ValueError, match="is there already"):
        train(config)
    longer = ConformationConfig(**(fields | {"steps": 6}))
    assert train(longer, resume=True)["training"]["steps"] == 6
    further = fields | {"start": longer.model, "out": tmp_path / "further", "steps": 1}
    assert train(ConformationConfig(**further))["config"]["start"] == str(longer.model)
    with pytest.raises(ValueError, match="give the same network"):
        train(ConformationConfig(**(further | {"out": tmp_path / "x", "network": {"width": 8}})))
    with pytest.raises(ValueError, match="was written with batch 4"):
        train(ConformationConfig(**(fields | {"batch": 2})), resume=True)


def test_configs_say_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("data: [a.h5]\nout: x\nminutes: 1\nbatches: 3\n")
    with pytest.raises(ValueError, match="batches"):
        read_config(path)
    path.write_text("data: [a.h5]\nout: x\n")
    with pytest.raises(ValueError, match="one of minutes and steps"):
        read_config(path)
    path.write_text("data: [a.h5]\nout: x\nsteps: 3\n")
    config = read_config(path, minutes=2.0)
    assert (config.minutes, config.steps) == (2.0, None)
    with pytest.raises(ValueError, match=r"no file 'a\.h5'"):
        train(config)


def test_the_example_is_read() -> None:
    config = read_config(Path(__file__).parents[2] / "examples" / "train_conformations.yaml")
    assert config.model.name == "growth.safetensors"
