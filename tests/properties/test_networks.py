"""Parts that networks of properties share: attention, distances, noise, conformers, training."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from polymd.properties.networks.attention import PairAttention
from polymd.properties.networks.conformers import Conformers, ConformerStore, unit_conformers
from polymd.properties.networks.contrast import info_nce
from polymd.properties.networks.denoising import Displacements, displaced, position_loss
from polymd.properties.networks.distances import PairKernels, pair_distances
from polymd.properties.networks.elements import N_ELEMENTS, element_categories
from polymd.properties.networks.finetuning import Examples, Finetuning, finetune, label_weights, outputs
from polymd.properties.networks.folds import Polymers, kernel_fold, train_fold, train_on_all
from polymd.properties.networks.kernel_head import KernelHead
from polymd.properties.networks.kind import NetworkKind
from polymd.properties.networks.kinds import kind_of
from polymd.properties.networks.pretraining import Pretraining, pretrain
from polymd.properties.networks.taught_pool import TaughtPool, teaching_loss
from polymd.properties.networks.training import TrainingSettings, held_out_networks, train_kind
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable
from polymd.repeats import canonical_chain
from polymd.testing import FLOAT32_RTOL

from .chains import random_psmiles

CHAINS = list(dict.fromkeys(canonical_chain(p) for p in random_psmiles(70, seed=11)))
QUICK = Finetuning(epochs=12, batch=16, learning_rate=1e-2, averaging=0.9)


@dataclass(frozen=True)
class Letters:
    """B strings as counts of letters."""

    counts: Tensor

    def to(self, device: torch.device) -> "Letters":
        return Letters(self.counts.to(device))


class LetterKind(NetworkKind):
    """The smallest kind there can be: a linear network on counts of letters."""

    key = "letters"
    shares = ({"body": 1.0},)

    def as_dict(self) -> dict[str, Any]:
        return {}

    def prepare(self, psmiles: Any, tell: Any = None) -> list[Any]:
        return [None if text == "no polymer" else text for text in psmiles]

    def size(self, sample: str) -> int:
        return len(sample)

    def collate(self, samples: Any, rng: Any = None) -> Letters:
        counts = [[text.count(letter) / len(text) for letter in "COcNS("] for text in samples]
        return Letters(torch.tensor(counts))

    def build(self, targets: int) -> nn.Module:
        return LetterNetwork(targets)

    def views(self, network: Any, batch: Any) -> dict[str, Tensor]:
        return {"body": network.body(batch.counts).tanh()}

    def pretraining_loss(self, network: Any, batch: Any, rng: Any) -> Tensor:
        return (network.body(batch.counts)[:, 0] - batch.counts[:, 1]).square().mean()


class LetterNetwork(nn.Module):
    def __init__(self, targets: int) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(6, 16), nn.Linear(16, targets)

    def forward(self, batch: Letters) -> Tensor:
        found: Tensor = self.head(self.body(batch.counts).tanh())
        return found


def table(name: str = "colour", shifted: float = 0.0) -> TrainingTable:
    """Share of oxygen in the text of a unit; `shifted` moves the values of fold 2."""
    fold = np.arange(len(CHAINS)) % 5
    values = np.array([p.count("O") / len(p) for p in CHAINS]) + shifted * (fold == 2)
    return TrainingTable(name, "1", "made up", CHAINS, values, fold)


def test_nobody_hears_fillings() -> None:
    torch.manual_seed(0)
    layer = PairAttention(16, 4, 2, 0.0).eval()
    tokens, bias = torch.randn(2, 7, 16), torch.randn(2, 4, 7, 7)
    real = torch.ones(2, 7, dtype=torch.bool)
    real[1, 5:] = False
    found, _ = layer(tokens, real, bias)
    alone, logits = layer(tokens[1:, :5], real[1:, :5], bias[1:, :, :5, :5])
    torch.testing.assert_close(found[1:, :5], alone)
    assert logits.shape == (1, 4, 5, 5)
    with pytest.raises(ValueError, match="3 heads do not divide 16"):
        PairAttention(16, 3, 2, 0.0)


def test_kernels_tell_elements_and_distances() -> None:
    kernels = PairKernels(8)
    with torch.no_grad():
        kernels.shift.copy_(torch.arange(len(kernels.shift)) * 1e-3)
    positions = torch.tensor([[[0.0, 0.0, 0.0], [1.5, 0.0, 0.0], [0.0, 1.5, 0.0]]])
    elements = torch.tensor([[2, 2, 4]])
    distances = pair_distances(positions, positions)
    found = kernels(distances, elements, elements)
    assert found.shape == (1, 3, 3, 8)
    torch.testing.assert_close(found, found.transpose(1, 2))
    assert not torch.allclose(found[0, 0, 1], found[0, 0, 2])
    assert float(distances[0, 0, 1]) == pytest.approx(1.5)


def test_elements() -> None:
    found = element_categories(np.array([1, 6, 53, 92], dtype=np.int64))
    assert found.tolist() == [0, 2, N_ELEMENTS - 2, N_ELEMENTS - 1]


def test_contrast_is_least_for_equal_views() -> None:
    torch.manual_seed(0)
    one = torch.randn(32, 8)
    assert float(info_nce(one, one)) < 0.1
    assert float(info_nce(one, torch.randn(32, 8))) > 2.0
    assert float(info_nce(torch.ones(32, 8), one)) >= np.log(32) - 1e-4


def test_displacements_turn_with_the_molecule() -> None:
    torch.manual_seed(0)
    head = Displacements(4)
    pairs, positions = torch.randn(1, 4, 5, 5), torch.randn(1, 5, 3)
    real = torch.tensor([[True, True, True, True, False]])
    turn = torch.linalg.qr(torch.randn(3, 3))[0]
    shift = torch.randn(3)
    found = head(pairs, positions, positions, real)
    turned = positions @ turn + shift
    torch.testing.assert_close(
        head(pairs, turned, turned, real), found @ turn + shift, rtol=FLOAT32_RTOL, atol=1e-5
    )


def test_noise_stays_where_it_is_put() -> None:
    rng = np.random.default_rng(0)
    positions = torch.zeros(1, 4, 3)
    chosen = torch.tensor([[True, False, True, False]])
    moved = displaced(positions, chosen, 0.5, rng)
    assert not moved[~chosen].any()
    assert 0.0 < float(moved.abs().max()) <= 0.5
    assert float(position_loss(moved, positions, chosen)) > 0.0
    assert float(position_loss(moved, positions, ~chosen)) == 0.0
    assert float(position_loss(moved, positions, chosen & ~chosen)) == 0.0


def test_stars_become_the_opposite_neighbours() -> None:
    found = unit_conformers("*CC(*)O", n=3)
    assert found.numbers.tolist() == [6, 6, 6, 6, 8]
    assert found.positions.shape == (3, 5, 3)
    np.testing.assert_allclose(found.positions.mean(axis=1), 0.0, atol=1e-5)
    assert np.linalg.norm(found.positions[0, 0] - found.positions[0, 1]) == pytest.approx(1.53, abs=0.05)
    assert unit_conformers("*NCC(=O)*").numbers.tolist()[0] == 6
    np.testing.assert_array_equal(found.positions, unit_conformers("*CC(*)O", n=3).positions)
    assert not np.allclose(found.positions, unit_conformers("*CC(*)O", n=3, seed=5).positions)


def test_what_cannot_be_embedded_is_flat() -> None:
    large = unit_conformers("*" + "C" * 110 + "O*", n=2)
    assert not large.positions[..., 2].any()
    assert large.positions.shape == (2, 113, 3)


def test_conformers_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "conformers.npz"
    store = ConformerStore(path, n=2)
    found = store.find(["*CC*", "*CCO*", "*CC*"])
    assert found[0] is found[2]
    again = ConformerStore(path, n=2).find(["*CCO*", "*CC*"])
    np.testing.assert_array_equal(again[0].positions, found[1].positions)
    np.testing.assert_array_equal(again[1].numbers, found[0].numbers)
    with pytest.raises(ValueError, match="holds 2 conformers a unit, not 3"):
        ConformerStore(path, n=3)
    own = Conformers.of(np.array([6, 8]), np.ones((1, 2, 3)))
    store.add("mine", own)
    assert store.find(["mine"]) == [own]


def test_pretraining_learns_and_goes_on(tmp_path: Path) -> None:
    settings = Pretraining(steps=60, batch=8, learning_rate=1e-2)
    path, heard = tmp_path / "training" / "pretraining.pt", []
    psmiles = [*CHAINS[:31], "no polymer"]
    kind = LetterKind()
    network = pretrain(kind, psmiles, settings, path, heard.append)
    first, last = (float(heard[i].split()[-1]) for i in (0, -1))
    assert last < 0.5 * first
    before = torch.load(path, weights_only=True)["state"]
    pretrain(kind, psmiles, settings, path)  # the budget is spent: nothing more happens
    assert torch.load(path, weights_only=True)["state"] == before
    started = kind.start(3, network, seed=1)
    assert torch.equal(started.body.weight, network.body.weight)
    assert started.head.out_features == 3
    with pytest.raises(ValueError, match="was written with"):
        pretrain(kind, psmiles, replace(settings, batch=4), path)
    with pytest.raises(ValueError, match="no polymers"):
        pretrain(kind, [], settings, path)
    with pytest.raises(ValueError, match="none of 1 polymers can be read"):
        pretrain(kind, ["no polymer"], settings, tmp_path / "other.pt")


def test_what_is_taught_belongs_to_the_chain(tmp_path: Path) -> None:
    spelt = ["*CCO*", "no polymer", "*COC*", "*CCOCCO*", "*c1ccc(s1)*", "*" + "CO" * 40 + "C*"]
    pool = TaughtPool.read(spelt, counts=5)
    assert pool.chains == [canonical_chain("*CCO*"), canonical_chain("*c1ccc(s1)*")]
    assert pool.width == 12 + 25 + 5
    assert np.abs(pool.of(pool.chains[0]) - pool.of(pool.chains[1])).max() > 1.0
    pool.save(tmp_path / "deep" / "pool.npz")
    again = TaughtPool.load(tmp_path / "deep" / "pool.npz")
    assert again.chains == pool.chains
    np.testing.assert_array_equal(again.values, pool.values)
    with pytest.raises(ValueError, match="no units that can be read"):
        TaughtPool.read(["no polymer"], counts=5)


def test_bands_descriptors_and_counts_weigh_alike() -> None:
    true = torch.zeros(4, 12 + 25 + 100)
    for part in (slice(0, 12), slice(12, 37), slice(37, None)):
        told = true.clone()
        told[:, part] = 2.0
        assert float(teaching_loss(told, true)) == pytest.approx(4.0)
    assert float(teaching_loss(true[:, :37] + 1.0, true[:, :37])) == pytest.approx(2.0)


def test_labels_of_small_tables_weigh_more() -> None:
    targets = np.zeros((90, 2))
    targets[10:, 1] = np.nan
    weights = label_weights(targets[:90]).numpy()
    assert weights[1] / weights[0] == pytest.approx(3.0)
    assert weights @ [90, 10] == pytest.approx(100.0)


def test_fine_tuning_learns_from_the_labels_that_there_are() -> None:
    polymers = Polymers.of({"colour": table(), "other": table("other")})
    targets, _, _ = polymers.targets(np.ones(len(polymers.chains), dtype=np.bool_))
    targets[::2, 1] = np.nan
    kind = LetterKind()
    examples = Examples(kind, kind.prepare(polymers.chains), targets)
    network = kind.start(2, None, seed=0)
    rows = np.arange(len(polymers.chains))
    trained = finetune(network, examples, rows, np.empty(0, np.int64), replace(QUICK, epochs=60))
    errors = outputs(trained, examples, rows) - np.nan_to_num(targets)
    assert np.sqrt(np.mean(errors[:, 0] ** 2)) < 0.5
    short = [finetune(network, examples, rows, rows, replace(QUICK, epochs=1)) for _ in range(2)]
    np.testing.assert_array_equal(*(outputs(found, examples, rows) for found in short))


def test_a_test_fold_is_never_seen() -> None:
    """Other values in fold 2 leave the network that holds out fold 2 as it is, validation included."""
    runs = [
        train_fold(LetterKind(), Polymers.of({"colour": table(shifted=shifted)}), 2, None, QUICK)
        for shifted in (0.0, 5.0)
    ]
    np.testing.assert_array_equal(runs[0].predicted, runs[1].predicted)
    fold = table().fold
    assert not (runs[0].validation & (fold == 2)).any()
    assert runs[0].validation.any()


def test_folds_of_several_tables_must_agree() -> None:
    other = replace(table("other"), fold=(np.arange(len(CHAINS)) + 1) % 5)
    with pytest.raises(ValueError, match="'colour' lies in another fold elsewhere"):
        Polymers.of({"colour": table(), "other": other})


def test_folds_are_kept_and_predict(tmp_path: Path) -> None:
    polymers = Polymers.of({"colour": table()})
    settings = TrainingSettings(tmp_path / "training", finetuning=QUICK)
    heard: list[str] = []
    found = held_out_networks(LetterKind(), polymers, None, settings, heard.append)["colour"]
    assert found.predicted.shape == found.validation.shape == (5, len(CHAINS))
    told = len(heard)
    again = held_out_networks(LetterKind(), polymers, None, settings, heard.append)["colour"]
    assert len(heard) == told
    np.testing.assert_array_equal(again.predicted, found.predicted)
    with pytest.raises(ValueError, match="is of another training"):
        held_out_networks(LetterKind(), polymers, None, replace(settings, finetuning=Finetuning()))


def test_a_network_of_all_polymers_predicts_in_the_unit_of_its_table() -> None:
    trained = train_on_all(LetterKind(), Polymers.of({"colour": table()}), None, replace(QUICK, epochs=40))
    found = trained.predict(read_chains(CHAINS[:20]))["colour"]
    assert np.corrcoef(found, table().values[:20])[0, 1] > 0.8


def test_a_kernel_learns_smooth_functions_of_views() -> None:
    rng = np.random.default_rng(0)
    views = {"one": rng.normal(size=(120, 2)), "other": rng.normal(size=(120, 30))}
    targets = np.column_stack([np.sin(views["one"][:, 0]), views["one"][:, 1]])
    targets[::2, 1] = np.nan
    rows = np.arange(80)
    head = KernelHead.fit(views, ({"one": 9.0, "other": 1.0}, {"one": 2.0, "other": 1.0}), targets, rows)
    found = head.predict(views)
    assert np.sqrt(np.mean((found[80:, 0] - targets[80:, 0]) ** 2)) < 0.3
    np.testing.assert_array_equal(head.weights[:, ::2, 1], 0.0)
    read = KernelHead.of_tensors(head.tensors())
    np.testing.assert_allclose(read.predict(views), found, atol=1e-2)
    constant = {"one": np.ones((120, 2))}
    assert np.isfinite(KernelHead.fit(constant, ({"one": 1.0},), targets, rows).predict(constant)).all()


def test_a_kernel_of_a_fold_never_sees_it() -> None:
    """Nor do the predictions of validation chains come from a kernel that has seen them."""
    runs = []
    for shifted in (0.0, 5.0):
        polymers = Polymers.of({"colour": table(shifted=shifted)})
        views = {"letters": np.array([[c.count("O") / len(c), c.count("N")] for c in polymers.chains])}
        runs.append(kernel_fold(polymers, views, ({"letters": 1.0},), 2, seed=0))
    np.testing.assert_array_equal(runs[0].predicted, runs[1].predicted)
    validation = runs[0].validation
    assert validation.any()
    assert not (validation & (table().fold == 2)).any()
    without = replace(polymers, values={"colour": np.where(validation, 9.0, polymers.values["colour"])})
    other = kernel_fold(without, views, ({"letters": 1.0},), 2, seed=0)
    np.testing.assert_array_equal(other.predicted[validation], runs[1].predicted[validation])


def test_a_kernel_on_a_network_trains_and_survives_its_file(tmp_path: Path) -> None:
    kind, heard = LetterKind(), list[str]()
    settings = TrainingSettings(tmp_path / "training")
    trained, folds = train_kind(kind, {"colour": table()}, settings, heard.append)
    test = np.array([folds["colour"].predicted[fold, row] for row, fold in enumerate(table().fold)])
    assert np.corrcoef(test, table().values)[0, 1] > 0.8
    assert trained.kernel is not None
    assert not any(name.startswith("head.") for name in trained.tensors())
    found = trained.predict(read_chains(CHAINS[:20]))["colour"]
    assert np.corrcoef(found, table().values[:20])[0, 1] > 0.9
    with pytest.raises(ValueError, match="is of another training"):
        train_kind(kind, {"colour": table()}, replace(settings, finetuning=QUICK))


def test_unknown_kinds() -> None:
    with pytest.raises(ValueError, match="no kind of network 'letters'"):
        kind_of("letters", {})
