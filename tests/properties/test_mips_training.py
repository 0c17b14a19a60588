"""Training of MIPS: masked atoms, labels, folds that stay unseen, and the blend with the process."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from polymd.properties import predict
from polymd.properties.blending import NetworkFolds, ProcessFolds, blend_all, blend_weights, held_out_errors
from polymd.properties.fingerprints import DESCRIPTORS, fingerprint
from polymd.properties.member_training import train_members
from polymd.properties.mips.descriptors import Vocabulary
from polymd.properties.mips.finetuning import Finetuning, finetune
from polymd.properties.mips.folds import Polymers, started, train_fold, train_on_all
from polymd.properties.mips.graphs import Batch, ChainTensors
from polymd.properties.mips.model import Mips, Sizes
from polymd.properties.mips.pretraining import Pretraining, masked_losses, pretrain
from polymd.properties.mips.shape import N_SHAPE, placed_descriptors, shape_descriptors
from polymd.properties.mips.store import UnitStore
from polymd.properties.mips.trained import MipsModel
from polymd.properties.mips.training import MipsSettings, read_polymers, train_mips
from polymd.properties.networks.batching import batches_of_similar_size
from polymd.properties.networks.conformers import Conformers, unit_conformers
from polymd.properties.networks.finetuning import outputs
from polymd.properties.property_model import PropertyModel
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable, read_pool
from polymd.repeats import canonical_chain, repeat, shift
from polymd.testing import FLOAT32_RTOL, SPELLING_RTOL

from .chains import random_psmiles

SIZES = Sizes(channels=16, layers=2, heads=4, dropout=0.0)
CHAINS = list(dict.fromkeys(canonical_chain(p) for p in random_psmiles(70, seed=11)))
QUICK = Finetuning(epochs=12, batch=16, learning_rate=5e-3, averaging=0.9, networks=1)


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
    one, other = (Batch.of([ChainTensors.read(p, 3)], 3) for p in ("*CCO*", "*CCS*"))
    hidden = one.atoms[..., 0] != other.atoms[..., 0]
    shown = [network.atoms(replace(b, atoms=_mask(b, hidden)))[hidden] for b in (one, other)]
    torch.testing.assert_close(shown[0], shown[1])
    assert masked_losses(network, one, hidden)[0] > 0


def _mask(batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
    from polymd.properties.mips.graphs import ATOM_SIZES

    return torch.where(hidden[..., None], torch.tensor(list(ATOM_SIZES.values())), batch.atoms)


def test_pretraining_learns_and_goes_on(tmp_path: Path) -> None:
    settings = Pretraining(steps=20, sizes=SIZES, batch=32, learning_rate=1e-2)
    path, heard = tmp_path / "pretraining.pt", []
    units = read_units([*CHAINS[:31], "no polymer"])
    network = pretrain(units, settings, path, heard.append)
    stored = torch.load(path, weights_only=True)["state"]
    batch = Batch.of([ChainTensors.read(p, 3) for p in CHAINS[:31]], 3)
    torch.manual_seed(0)
    hidden = batch.real & (torch.rand(batch.real.shape) < 0.3)
    fresh = Mips(SIZES).eval()
    assert masked_losses(network, batch, hidden)[0] < 0.85 * masked_losses(fresh, batch, hidden)[0]
    pretrain(units, settings, path)  # the budget is spent: nothing more happens
    assert torch.load(path, weights_only=True)["state"] == stored
    with pytest.raises(ValueError, match="was written with"):
        pretrain(units, replace(settings, masked=0.5), path)


def read_units(psmiles: list[str]) -> UnitStore:
    return UnitStore.read(psmiles, 3, most_atoms=60, counts=40)


def test_units_come_back_from_their_file(tmp_path: Path) -> None:
    units = read_units(["*CCO*", "no polymer", "*CC(*)c1ccccc1"])
    units.save(tmp_path / "units.npz")
    again = UnitStore.load(tmp_path / "units.npz")
    assert again.sizes.tolist() == [3, 8]
    for number, psmiles in enumerate(("*CCO*", "*CC(*)c1ccccc1")):
        alone = ChainTensors.read(psmiles, 3)
        for name in ("atoms", "backbone", "images"):
            np.testing.assert_array_equal(getattr(again[number], name), getattr(alone, name))
    np.testing.assert_array_equal(again.descriptors, units.descriptors)
    with pytest.raises(ValueError, match="no units that can be read"):
        read_units(["no polymer"])


def test_vocabulary_is_standardised_and_belongs_to_the_chain() -> None:
    fingerprints = [fingerprint(p) for p in CHAINS]
    vocabulary = Vocabulary.of(fingerprints, 30)
    values = vocabulary.values(fingerprints)
    assert values.shape == (len(CHAINS), len(vocabulary)) == (len(CHAINS), 30 + len(DESCRIPTORS))
    assert np.abs(values.mean(axis=0)).max() < 0.3
    spelt = [fingerprint(shift(repeat(p, 2), 1)) for p in CHAINS[:10]]
    np.testing.assert_array_equal(vocabulary.values(spelt), values[:10])


def test_fine_tuning_learns_from_the_labels_that_there_are() -> None:
    polymers = Polymers.of({"colour": table(), "other": table("other")}, 3)
    examples, _, _ = polymers.examples(np.ones(len(polymers.chains), dtype=np.bool_))
    examples.targets[::2, 1] = np.nan
    network = started(None, SIZES, polymers, seed=0)
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
    np.testing.assert_array_equal(runs[0].predicted, runs[1].predicted)
    assert not (runs[0].validation & (polymers.fold == 2)).any()
    assert runs[0].validation.any()


def test_folds_of_several_tables_must_agree() -> None:
    other = replace(table("other"), fold=(np.arange(len(CHAINS)) + 1) % 5)
    with pytest.raises(ValueError, match="'colour' lies in another fold elsewhere"):
        Polymers.of({"colour": table(), "other": other}, 3)


def test_starts_from_pretrained_weights(tmp_path: Path) -> None:
    start = pretrain(read_units(CHAINS), Pretraining(steps=1, sizes=SIZES), tmp_path / "pretraining.pt")
    polymers = Polymers.of({name: table(name) for name in "abc"}, 3, start.vocabulary)
    network = started(start, replace(SIZES, shape=N_SHAPE), polymers, seed=0)
    assert torch.equal(network.biases, start.biases)
    assert network.head[-1].out_features == 3
    np.testing.assert_array_equal(network.vocabulary.codes, start.vocabulary.codes)
    with pytest.raises(ValueError, match="pre-trained weights of sizes"):
        started(start, replace(SIZES, layers=3), polymers, seed=0)


def test_shape_belongs_to_the_chain() -> None:
    found = shape_descriptors("*CC(*)c1ccccc1")
    assert found.shape == (N_SHAPE,)
    assert np.isfinite(found).all()
    other = shape_descriptors(shift(repeat("*CC(*)c1ccccc1", 2), 1))
    np.testing.assert_array_equal(found, other)
    assert np.isnan(shape_descriptors("*" + "C" * 100 + "O*")).all()  # RDKit is not asked for one so large


def test_shape_is_of_the_heavy_atoms_wherever_they_come_from() -> None:
    psmiles = canonical_chain("*CC(*)c1ccccc1")
    positions = unit_conformers(psmiles, n=3).positions
    found = placed_descriptors(psmiles, positions)
    np.testing.assert_allclose(found[0], shape_descriptors(psmiles), rtol=FLOAT32_RTOL, atol=1e-5)
    assert np.abs(found[1:] - found[0]).max(axis=1).min() > 1e-3
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = placed_descriptors(psmiles, positions @ turn + 7.0)
    np.testing.assert_allclose(turned, found, rtol=FLOAT32_RTOL, atol=1e-4)


def test_shapes_are_used_where_they_are_known() -> None:
    shapes = {p: shape_descriptors(p) for p in CHAINS[:20]}
    polymers = Polymers.of({"colour": table()}, 3, None, shapes)
    examples, _, _ = polymers.examples(np.ones(len(CHAINS), dtype=np.bool_))
    without_shape = {name: values for name, values in examples.extras.items() if name != "shape"}
    network, rows = started(None, replace(SIZES, shape=N_SHAPE), polymers, seed=0), np.arange(len(CHAINS))
    full, flat = (
        outputs(network.eval(), e, rows)[:, 0] for e in (examples, replace(examples, extras=without_shape))
    )
    np.testing.assert_array_equal(full != flat, ~np.isnan(polymers.shape[:, 0]))
    known = network.standard("shape", torch.from_numpy(polymers.shape[:20]))
    assert known.mean(dim=0).abs().max() < 0.5
    assert known.abs().max() <= 5.0


def test_a_network_keeps_its_3d_descriptors(tmp_path: Path) -> None:
    sizes = Pretraining(sizes=replace(SIZES, descriptors=0))
    settings = MipsSettings(tmp_path, pretraining=sizes, finetuning=replace(QUICK, epochs=2), shape=True)
    rows = replace(table(), psmiles=CHAINS[:12], values=table().values[:12], fold=table().fold[:12])
    polymers = read_polymers({"colour": rows}, settings)
    model = train_on_all(polymers, None, settings.sizes, settings.finetuning)
    assert model.sees_space
    examples, means, scales = polymers.examples(np.ones(12, dtype=np.bool_))
    trained = means + scales * outputs(model.networks[0], examples, np.arange(12))
    found = model.predict(read_chains(polymers.keys))["colour"]
    np.testing.assert_allclose(found, trained[:, 0], rtol=FLOAT32_RTOL, atol=1e-6)
    again = MipsModel.of_tensors(model.tensors(), model.header())
    assert torch.equal(again.networks[0].shape_scales, model.networks[0].shape_scales)
    np.testing.assert_allclose(
        again.predict(read_chains(polymers.keys))["colour"], found, rtol=5e-3, atol=5e-3
    )
    spelt = model.predict(read_chains(["*CCO*", "*COC*", "*CCOCCO*"]))["colour"]
    np.testing.assert_allclose(spelt, spelt[0], rtol=SPELLING_RTOL)
    _check_placed(model)


def _check_placed(model: MipsModel) -> None:
    """A set of conformers has the mean of its conformers; that of the canonical chain, what it is without."""
    psmiles = canonical_chain("*CC(*)c1ccccc1")
    both = unit_conformers(psmiles, n=2)
    sets = [both, *(Conformers(both.numbers, both.positions[[i]]) for i in (0, 1))]
    mean, first, second = (model.predict_placed(psmiles, [one])["colour"][0] for one in sets)
    assert mean == pytest.approx((first + second) / 2, rel=FLOAT32_RTOL)
    assert first != second
    alone = model.predict(read_chains([psmiles]))["colour"][0]
    assert first == pytest.approx(alone, rel=FLOAT32_RTOL)


def test_weights_of_a_blend() -> None:
    rng = np.random.default_rng(0)
    errors = rng.normal(size=(500, 3)) * (0.1, 1.0, 1.0)
    even = np.full(3, 1 / 3)
    weights = blend_weights(errors, even)
    assert weights[0] > 0.8
    assert weights.min() >= 0.0
    assert weights.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(blend_weights(errors[:, ::-1], even), weights[::-1], atol=1e-9)
    assert np.abs(blend_weights(errors[:2], even) - 1 / 3).max() < 0.1  # two rows do not say much
    np.testing.assert_array_equal(blend_weights(errors[:0], even), even)
    errors[7, 0] = 20.0  # one outlier, for which squares would take most of the weight away
    assert blend_weights(errors, even)[0] > 0.8


def test_validation_rows_are_predicted_by_networks_that_have_not_seen_them() -> None:
    said = np.arange(5.0)[:, None] + np.zeros((5, 3))
    unseen = np.zeros((2, 5, 3), dtype=np.bool_)
    unseen[0, :, 0] = unseen[1, :, 1] = True
    mean = NetworkFolds.mean([NetworkFolds(said, unseen[0]), NetworkFolds(said + 1.0, unseen[1])])
    np.testing.assert_array_equal(mean.predicted - said, np.tile([0.0, 1.0, 0.5], (5, 1)))
    np.testing.assert_array_equal(mean.validation, np.tile([True, True, False], (5, 1)))


def test_blend_is_better_than_its_members_and_calibrated() -> None:
    rng = np.random.default_rng(0)
    fold = np.arange(1000) % 5
    true = rng.normal(size=1000)
    values = TrainingTable("x", "1", "made up", [], true, fold)
    predicted = true + 0.5 * rng.normal(size=(3, 1000))
    seen = (fold != np.arange(5)[:, None]) & (rng.random((5, 1000)) < 0.2)
    process = ProcessFolds(predicted[0], np.full(1000, 0.1), np.where(seen, predicted[0], np.nan))
    networks = {
        key: {"x": NetworkFolds(np.tile(said, (5, 1)), seen)}
        for key, said in zip("ab", predicted[1:], strict=True)
    }
    card = blend_all({"x": values}, {"x": process}, networks)["x"].card(values)
    alone = held_out_errors(values, predicted[0], process.deviations)["rmse"]
    assert list(card["weights"]) == ["gp", "a", "b"]
    assert all(0.2 < weight < 0.5 for weight in card["weights"].values())
    assert card["errors"]["blend"]["rmse"] < 0.7 * min(alone, card["errors"]["a"]["rmse"])
    assert card["errors"]["blend"]["coverage_90"] == pytest.approx(0.9, abs=0.02)
    assert 0.3 < card["calibration"]["auto"] < np.sqrt(1 / 3)  # the spread of the members widens it already


def test_a_network_survives_its_file(tmp_path: Path) -> None:
    settings = MipsSettings(
        tmp_path / "training",
        CHAINS,
        pretraining=Pretraining(steps=2, sizes=SIZES),
        finetuning=replace(QUICK, epochs=2, networks=2),
    )
    heard: list[str] = []
    train = partial(train_mips, settings=settings)
    model = train_members({"colour": table()}, {"mips": train}, heard.append)
    path = tmp_path / "mine.safetensors"
    model.save(path)
    spelt = ["*CCO*", "*COC*", "*CCOCCO*"]
    found = predict(spelt, model=path)
    assert set(found["model"]) <= {"gp", "mips", "gp+mips"}
    _check_alone(path, spelt)
    np.testing.assert_allclose(found["value"], found["value"].iloc[0], rtol=SPELLING_RTOL)
    assert isinstance(model.networks["mips"], MipsModel)
    again = train_members({"colour": table()}, {"mips": train}, heard.append)  # reads every fold it has
    assert again.card("colour")["blend"] == model.card("colour")["blend"]
    with pytest.raises(ValueError, match="is of another training"):
        train_mips({"colour": table()}, replace(settings, finetuning=QUICK))


def _check_alone(path: Path, psmiles: list[str]) -> None:
    """The network alone says the same of all spellings."""
    model = PropertyModel.load(path)
    assert model.model_of("colour", "mips") == "mips"
    mean = model.predict(["colour"], read_chains(psmiles), "mips")["colour"].mean
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
