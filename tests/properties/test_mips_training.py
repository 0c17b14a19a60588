"""Training of MIPS: masked atoms, labels, folds that stay unseen, and the blend with the process."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from polymd.properties import predict
from polymd.properties.blending import NetworkFolds, ProcessFolds, blend, blend_weight, held_out_errors
from polymd.properties.chain_graph import chain_graph
from polymd.properties.mips.batching import batches_of_similar_size
from polymd.properties.mips.finetuning import Finetuning, finetune, outputs
from polymd.properties.mips.folds import Polymers, train_fold
from polymd.properties.mips.graphs import Batch, ChainTensors
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.mips.pretraining import Pretraining, masked_loss, pretrain
from polymd.properties.mips.shape import N_SHAPE, shape_descriptors
from polymd.properties.mips.trained import MipsModel, started
from polymd.properties.network_training import NetworkSettings, read_pool, train_networks
from polymd.properties.property_model import PropertyModel
from polymd.properties.training_tables import TrainingTable
from polymd.repeats import canonical_chain, repeat, shift, shortened
from polymd.testing import SPELLING_RTOL

from .chains import random_psmiles

SIZES = Sizes(channels=16, layers=2, heads=4, dropout=0.0)
CHAINS = list(dict.fromkeys(canonical_chain(p) for p in random_psmiles(70, seed=11)))
QUICK = Finetuning(epochs=12, batch=16, learning_rate=5e-3, averaging=0.9)


def table(name: str = "colour", shifted: float = 0.0) -> TrainingTable:
    """Oxygen atoms of a unit over its length; `shifted` moves the values of fold 2."""
    fold = np.arange(len(CHAINS)) % 5
    values = np.array([p.count("O") / (4 + p.count("C")) for p in CHAINS]) + shifted * (fold == 2)
    return TrainingTable(name, "1", "made up", CHAINS, values, fold)


def test_batches_hold_every_index_once() -> None:
    sizes = np.random.default_rng(0).integers(1, 60, size=1000)
    batches = batches_of_similar_size(sizes, 32, np.random.default_rng(1))
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))
    assert np.mean([np.ptp(sizes[rows]) for rows in batches]) < 12


def test_what_is_hidden_does_not_show() -> None:
    torch.manual_seed(0)
    network = Mips(SIZES).eval()
    one, other = (Batch.of([ChainTensors.read(p, 3)]) for p in ("*CCO*", "*CCS*"))
    hidden = one.atoms[..., 0] != other.atoms[..., 0]
    shown = [network.atoms(replace(b, atoms=_mask(b, hidden)))[hidden] for b in (one, other)]
    torch.testing.assert_close(shown[0], shown[1])
    assert masked_loss(network, one, hidden) > 0


def _mask(batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
    from polymd.properties.mips.graphs import ATOM_SIZES

    return torch.where(hidden[..., None], torch.tensor(list(ATOM_SIZES.values())), batch.atoms)


def test_pretraining_learns_and_goes_on(tmp_path: Path) -> None:
    settings = Pretraining(steps=20, sizes=SIZES, batch=32, learning_rate=1e-2)
    path, heard = tmp_path / "pretraining.pt", []
    psmiles = [*CHAINS[:31], "no polymer"]
    network = pretrain(psmiles, settings, path, heard.append)
    stored = torch.load(path, weights_only=True)["state"]
    batch = Batch.of([ChainTensors.read(p, 3) for p in CHAINS[:31]])
    torch.manual_seed(0)
    hidden = batch.real & (torch.rand(batch.real.shape) < 0.3)
    assert masked_loss(network, batch, hidden) < 0.85 * masked_loss(Mips(SIZES).eval(), batch, hidden)
    pretrain(psmiles, settings, path)  # the budget is spent: nothing more happens
    assert torch.load(path, weights_only=True)["state"] == stored
    with pytest.raises(ValueError, match="was written with"):
        pretrain(psmiles, replace(settings, masked=0.5), path)


def test_fine_tuning_learns_from_the_labels_that_there_are() -> None:
    polymers = Polymers.of({"colour": table(), "other": table("other")}, 3)
    examples, _, _ = polymers.examples(np.ones(len(polymers.chains), dtype=np.bool_))
    examples.targets[::2, 1] = np.nan
    network = started(None, SIZES, 2, seed=0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rows = np.arange(len(polymers.chains))
    settings = replace(QUICK, epochs=40, learning_rate=1e-2)
    trained = finetune(network, examples, rows, np.empty(0, np.int64), settings)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    errors = outputs(trained, examples, rows) - np.nan_to_num(examples.targets)
    assert np.sqrt(np.mean(errors[:, 0] ** 2)) < 0.6
    short = [finetune(network, examples, rows, rows, replace(QUICK, epochs=1)) for _ in range(2)]
    np.testing.assert_array_equal(*(outputs(found, examples, rows) for found in short))


def test_a_test_fold_is_never_seen() -> None:
    """Other values in fold 2 leave the network that holds out fold 2 as it is, validation included."""
    runs = []
    for shifted in (0.0, 5.0):
        polymers = Polymers.of({"colour": table(shifted=shifted)}, 3)
        runs.append(train_fold(polymers, 2, None, SIZES, replace(QUICK, epochs=2)))
    np.testing.assert_array_equal(runs[0].flat, runs[1].flat)
    assert not (runs[0].validation & (polymers.fold == 2)).any()
    assert runs[0].validation.any()


def test_folds_of_several_tables_must_agree() -> None:
    other = replace(table("other"), fold=(np.arange(len(CHAINS)) + 1) % 5)
    with pytest.raises(ValueError, match="'colour' lies in another fold elsewhere"):
        Polymers.of({"colour": table(), "other": other}, 3)


def test_starts_from_pretrained_weights() -> None:
    torch.manual_seed(1)
    start = Mips(SIZES)
    network = started(start, replace(SIZES, shape=N_SHAPE), 3, seed=0)
    assert torch.equal(network.biases, start.biases)
    assert network.head[-1].out_features == 3
    with pytest.raises(ValueError, match="pre-trained weights of sizes"):
        started(start, replace(SIZES, layers=3), 3, seed=0)


def test_shape_belongs_to_the_chain() -> None:
    found = shape_descriptors("*CC(*)c1ccccc1")
    assert found is not None
    assert found.shape == (N_SHAPE,)
    assert np.isfinite(found).all()
    other = shape_descriptors(shift(repeat("*CC(*)c1ccccc1", 2), 1))
    np.testing.assert_array_equal(found, other)
    assert shape_descriptors("*" + "C" * 90 + "O*") is None


def test_shapes_are_used_where_they_are_known() -> None:
    shapes = {p: d for p in CHAINS[:20] if (d := shape_descriptors(p)) is not None}
    polymers = Polymers.of({"colour": table()}, 3, shapes)
    held_out = train_fold(polymers, 0, None, replace(SIZES, shape=N_SHAPE), replace(QUICK, epochs=2))
    changed = (held_out.flat != held_out.full)[:, 0]
    np.testing.assert_array_equal(changed, ~np.isnan(polymers.shape[:, 0]))


def test_weight_of_a_blend() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=500)
    good, bad = true + 0.1 * rng.normal(size=500), true + rng.normal(size=500)
    assert blend_weight(true, bad, good) > 0.9
    assert blend_weight(true, good, bad) < 0.1
    assert blend_weight(true[:0], good[:0], bad[:0]) == 0.5


def test_blend_is_better_than_both_and_calibrated() -> None:
    rng = np.random.default_rng(0)
    fold = np.arange(1000) % 5
    true = rng.normal(size=1000)
    values = TrainingTable("x", "1", "made up", [], true, fold)
    predicted = true + 0.5 * rng.normal(size=(2, 1000))
    seen = (fold != np.arange(5)[:, None]) & (rng.random((5, 1000)) < 0.2)
    process = ProcessFolds(predicted[0], np.full(1000, 0.1), np.where(seen, predicted[0], np.nan))
    card = blend(values, process, NetworkFolds(np.tile(predicted[1], (5, 1)), seen))
    alone = held_out_errors(values, predicted[0], process.deviations)
    assert 0.4 < card["weight"] < 0.6
    assert card["errors"]["blend"]["rmse"] < 0.8 * min(alone["rmse"], card["errors"]["mips"]["rmse"])
    assert card["errors"]["blend"]["coverage_90"] == pytest.approx(0.9, abs=0.02)
    assert card["auto"] == pytest.approx(np.sqrt(0.5), abs=0.06)


def test_a_network_survives_its_file(tmp_path: Path) -> None:
    settings = NetworkSettings(
        tmp_path / "training",
        CHAINS,
        pretraining=Pretraining(steps=2, sizes=SIZES),
        finetuning=replace(QUICK, epochs=2),
    )
    heard: list[str] = []
    model = train_networks({"colour": table()}, settings, heard.append)
    path = tmp_path / "mine.safetensors"
    model.save(path)
    spelt = ["*CCO*", "*COC*", "*CCOCCO*"]
    found = predict(spelt, model=path)
    assert set(found["model"]) <= {"gp", "gp+mips"}
    _check_alone(path, spelt)
    np.testing.assert_allclose(found["value"], found["value"].iloc[0], rtol=SPELLING_RTOL)
    assert isinstance(model.network, MipsModel)
    again = train_networks({"colour": table()}, settings, heard.append)  # reads every fold it has
    assert again.card("colour")["blend"] == model.card("colour")["blend"]
    with pytest.raises(ValueError, match="is of another training"):
        train_networks({"colour": table()}, replace(settings, finetuning=QUICK))


def _check_alone(path: Path, psmiles: list[str]) -> None:
    """The network alone says the same of all spellings."""
    model = PropertyModel.load(path)
    assert model.model_of("colour", "mips") == "mips"
    graphs = [chain_graph(shortened(p)) for p in psmiles]
    mean = model.predict(["colour"], graphs, "mips")["colour"].mean
    np.testing.assert_allclose(mean, mean[0], rtol=SPELLING_RTOL)


def test_reads_a_pool(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text("SMILES\n*CC*\n*CCO*\n", encoding="utf-8")
    assert read_pool(path) == ["*CC*", "*CCO*"]
    path.write_text("smiles\n*CC*\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no column 'psmiles' or 'SMILES'"):
        read_pool(path)
    with pytest.raises(ValueError, match="there is no file"):
        read_pool(tmp_path / "nowhere.csv")
