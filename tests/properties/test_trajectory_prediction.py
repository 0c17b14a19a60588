"""Properties along a trajectory: units as they are in the chain, and what a network says of them."""

from dataclasses import replace
from pathlib import Path

import mdtraj
import numpy as np
import pytest
import torch
from openmm import app

import polymd
from polymd.properties import predict
from polymd.properties.mips.model import Mips
from polymd.properties.mips.model import Sizes as MipsSizes
from polymd.properties.mips.shape import N_SHAPE, placed_descriptors
from polymd.properties.mips.trained import MipsModel
from polymd.properties.mmpolymer.kind import MMPolymerKind
from polymd.properties.mmpolymer.towers import Sizes
from polymd.properties.networks.conformers import Conformers
from polymd.properties.networks.trained import TrainedNetwork
from polymd.properties.process_training import train_processes
from polymd.properties.property_model import PropertyModel
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable
from polymd.properties.trajectory_prediction import TRAJECTORY_COLUMNS, predict_along
from polymd.properties.two_channel.kind import TwoChannelKind
from polymd.properties.two_channel.model import Sizes as TwoChannelSizes
from polymd.properties.unit_frames import unit_frames
from polymd.repeats import canonical_chain
from polymd.testing import FLOAT32_RTOL

from .chains import random_psmiles

CHAINS = list(dict.fromkeys(random_psmiles(60, seed=7)))[:30]
CARDS = {name: {"unit": "eV", "logarithmic": name == "b"} for name in ("a", "b")}


def trajectory(psmiles: str, n_units: int = 4, frames: int = 3) -> mdtraj.Trajectory:
    """Random coordinates 0.1 nm apart on average: nothing here depends on good geometry."""
    polymer = polymd.Polymer(psmiles, n_units)
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(frames, polymer.n_atoms, 3)).cumsum(axis=1) * 0.05
    return mdtraj.Trajectory(xyz.astype(np.float32), polymer.to_mdtraj())


def network(kind: MMPolymerKind | TwoChannelKind) -> TrainedNetwork:
    torch.manual_seed(0)
    return TrainedNetwork(kind, kind.build(2).eval(), ("a", "b"), (1.0, 0.5), (2.0, 0.1))


@pytest.mark.parametrize(
    "psmiles", ["*CC(*)c1ccccc1", "*CCO*", "*C*", "*CC(*)(C)C(=O)OC", "*C=CC*", "*c1ccc(*)s1", "*OC(=O)CCO*"]
)
def test_units_are_those_of_the_chain(psmiles: str) -> None:
    units = unit_frames(trajectory(psmiles))
    assert canonical_chain(units.psmiles) == canonical_chain(psmiles)
    assert units.positions.shape == (3, 2, len(units.numbers), 3)


def test_atoms_are_where_the_trajectory_has_them() -> None:
    given = trajectory("*CCO*", n_units=5)
    units = unit_frames(given)
    polymer = polymd.Polymer("*CCO*", 5)
    heavy = [i for i in polymer.unit_atoms(2) if polymer.atomic_numbers[i] > 1]
    beyond = [j if i in heavy else i for i, j in polymer.bonds.tolist() if (i in heavy) != (j in heavy)]
    beyond = [i for i in beyond if polymer.atomic_numbers[i] > 1]
    expected = 10.0 * given.xyz[1, [*heavy, *beyond]]
    found = units.positions[1, 1]
    np.testing.assert_allclose(
        np.sort(found, axis=0), np.sort(expected, axis=0), rtol=FLOAT32_RTOL, atol=1e-4
    )
    assert sorted(units.numbers.tolist()) == [6, 6, 6, 8, 8]


def test_bond_orders_are_found_again(tmp_path: Path) -> None:
    polymer, path = polymd.Polymer("*CC(*)c1ccccc1", 4), tmp_path / "topology.pdb"
    with path.open("w", encoding="utf-8") as file:  # as in a run folder
        app.PDBFile.writeFile(polymer.to_openmm(), np.zeros((polymer.n_atoms, 3)), file)
    found = unit_frames(mdtraj.load(str(path)))
    assert canonical_chain(found.psmiles) == canonical_chain("*CC(*)c1ccccc1")


def test_what_has_no_inner_units() -> None:
    for given in (trajectory("*CC*", n_units=2), trajectory("*CC*")[:0]):
        with pytest.raises(ValueError, match="allowed: "):
            unit_frames(given)


@pytest.mark.parametrize(
    "kind",
    [
        MMPolymerKind(Sizes(channels=16, layers=2, heads=4, kernels=8)),
        TwoChannelKind(TwoChannelSizes(channels=16, layers=2, heads=4, kernels=8, threshold=3)),
    ],
)
def test_a_series_and_its_statistics(kind: MMPolymerKind | TwoChannelKind) -> None:
    given, trained = trajectory("*CC(*)c1ccccc1", frames=8), network(kind)
    found = predict_along(given, trained, CARDS, ["a", "b"])
    assert tuple(found.columns) == TRAJECTORY_COLUMNS
    assert list(found["property"]) == ["a", "b"]
    for row in found.itertuples():
        assert len(row.series) == row.frames == 8
        assert row.units == 2
        assert row.value == pytest.approx(np.mean(row.series))
        assert row.spread == pytest.approx(np.std(row.series))
        assert 0.0 < row.error < row.spread * 3
        assert np.isnan(row.uncertainty)
    frame = unit_frames(given)
    first = trained.kind.placed(frame.psmiles, Conformers.of(frame.numbers, frame.positions[0]))
    assert trained.predict_samples([first])["a"][0] == pytest.approx(found["series"][0][0], rel=1e-4)


