"""A training from config to model: budget, exact resume, fine-tuning, two processes, the card."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from polymd import potentials, testing
from polymd.datasets.frames import LabelledMolecule, write_frames
from polymd.potentials.polyget import storage
from polymd.training import batches
from polymd.training.force_matching import Batch, Graph
from polymd.training.potential import PotentialConfig, export, train
from polymd.training.potential_errors import polyget_predictor, potential_errors
from polymd.training.potential_module import FramesModule

SMALL = {"channels": 32, "layers": 2, "heads": 4}


def config(data: Path, out: Path, **fields: Any) -> PotentialConfig:
    given = {
        "data": [data],
        "out": out,
        "steps": 6,
        "batch": 4,
        "architecture": SMALL,
        "validation_families": ["*OCC*"],
        "validate_every": 2,
        "warmup_steps": 2,
        "checkpoint_minutes": 0.0,
    }
    return PotentialConfig(**{k: v for k, v in (given | fields).items() if v is not None})


def state(config: PotentialConfig) -> dict[str, Any]:
    return dict(torch.load(config.checkpoint, weights_only=True))


def assert_same_run(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["global_step"] == other["global_step"]
    for name, tensor in one["state_dict"].items():
        assert torch.equal(tensor, other["state_dict"][name]), name
    moments, others = (run["optimizer_states"][0]["state"] for run in (one, other))
    for number in moments:
        for key, value in moments[number].items():
            assert torch.equal(value, others[number][key]), (number, key)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[PotentialConfig, dict[str, Any]]:
    """Six steps without interruption."""
    done = config(data, tmp_path_factory.mktemp("finished"))
    return done, train(done)


def test_resume_after_a_kill_is_the_uninterrupted_run(
    finished: tuple[PotentialConfig, dict[str, Any]],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(Exception):
        pass

    def until_three(step: int, *rest: Any) -> Any:
        if step == 3:
            raise Killed
        return batches_of_step(step, *rest)

    batches_of_step = batches.frames_of_step
    cut = config(data, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "frames_of_step", until_three)
        with pytest.raises(Killed):
            train(cut)
    assert 1 <= state(cut)["global_step"] <= 3
    train(cut, resume=True)
    assert_same_run(state(cut), state(finished[0]))
    logs = sorted(path.parent.name for path in cut.out.glob("log/*/metrics.csv"))
    assert logs[0] == "from-step-0000000"
    assert len(logs) == 2


def test_a_longer_budget_goes_on(finished: tuple[PotentialConfig, dict[str, Any]], tmp_path: Path) -> None:
    longer = finished[0].model_copy(update={"steps": 8, "out": tmp_path})
    longer.checkpoint.write_bytes(finished[0].checkpoint.read_bytes())
    assert train(longer, resume=True)["training"]["steps"] == 8


def test_loss_falls_and_the_validation_error_is_logged(data: Path, tmp_path: Path) -> None:
    import pandas as pd

    card = train(config(data, tmp_path, steps=60, validate_every=20, learning_rate=5e-3))
    table = pd.read_csv(tmp_path / "log" / "from-step-0000000" / "metrics.csv")
    logged = table.dropna(subset="validation_force_mae").set_index("step")["validation_force_mae"]
    assert list(logged.index[:3]) == [19, 39, 59]
    assert logged.iloc[-1] < logged.iloc[0]
    assert logged.iloc[-1] == pytest.approx(card["errors"]["force_mae"], rel=1e-3)


def test_minutes_are_a_budget_too(data: Path, tmp_path: Path) -> None:
    card = train(config(data, tmp_path, steps=None, minutes=1e-6, validation_families=None))
    assert card["training"]["steps"] <= 2
    assert card["errors"] is None


def test_card_says_where_the_model_comes_from(
    finished: tuple[PotentialConfig, dict[str, Any]], data: Path
) -> None:
    done, card = finished
    assert card == potentials.card(str(done.model))
    assert card["data"][0]["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert card["level_of_theory"] == "the shipped PolyGET"
    assert card["training"]["frames"] == 18  # five molecules of six frames, without *OCC* and its twin
    assert card["training"]["families"] == 3
    assert card["training"]["epochs"] == pytest.approx(6 * 4 / 18, abs=1e-3)
    assert card["validation_families"] == ["*OCC*"]
    assert card["versions"]["torch"]
    assert card["limits"]


def test_model_is_the_average_with_fitted_energies(
    finished: tuple[PotentialConfig, dict[str, Any]], molecules: list[LabelledMolecule]
) -> None:
    done, card = finished
    weights = storage.read(done.model)[0]
    average = state(done)["state_dict"]
    assert np.array_equal(weights["readout.norm.weight"], average["average.readout.norm.weight"])
    trained = [m for m in molecules if m.psmiles in ("*CO*", "*CC*", "*CS*")]
    for molecule in trained:  # three compositions, four elements: the means can be met exactly
        energies = polyget_predictor(str(done.model))(molecule)[0]
        assert energies.mean() == pytest.approx(molecule.energies.mean(), abs=0.05)
    held = [m for m in molecules if m.psmiles == "*OCC*"]
    errors = potential_errors(polyget_predictor(str(done.model)), held)
    assert errors["force_mae"] == pytest.approx(card["errors"]["force_mae"], rel=1e-4)


def test_export_anew(finished: tuple[PotentialConfig, dict[str, Any]]) -> None:
    done, card = finished
    before = done.model.read_bytes()
    done.model.unlink()
    assert export(done)["errors"] == card["errors"]
    assert storage.read(done.model)[0].keys()
    assert len(done.model.read_bytes()) == len(before)


def test_fine_tuning_starts_from_a_model(
    data: Path, molecules: list[LabelledMolecule], tmp_path: Path
) -> None:
    tuned = config(data, tmp_path, start="polyget", architecture=None, steps=2, learning_rate=1e-7)
    card = train(tuned)
    assert card["training"]["start"] == "polyget"
    assert card["errors"]["force_mae"] < 1e-3  # the labels are the shipped model's own
    start, end = (potentials.load(name) for name in ("polyget", str(tuned.model)))
    silicon = start.elements.index(14)  # no frames: keeps its energy
    assert end.atomic_energies[silicon] == pytest.approx(float(start.atomic_energies[silicon]), abs=1e-6)


def test_a_loss_that_is_not_a_number_stops(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"loss of step \d+ is nan"):
        train(config(data, tmp_path, learning_rate=1e30, warmup_steps=0))
    assert not (tmp_path / "polyget.safetensors").exists()


def test_an_energy_term_changes_the_way(
    finished: tuple[PotentialConfig, dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    card = train(config(data, tmp_path, energy_weight=1.0))
    assert card["config"]["energy_weight"] == 1.0
    assert card["errors"]["force_mae"] == pytest.approx(finished[1]["errors"]["force_mae"], rel=0.2)
    assert card["errors"]["energy_mae_per_atom"] != finished[1]["errors"]["energy_mae_per_atom"]


def test_two_processes_do_the_work_of_one(
    data: Path, molecules: list[LabelledMolecule], tmp_path: Path
) -> None:
    ethanes = tmp_path / "ethane.h5"  # frames of equal size, so that the mean of means is the mean
    write_frames(ethanes, [m for m in molecules if m.psmiles == "*CC*"], level_of_theory="", sampler="")
    runs = []
    for processes in (1, 2):
        run = config(
            ethanes, tmp_path / str(processes), processes=processes, steps=1, validation_families=None
        )
        train(run)
        moments = state(run)["optimizer_states"][0]["state"]
        gradients = [moments[n].get("left", moments[n]["m"]) for n in sorted(moments)]  # after one step
        runs.append(torch.cat([gradient.flatten() for gradient in gradients]))
    assert (runs[0] - runs[1]).norm() < testing.SHARED_GRADIENT_RTOL * runs[0].norm()


def test_the_way_of_a_gpu_leads_to_the_same_weights(
    finished: tuple[PotentialConfig, dict[str, Any]],
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plain network, differentiated twice, here on the CPU."""

    def to_graph(self: FramesModule, batch: Batch, device: torch.device, dataloader_idx: int) -> Graph:
        return Graph.of(batch, self.cutoff, device)

    monkeypatch.setattr(FramesModule, "transfer_batch_to_device", to_graph)
    card = train(config(data, tmp_path))
    assert card["errors"]["force_mae"] == pytest.approx(finished[1]["errors"]["force_mae"], rel=1e-2)


