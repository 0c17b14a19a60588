"""`polymd evaluate potential` as a user calls it."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from polymd.cli import main


@pytest.fixture
def frames(tmp_path: Path) -> Path:
    """Ethanol with forces of zero, as extended XYZ."""
    images: list[Atoms] = []
    for seed in range(3):
        atoms = molecule("CH3CH2OH")
        atoms.rattle(0.03, seed=seed)
        atoms.info |= {"psmiles": "*CCO*", "kind": "linear", "temperature": 300.0}
        atoms.calc = SinglePointCalculator(atoms, energy=-1.0, forces=np.zeros((9, 3)))
        images.append(atoms)
    write(tmp_path / "frames.extxyz", images)
    return tmp_path / "frames.extxyz"


def test_prints_json(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "potential", str(frames), "--model", "polyget", "--json"]) == 0
    errors = json.loads(capsys.readouterr().out)
    assert errors["frames"] == 3
    assert errors["force_mae"] > 0
    assert errors["cosine_distance"] is None  # no force to compare directions with
    assert set(errors["by_element"]) == {"H", "C", "O"}
    assert set(errors["by_family"]) == {"*CCO*"}
    assert set(errors["by_kind"]) == {"linear"}


def test_prints_a_table(frames: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "potential", str(frames)]) == 0
    out = capsys.readouterr().out
    assert "force MAE" in out
    assert "*CCO*" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.h5"], "no file 'none.h5'"),
        (["frames.csv"], "ends in '.csv'"),
        (["{frames}", "--model", "polygte"], 'did you mean "polyget"?'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    frames: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "potential", *(a.format(frames=frames) for a in arguments)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
