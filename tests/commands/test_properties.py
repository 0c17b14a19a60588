"""`polymd evaluate property` as a user calls it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from polymd.cli import main

FOUND = {
    "property": "Nc",
    "unit": "1",
    "model": "gp",
    "protocol": "5fold",
    "split_seed": 2,
    "rows": 382,
    "rmse": 0.0961,
    "r2": 0.83,
    "coverage_90": 0.91,
    "folds": [{"rows": 76, "rmse": 0.09, "r2": 0.8, "coverage_90": 0.9}] * 5,
}


def test_prints_json_and_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked = []
    monkeypatch.setattr("polymd.datasets.properties.read_rows", lambda *_: None)
    monkeypatch.setattr(
        "polymd.properties.evaluation.evaluate_property",
        lambda *given, **more: asked.append((given, more)) or FOUND,
    )
    assert main(["evaluate", "property", "Nc", "--split-seed", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [FOUND]
    assert asked == [(("Nc", None), {"model": "gp", "protocol": "5fold", "split_seed": 2})]
    assert main(["evaluate", "property", "--model", "gp", "--protocol", "5fold"]) == 0
    assert "0.096" in capsys.readouterr().out
    assert [given[0] for given, _ in asked[1:]] == ["Egc", "Egb", "Eea", "Ei", "Xc", "EPS", "Nc", "Eat"]


def test_says_which_tables_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "property", "colour"]) == 2
    assert "no property table 'colour'; allowed: Egc" in capsys.readouterr().err


def test_says_which_models_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("polymd.datasets.properties.read_rows", lambda *_: None)
    assert main(["evaluate", "property", "Nc", "--model", "trees,forest"]) == 2
    assert "no model 'forest'; allowed: auto, gp, trees, mips" in capsys.readouterr().err


def test_says_where_tables_come_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POLYMD_PROPERTIES", raising=False)
    assert main(["evaluate", "property"]) == 2
    assert "set POLYMD_PROPERTIES to the folder" in capsys.readouterr().err


def test_members_are_trained_for_all_names_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked = []
    monkeypatch.setattr("polymd.datasets.properties.read_rows", lambda *_: None)
    monkeypatch.setattr("polymd.properties.mips.training.shipped_start", lambda: None)
    monkeypatch.setattr(
        "polymd.properties.evaluation.evaluate_members",
        lambda names, members, folder, **more: (
            asked.append((names, members, more["split_seed"])) or ([FOUND], pd.DataFrame({"gp": [1.0]}))
        ),
    )
    given = ["evaluate", "property", "Nc", "EPS", "--model", "auto", "--epochs", "3", "--checkpoints", "here"]
    said = tmp_path / "said.csv"
    assert main([*given, "--split-seed", "1", "--json", "--predictions", str(said)]) == 0
    assert json.loads(capsys.readouterr().out) == [FOUND]
    ((names, members, split),) = asked
    assert (names, split, list(members)) == (["Nc", "EPS"], 1, ["trees", "mips", "two-channel"])
    assert members["two-channel"].args[0].as_dict()["modalities"] == "graph"
    settings = members["mips"].keywords["settings"]
    assert (settings.finetuning.epochs, settings.folder) == (3, Path("here/mips"))
    assert said.read_text(encoding="utf-8").split() == ["gp", "1.0"]