def test_refuses_before_any_work(
    finished: tuple[PotentialConfig, dict[str, Any]], data: Path, tmp_path: Path
) -> None:
    done = finished[0]
    with pytest.raises(ValueError, match="is there already; go on with --resume"):
        train(done)
    with pytest.raises(ValueError, match="written with batch 4, not 2"):
        train(done.model_copy(update={"batch": 2}), resume=True)
    with pytest.raises(ValueError, match="there is no checkpoint"):
        train(config(data, tmp_path), resume=True)
    with pytest.raises(ValueError, match="batch 64 is more than the 18 training frames"):
        train(config(data, tmp_path, batch=64))
    with pytest.raises(ValueError, match="has no frames"):
        train(config(data, tmp_path, validation_families=["*CCCC*"]))
    with pytest.raises(ValueError, match="unknown potential"):
        train(config(data, tmp_path, start="polygte", architecture=None))
    with pytest.raises(ValueError, match="no file"):
        train(config(tmp_path / "none.h5", tmp_path))
    assert not list(tmp_path.iterdir())
    assert set(PotentialConfig.model_fields) > PotentialConfig.may_change


def test_refuses_unknown_elements(molecules: list[LabelledMolecule], tmp_path: Path) -> None:
    import dataclasses

    iron = dataclasses.replace(molecules[0], numbers=np.full(6, 26))
    write_frames(tmp_path / "iron.h5", [iron], level_of_theory="", sampler="")
    with pytest.raises(ValueError, match="the frames hold the element Fe; PolyGET knows H, C"):
        train(config(tmp_path / "iron.h5", tmp_path, validation_families=None))
