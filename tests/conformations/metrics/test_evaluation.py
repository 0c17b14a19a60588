from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from polymd import cli
from polymd.conformations import ConformationError
from polymd.conformations.etkdg import embed
from polymd.conformations.metrics import evaluation
from polymd.conformations.metrics.evaluation import METRICS, evaluate_chains, floor, summarise
from polymd.conformations.metrics.superposition import matching, rmsd_matrix
from polymd.datasets.polybench.ambertools import FOLDER_VARIABLE
from polymd.datasets.polybench.storage import ReferenceChain, write_chains
from polymd.polymer import Polymer


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReferenceChain:
    """Three starts of two frames; GAFF2 cannot be had."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    polymer = Polymer("*CCO*", 4)
    x = embed(polymer.to_rdkit(), 3, 0)
    noise = np.random.default_rng(0).normal(size=(6, polymer.n_atoms, 3)) * 0.02
    frames = (np.repeat(x, 2, axis=0) + noise).astype(np.float32)
    start = np.repeat(np.arange(3, dtype=np.int16), 2)
    return ReferenceChain("*CCO*", 4, "atactic", 0, "test", "reference", "bcc", frames, np.zeros(6), start)


def test_the_floor_is_dynamics_of_other_starts(chain: ReferenceChain) -> None:
    values = floor(chain, 4)
    heavy = chain.polymer().atomic_numbers > 1
    x = chain.positions[:, heavy]
    recall, precision = [], []
    for start in range(3):
        own, others = x[chain.start == start], x[chain.start != start]
        recall.append(matching(rmsd_matrix(others, own[-1:]))[0])
        precision.append(matching(rmsd_matrix(own, others[1::2]))[1])
    assert values["s_mat_r"] == pytest.approx(np.mean(recall))
    assert values["s_mat_p"] == pytest.approx(np.mean(precision))
    assert values["clash_free"] == 1.0
    with pytest.raises(ValueError, match="one start"):
        floor(
            ReferenceChain(*[*vars(chain).values()][:7], chain.positions[:2], np.zeros(2), chain.start[:2]), 2
        )


def test_the_reference_itself_is_perfect(chain: ReferenceChain, monkeypatch: pytest.MonkeyPatch) -> None:
    last = chain.positions[1::2]
    monkeypatch.setattr(evaluation, "generate", lambda *_, **__: last)
    rows = evaluate_chains([chain], ["growth"], n=3)
    (row,) = rows["growth"]
    assert row["s_mat_r"] == pytest.approx(0.0, abs=1e-4)
    assert row["s_mat_p"] == pytest.approx(0.0, abs=1e-4)
    assert row["e_mat_r_absolute"] == 0.0
    assert row["e_mat_r"] <= 0.0
    assert np.isnan(row["energy_above_nvt"])
    assert summarise(rows["growth"])["s_mat_r_median"] == pytest.approx(row["s_mat_r"])
    assert "energy_above_nvt" not in summarise(rows["growth"])


def test_failures_are_counted(chain: ReferenceChain, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConformationError("no chain")

    monkeypatch.setattr(evaluation, "generate", fail)
    rows = evaluate_chains([chain], ["growth"], n=3)
    assert rows["growth"][0]["failure"] == "no chain"
    assert summarise(rows["growth"]) == {"chains": 1, "failures": 1}


def test_the_command_prints_tables_and_json(
    chain: ReferenceChain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.h5"
    write_chains(path, [chain])
    assert cli.main(["evaluate", "conformations", str(path), "--method", "etkdg", "--n", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["methods"]) == {"md", "etkdg"}
    assert found["methods"]["etkdg"]["chains"] == 1
    assert found["polymers"]["etkdg"][0]["energy_above_nvt"] is None
    assert set(found["metrics"]) == set(METRICS)
    assert cli.main(["evaluate", "conformations", str(path), "--split", "train"]) == 2
    assert "no reference chains" in capsys.readouterr().err
    assert cli.main(["evaluate", "conformations", str(path), "--n", "0"]) == 2
    capsys.readouterr()
    assert cli.main(["evaluate", "conformations", str(path), "--method", "magic"]) == 2
    assert "'magic'" in capsys.readouterr().err


def test_the_oracle_gets_other_chains_of_the_polymer(
    chain: ReferenceChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, stranger = replace(chain, kind="library", seed=1), replace(chain, psmiles="*CC*")
    seen: list[Sequence[ReferenceChain]] = []

    def generate(*_: object, library: Sequence[ReferenceChain], **__: object) -> np.ndarray:
        seen.append(library)
        return chain.positions[:2]

    monkeypatch.setattr(evaluation, "generate", generate)
    rows = evaluate_chains([chain], ["oracle"], libraries=[chain, other, stranger], n=4)
    assert seen == [[other]]
    assert rows["oracle"][0]["made"] == 0.5
