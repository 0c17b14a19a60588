"""`polymd predict` and `polymd train property` as a user calls them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polymd.cli import main

UNITS = ["*CC*", "*CCO*", "*CC(*)C", "*CC(*)c1ccccc1", "*CC(*)O", "*CCCO*", "*CCCCO*", "*CC(*)CC"]


def test_prints_a_table_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "*CC(*)c1ccccc1", "--properties", "Tg, density"]) == 0
    shown = capsys.readouterr().out
    assert "Tg" in shown
    assert "g/cm³" in shown
    assert main(["predict", "*CC(*)c1ccccc1", "*CCO*", "--properties", "Tg", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["psmiles"] for row in rows] == ["*CC(*)c1ccccc1", "*CCO*"]
    assert rows[0].keys() == {
        *("psmiles", "property", "value", "uncertainty", "lower", "upper", "unit", "model", "in_domain")
    }
    assert rows[0]["in_domain"] is True


def test_reads_and_writes_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"psmiles": UNITS}).to_csv(tmp_path / "in.csv", index=False)
    out = tmp_path / "out.csv"
    assert main(["predict", str(tmp_path / "in.csv"), "--properties", "Nc", "--out", str(out)]) == 0
    assert "8 polymers, 1 properties" in capsys.readouterr().err
    assert list(pd.read_csv(out)["psmiles"]) == UNITS


def test_trains_and_uses_a_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    polymers = [unit.replace("*C", f"*{'C' * n}", 1) for n in (1, 2, 3) for unit in UNITS]
    rng = np.random.default_rng(0)
    values = [unit.count("O") + 0.01 * rng.normal() for unit in polymers]
    pd.DataFrame({"psmiles": polymers, "value": values}).to_csv(tmp_path / "oxygen.csv", index=False)
    model = tmp_path / "oxygen.safetensors"
    asked = ["train", "property", str(tmp_path / "oxygen.csv"), "--out", str(model), "--unit", "1", "--json"]
    assert main([*asked, "--model", "trees"]) == 0
    card = json.loads(capsys.readouterr().out)["properties"]["oxygen"]
    assert card["blend"]["errors"].keys() == {"blend", "trees"}
    assert (card["polymers"], card["unit"]) == (24, "1")
    assert card["errors"]["rmse"] < 0.3
    assert main(["predict", "*CCCO*", "--model", str(model), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["value"] == pytest.approx(1.0, abs=0.1)


def test_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "CCO"]) == 2
    assert "bad P-SMILES 'CCO'" in capsys.readouterr().err
    assert main(["predict", "nowhere.csv"]) == 2
    assert "there is no file nowhere.csv" in capsys.readouterr().err
    assert main(["train", "property", "Nc", "--out", "weights.pt"]) == 2
    assert "allowed: NAME.safetensors" in capsys.readouterr().err
    assert (
        main(["train", "property", "x.csv", "--out", str(tmp_path / "m.safetensors"), "--model", "rf"]) == 2
    )
    assert "no model 'rf'; allowed: auto, gp, trees, mips" in capsys.readouterr().err