def test_predict_takes_trajectories(tmp_path: Path) -> None:
    rows = TrainingTable("a", "eV", "made up", CHAINS, np.arange(30.0) % 7, np.arange(30) % 5)
    model = PropertyModel(train_processes({"a": rows})[0])
    given, path = trajectory("*CC(*)c1ccccc1"), tmp_path / "mine.safetensors"
    model.save(path)
    with pytest.raises(ValueError, match="no network that sees 3D"):
        predict(given, model=path)
    kind = MMPolymerKind(Sizes(channels=16, layers=2, heads=4, kernels=8))
    trained = TrainedNetwork(kind, kind.build(1).eval(), ("a",), (1.0,), (2.0,))
    replace(model, networks={"mmpolymer": trained}).save(path)
    found = predict(given, "a", model=path)
    assert tuple(found.columns) == TRAJECTORY_COLUMNS
    assert found["unit"].item() == "eV"
    own = trained.predict(read_chains(["*CCO*"]))["a"]
    np.testing.assert_allclose(
        PropertyModel.load(path).networks["mmpolymer"].predict(read_chains(["*COC*"]))["a"], own, rtol=1e-2
    )


def mips(shape: int = N_SHAPE) -> MipsModel:
    torch.manual_seed(0)
    built = Mips(MipsSizes(channels=16, layers=2, heads=4, shape=shape), 1).eval()
    return MipsModel((built,), ("a",), (1.0,), (2.0,))


def test_3d_descriptors_follow_trajectories(tmp_path: Path) -> None:
    rows = TrainingTable("a", "eV", "made up", CHAINS, np.arange(30.0) % 7, np.arange(30) % 5)
    model, path = PropertyModel(train_processes({"a": rows})[0]), tmp_path / "mine.safetensors"
    given, trained = trajectory("*CC(*)c1ccccc1", frames=4), mips()
    units = unit_frames(given)
    described = placed_descriptors(units.psmiles, units.positions.reshape(8, -1, 3))
    trained.networks[0].set_scales("shape", described)
    replace(model, networks={"mips": trained}).save(path)
    found = predict(given, "a", model=path)
    assert found["model"].item() == "mips"
    assert found["spread"].item() > 0.0
    assert found["single_conformer"].item() != found["value"].item()
    apart = [Conformers.of(units.numbers, units.positions[2, [unit]]) for unit in (0, 1)]
    own = PropertyModel.load(path).networks["mips"].predict_placed(units.psmiles, apart)["a"].mean()
    assert found["series"].item()[2] == pytest.approx(own, rel=FLOAT32_RTOL)
    replace(model, networks={"mips": mips(shape=0)}).save(path)
    with pytest.raises(ValueError, match="allowed: mmpolymer, two-channel, mips with --shape"):
        predict(given, "a", model=path)
    with pytest.raises(ValueError, match="this 'mips' takes no positions"):
        mips(shape=0).predict_placed(units.psmiles, apart)


def test_the_graph_alone_follows_no_trajectory(tmp_path: Path) -> None:
    rows = TrainingTable("a", "eV", "made up", CHAINS, np.arange(30.0) % 7, np.arange(30) % 5)
    kind = TwoChannelKind(
        TwoChannelSizes(channels=16, layers=2, heads=4, kernels=8, threshold=3, modalities="graph")
    )
    trained = TrainedNetwork(kind, kind.build(1).eval(), ("a",), (1.0,), (2.0,))
    PropertyModel(train_processes({"a": rows})[0], {"two-channel": trained}).save(tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="no network that sees 3D"):
        predict(trajectory("*CCO*"), model=tmp_path / "m.safetensors")


def test_the_shipped_model_follows_trajectories() -> None:
    found = predict(trajectory("*CC(*)c1ccccc1", frames=4), ["Nc", "density"])
    assert list(found["property"]) == ["Nc", "density"]
    assert set(found["model"]) == {"mmpolymer"}
    assert (found["uncertainty"] > 0.0).all()
    assert found["series"].map(len).tolist() == [4, 4]
    assert (found["spread"] > 0.0).all()


def test_turned_frames_say_the_same() -> None:
    given = trajectory("*CCO*", frames=4)
    trained = network(MMPolymerKind(Sizes(channels=16, layers=2, heads=4, kernels=8)))
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = mdtraj.Trajectory(given.xyz @ turn.astype(np.float32) + 0.7, given.topology)
    one, other = (predict_along(t, trained, CARDS, ["a"])["series"][0] for t in (given, turned))
    np.testing.assert_allclose(one, other, rtol=1e-4)
