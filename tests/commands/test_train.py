"""`polymd train potential` as a user calls it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ase.build import molecule

from polymd.cli import main
from polymd.datasets.frames import LabelledMolecule, write_frames


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two steps on four rattled water molecules."""
    atoms = molecule("H2O")
    noise = np.random.default_rng(0).normal(scale=0.05, size=(4, 3, 3))
    frames = LabelledMolecule(
        numbers=atoms.numbers.astype(np.int64),
        positions=(atoms.positions + noise).astype(np.float32),
        energies=np.zeros(4),
        forces=(-10 * noise).astype(np.float32),
        temperatures=np.full(4, 300.0),
        id="water",
    )
    write_frames(tmp_path / "water.h5", [frames], level_of_theory="springs", sampler="rattled")
    fields: dict[str, Any] = {
        "data": [str(tmp_path / "water.h5")],
        "out": str(tmp_path / "out"),
        "name": "water",
        "steps": 2,
        "batch": 2,
        "architecture": {"channels": 32, "layers": 2, "heads": 4},
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(fields))
    return path


def test_trains_resumes_and_exports(config: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "potential", str(config), "--json"]) == 0
    card = json.loads(capfd.readouterr().out)
    model = Path(card["path"])
    assert model == config.parent / "out" / "water.safetensors"
    assert card["level_of_theory"] == "springs"
    model.unlink()
    assert main(["train", "potential", str(config), "--export"]) == 0
    assert "water.safetensors: 2 steps, 1 epochs" in capfd.readouterr().out.replace("\n", " ")
    assert model.is_file()
    assert main(["train", "potential", str(config)]) == 2
    assert "go on with --resume" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml"], "cannot read config 'none.yaml'"),
        (["{config}", "--minutes", "-1"], "minutes: Input should be greater than 0, not -1.0"),
        (["{config}", "--resume"], "there is no checkpoint"),
        (["{config}", "--export"], "there is no checkpoint"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    config: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "potential", *(a.format(config=config) for a in arguments)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
