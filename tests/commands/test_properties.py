"""`polymd evaluate property` as a user calls it."""

import json

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


def test_says_where_tables_come_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("POLYMD_PROPERTIES", raising=False)
    assert main(["evaluate", "property"]) == 2
    assert "set POLYMD_PROPERTIES to the folder" in capsys.readouterr().err


def test_networks_are_trained_for_all_names_together(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []
    monkeypatch.setattr("polymd.datasets.properties.read_rows", lambda *_: None)
    monkeypatch.setattr("polymd.properties.network_training.shipped_start", lambda: None)
    monkeypatch.setattr(
        "polymd.properties.evaluation.evaluate_networks",
        lambda names, settings, folder, **more: (
            asked.append((names, settings, more["split_seed"])) or [FOUND]
        ),
    )
    given = ["evaluate", "property", "Nc", "EPS", "--model", "auto", "--epochs", "3", "--checkpoints", "here"]
    assert main([*given, "--split-seed", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [FOUND]
    ((names, settings, split),) = asked
    assert (names, split, settings.finetuning.epochs, str(settings.folder)) == (["Nc", "EPS"], 1, 3, "here")
