"""MMPolymer: tokens of every P-SMILES, invariance in space, both modalities, its training and file."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from polymd.properties import predict
from polymd.properties.member_training import train_members
from polymd.properties.mmpolymer.kind import MMPolymerKind
from polymd.properties.mmpolymer.model import MMPolymer
from polymd.properties.mmpolymer.tokens import CLASS, END, PAD, decode, encode, tokenise, vocabulary
from polymd.properties.mmpolymer.towers import LONGEST, Sizes, random_choice
from polymd.properties.networks.conformers import ConformerStore
from polymd.properties.networks.finetuning import Finetuning
from polymd.properties.networks.pretraining import Pretraining
from polymd.properties.networks.taught_pool import TaughtPool
from polymd.properties.networks.trained import TrainedNetwork, shipped_start
from polymd.properties.networks.training import TrainingSettings, pretrained, train_kind
from polymd.properties.property_model import PropertyModel
from polymd.properties.read_chain import read_chains
from polymd.properties.training_tables import TrainingTable
from polymd.psmiles import canonicalise
from polymd.repeats import canonical_chain
from polymd.testing import FLOAT32_RTOL, SPELLING_RTOL

from .chains import LINKS, random_psmiles

SIZES = Sizes(channels=16, layers=2, heads=4, kernels=8, dropout=0.0)
CHAINS = list(dict.fromkeys(random_psmiles(24, seed=3)))
STORE = ConformerStore(n=2)
KIND = MMPolymerKind(SIZES, STORE)
ATOMS = (
    "[SiH2]",
    "[nH]",
    "[Se]",
    "[13CH2]",
    "[C@@H](F)",
    "[N+](=O)[O-]",
    "[Sn](C)(C)",
    "Br",
    "Cl",
    "%12",
    "[*:1]",
)


@settings(deadline=None)
@given(st.lists(st.sampled_from((*LINKS, *ATOMS)), min_size=1, max_size=12))
def test_tokens_give_the_text_back(parts: list[str]) -> None:
    text = "*" + "".join(parts) + "*"
    tokens = tokenise(text)
    assert "".join(tokens) == text
    assert set(tokens) <= set(vocabulary())
    ids = encode(text)
    assert (ids[0], ids[-1]) == (CLASS, END)
    assert decode(ids.tolist()) == text


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_what_rdkit_writes_is_known(seed: int) -> None:
    text = canonicalise(next(random_psmiles(1, seed)))
    assert decode(encode(text).tolist()) == text


@settings(deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_split_or_refused(text: str) -> None:
    known = set("".join(vocabulary()))
    if set(text) <= set("BCNOPSFIbcnops*()-=#$:/\\~.%@+0123456789"):
        assert "".join(tokenise(text)) == text
    elif not set(text) <= known:
        with pytest.raises(ValueError, match="no token begins with"):
            tokenise(text)


def test_tokens_are_atoms() -> None:
    assert tokenise("*C(Cl)[SiH2]*") == ["*", "C", "(", "Cl", ")", "[", "Si", "H", "2", "]", "*"]
    assert tokenise("*Sc1cccs1*")[1:3] == ["S", "c"]  # no scandium
    assert tokenise("[Sc]") == ["[", "Sc", "]"]
    with pytest.raises(ValueError, match=r"no token begins with '\?'"):
        tokenise("*C?*")


def test_turned_moved_and_mirrored_units_are_the_same() -> None:
    torch.manual_seed(0)
    network = KIND.build(2).eval()
    batch = KIND.collate(KIND.prepare(CHAINS))
    turn = torch.linalg.qr(torch.randn(3, 3))[0]
    other = replace(batch, positions=batch.positions @ turn + torch.randn(3))
    values = network(batch)
    torch.testing.assert_close(network(other), values, rtol=10 * FLOAT32_RTOL, atol=1e-4)
    bent = replace(batch, positions=batch.positions * 1.1)
    assert (network(bent) - values).abs().max() > 1e-3  # a tenth longer everywhere


def test_fillings_change_nothing() -> None:
    torch.manual_seed(0)
    network = KIND.build(1).eval()
    samples = KIND.prepare(CHAINS)
    together = network(KIND.collate(samples))
    alone = torch.cat([network(KIND.collate([sample])) for sample in samples])
    torch.testing.assert_close(together, alone, rtol=10 * FLOAT32_RTOL, atol=1e-5)


def test_values_are_means_over_conformers() -> None:
    torch.manual_seed(0)
    network = KIND.build(1).eval()
    batch = KIND.collate(KIND.prepare(CHAINS[:4]))
    each = [network(replace(batch, positions=batch.positions[:, k : k + 1])) for k in range(2)]
    torch.testing.assert_close(network(batch), (each[0] + each[1]) / 2)
    assert (each[0] - each[1]).abs().max() > 1e-6


@pytest.mark.parametrize("modality", ["text", "structure"])
def test_one_modality_alone(modality: str) -> None:
    torch.manual_seed(0)
    kind = MMPolymerKind(replace(SIZES, modalities=modality), STORE)
    network = kind.build(1).eval()
    batch = kind.collate(kind.prepare(CHAINS[:4]))
    values = network(batch)
    other = {
        "text": replace(batch, positions=batch.positions * 2),
        "structure": replace(batch, tokens=torch.full_like(batch.tokens, PAD)),
    }[modality]
    torch.testing.assert_close(network(other), values)
    loss = kind.pretraining_loss(network, batch, np.random.default_rng(0))
    loss.backward()
    assert any(p.grad is not None for p in network.parameters())
    with pytest.raises(ValueError, match="no modalities 'touch'"):
        MMPolymer(replace(SIZES, modalities="touch"))


def test_pretraining_learns() -> None:
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


def test_towers_learn_what_is_taught() -> None:
    torch.manual_seed(0)
    course = KIND.courses(TaughtPool.read(CHAINS, counts=20), placed=24)[-1]
    network = course.kind.build(1)
    optimizer = torch.optim.Adam(network.parameters(), 5e-3)
    rng = np.random.default_rng(0)
    batch = course.kind.collate(course.kind.prepare(course.chains), rng)
    losses = []
    for _ in range(40):
        loss = course.kind.pretraining_loss(network, batch, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert all(name.startswith("head.") for name in unused)


def test_courses_go_on_from_each_other(tmp_path: Path) -> None:
    """The P-SMILES tower learns from the whole pool, then both from the chains that have conformers."""
    courses = KIND.courses(TaughtPool.read(CHAINS, counts=5), placed=4)
    assert [(course.name, len(course.chains)) for course in courses] == [("text", len(CHAINS)), ("both", 4)]
    assert sum(course.share for course in courses) == pytest.approx(1.0)
    pool = TrainingSettings(tmp_path, CHAINS, pretraining=Pretraining(steps=4, batch=8, counts=5, placed=4))
    network = pretrained(KIND, pool)
    assert isinstance(network, MMPolymer)
    assert {path.name for path in tmp_path.iterdir()} >= {"pool.npz", "placed.npz", "text.pt", "both.pt"}
    assert len(ConformerStore(tmp_path / "placed.npz", 1).find([])) == 0
    start = KIND.start(2, network, seed=0)
    assert torch.equal(start.text.tokens.weight, network.text.tokens.weight)


def test_the_shipped_network_starts_a_training_without_a_pool() -> None:
    shipped = shipped_start("mmpolymer")
    assert isinstance(shipped, MMPolymer)
    for modalities in ("both", "text", "structure"):
        kind = MMPolymerKind(Sizes(modalities=modalities), STORE)
        own, other = kind.start(3, shipped, seed=0).state_dict(), shipped.state_dict()
        towers = {name for name in own if name.startswith(("text.", "structure."))}
        assert towers
        assert all(torch.equal(own[name], other[name]) for name in towers & other.keys())
    assert shipped_start("letters") is None


def test_the_text_alone_needs_no_conformers() -> None:
    kind = MMPolymerKind(replace(SIZES, modalities="text"), ConformerStore())
    samples = kind.prepare(CHAINS[:3])
    assert all(sample is not None and sample.conformers is None for sample in samples)
    assert kind.collate(samples).positions.shape == (3, 1, 0, 3)
    assert CHAINS[0] not in kind.store


def test_a_share_of_the_real_ones_is_chosen() -> None:
    real = torch.ones(3, 40, dtype=torch.bool)
    real[2, 2:] = False
    chosen = random_choice(real, 0.15, torch.rand(3, 40))
    assert not (chosen & ~real).any()
    assert chosen.any(dim=1).all()
    assert chosen.float().mean() < 0.4


def test_a_network_survives_its_file_in_half_precision() -> None:
    torch.manual_seed(0)
    trained = TrainedNetwork(KIND, KIND.build(2).eval(), ("a", "b"), (1.0, -2.0), (0.5, 3.0))
    read = TrainedNetwork.of_tensors(trained.tensors(), trained.header())
    assert read.kind == KIND
    assert {array.dtype for array in trained.tensors().values()} == {np.dtype(np.float16)}
    assert not any(name.startswith(KIND.pretraining_parts) for name in trained.tensors())
    for name, values in trained.predict(read_chains(CHAINS)).items():
        np.testing.assert_allclose(read.predict(read_chains(CHAINS))[name], values, atol=5e-3)


def test_what_is_no_polymer_is_none() -> None:
    assert [sample is None for sample in KIND.prepare(["no polymer", "*CC*"])] == [True, False]


def test_long_units_are_cut_off() -> None:
    long = "*" + "CO" * (LONGEST // 2) + "*"
    batch = KIND.collate(KIND.prepare([long]))
    assert batch.tokens.shape[1] == LONGEST
    assert torch.isfinite(KIND.build(1).eval()(batch)).all()


@pytest.mark.parametrize("finetuning", [None, Finetuning(epochs=1, batch=16)])
def test_training_beside_the_process(tmp_path: Path, finetuning: Finetuning | None) -> None:
    chains = list(dict.fromkeys(canonical_chain(p) for p in random_psmiles(60, seed=7)))[:30]
    values = np.array([p.count("O") / len(p) for p in chains])
    table = TrainingTable("share", "1", "made up", chains, values, np.arange(30) % 5)
    settings = TrainingSettings(
        tmp_path / "training",
        chains[:16],
        pretraining=Pretraining(steps=2, batch=8, counts=8),
        finetuning=finetuning,
    )
    trainers = {"mmpolymer": partial(train_kind, MMPolymerKind(SIZES), settings=settings)}
    model = train_members({"share": table}, trainers)
    assert np.isfinite(model.card("share")["blend"]["errors"]["mmpolymer"]["rmse"])
    assert (tmp_path / "training" / "conformers.npz").is_file()
    path = tmp_path / "mine.safetensors"
    model.save(path)
    found = predict(["*CCO*", "*COC*", "*CCOCCO*"], model=path)
    assert PropertyModel.load(path).names("mmpolymer") == ["share"]
    apart = train_members({"share": table}, trainers, beside=["mmpolymer"])  # reads every fold it has
    assert apart.model_of("share", "auto") == "gp"
    assert np.isfinite(apart.card("share")["blend"]["errors"]["mmpolymer"]["rmse"])
    alone = apart.predict(["share"], read_chains(["*CCO*"]), "mmpolymer")["share"]
    assert np.isfinite([alone.mean, alone.deviation]).all()
    np.testing.assert_allclose(found["value"], found["value"].iloc[0], rtol=SPELLING_RTOL)
