from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from polymd.conformations import generate_conformations
from polymd.conformations.polyconf.assembly import frame_units
from polymd.conformations.polyconf.losses import rotation_loss, unit_loss
from polymd.conformations.polyconf.model import PolyConf, Sizes
from polymd.datasets.polybench.storage import ReferenceChain, write_chains
from polymd.polymer import Polymer
from polymd.training.conformation_data import ChainFrames
from polymd.training.polyconf import train
from polymd.training.polyconf_config import PolyConfConfig, read_config
from polymd.training.polyconf_data import Example, conformations, example

SIZES = {"width": 16, "atom_width": 16, "layers": 1, "atom_layers": 1, "blocks": 1, "heads": 4}


def frames_of(psmiles: str, n_units: int = 4, n: int = 3) -> ChainFrames:
    polymer = Polymer(psmiles, n_units)
    return ChainFrames(
        polymer, generate_conformations(polymer, n, seed=1), np.array([300.0, 300.0, 1000.0]), True
    )


def examples_of(*psmiles: str) -> list[Example]:
    found = [example(frames_of(one)) for one in psmiles]
    return [one for one in found if one is not None]


def test_hot_frames_are_left_out() -> None:
    cold = example(frames_of("*CCO*"), hottest=600.0)
    assert cold is not None
    assert len(cold.local) == 2
    assert example(frames_of("*CCO*"), hottest=100.0) is None


def test_a_mirrored_batch_is_what_the_mirrored_chain_gives() -> None:
    frames = frames_of("*CC(*)C")
    mirrored = ChainFrames(frames.polymer, -frames.positions, frames.temperatures, True)
    one, other = example(frames), example(mirrored)
    assert one is not None
    assert other is not None
    flip = np.array([1.0, 1.0, -1.0])
    np.testing.assert_allclose(other.local, one.local * flip, atol=1e-5)
    np.testing.assert_allclose(other.rotation, one.rotation * np.array([-1.0, -1.0, 1.0]), atol=1e-5)


def test_batches_hold_units_in_their_frames() -> None:
    batch = conformations(examples_of("*CC(*)c1ccccc1", "*CCO*"), np.random.default_rng(0))
    again, rotation, origin = frame_units(batch.local, batch.units.line, batch.units.plane)
    present = batch.units.present[..., None]
    assert torch.allclose(again * present, batch.local, atol=1e-5)
    assert torch.allclose(rotation, torch.eye(3).expand_as(rotation), atol=1e-5)
    assert torch.allclose(origin, torch.zeros_like(origin), atol=1e-6)


def test_a_silent_network_has_a_loss_of_one() -> None:
    """With scores of zero, what is left is the mean squared score over its mean."""
    model = PolyConf(Sizes(**SIZES))
    torch.nn.init.zeros_(model.torsions.read[-1].weight)
    torch.nn.init.zeros_(model.torsions.read[-1].bias)
    batches = [conformations(examples_of("*CCO*", "*CC*"), np.random.default_rng(k)) for k in range(20)]
    losses = [float(unit_loss(model, batch, (k,)).detach()) for k, batch in enumerate(batches)]
    assert np.mean(losses) == pytest.approx(1.0, abs=4 * np.std(losses) / np.sqrt(len(losses)))
    assert all(np.isfinite(float(rotation_loss(model, batch, (1,)).detach())) for batch in batches)


def test_rotations_leave_the_encoders_alone() -> None:
    model = PolyConf(Sizes(**SIZES))
    batch = conformations(examples_of("*CCO*", "*CC*"), np.random.default_rng(0))
    rotation_loss(model, batch, (0,)).backward()
    moved = {name.split(".")[0] for name, weight in model.named_parameters() if weight.grad is not None}
    assert moved == {"rotations"}


def test_training_resumes_and_writes_weights(tmp_path: Path) -> None:
    chains = []
    for psmiles, split in (
        ("*CC(*)C", "train"),
        ("*CCO*", "train"),
        ("*CCS*", "validation"),
        ("*CCN*", "test"),
    ):
        positions = frames_of(psmiles, 3).positions.astype(np.float32)
        empty = np.zeros(len(positions))
        chains.append(
            ReferenceChain(
                psmiles, 3, "atactic", 0, split, "library", "bcc", positions, empty, empty.astype(np.int16)
            )
        )
    data = tmp_path / "chains.h5"
    write_chains(data, chains)
    fields = {"data": [data], "out": tmp_path / "out", "steps": 3, "batch": 2, "validate_every": 2}
    fields |= {"network": SIZES, "checkpoint_minutes": 0.0}
    card = train(PolyConfConfig(**fields))
    assert card["training"]["steps"] == 3
    assert card["training"]["chains"] == 2
    assert card["validation_families"] == ["C1CS1"]
    assert set(card["errors"]) == {"units", "rotations"}
    with pytest.raises(ValueError, match="is there already"):
        train(PolyConfConfig(**fields))
    longer = PolyConfConfig(**(fields | {"steps": 5}))
    assert train(longer, resume=True)["training"]["steps"] == 5
    assert PolyConf.read(longer.model).card["name"] == "polyconf"
    started = fields | {"start": longer.model, "out": tmp_path / "further", "steps": 1}
    assert train(PolyConfConfig(**started))["training"]["steps"] == 1


def test_the_example_is_read() -> None:
    config = read_config(Path(__file__).parents[2] / "examples" / "train_polyconf.yaml")
    assert config.model.name == "polyconf.safetensors"
