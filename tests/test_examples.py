"""The examples run, shorter than they stand."""

import importlib.util
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polymd.testing import STATISTICAL_SIGMAS

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The `main` of an example, to be called in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def load(name: str) -> Any:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module.main

    return load


def test_every_example_is_tested() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f'example("{path.stem}")' in source, path


def test_optimise_with_ase(example: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    atoms = example("optimise_with_ase")(units=3, steps=10)
    assert Path("optimised.xyz").is_file()
    change = float(capsys.readouterr().out.splitlines()[-1].split(":")[1].split()[0])
    assert change < 0.0
    assert np.isfinite(atoms.get_forces()).all()


def test_openmm_torchforce(example: Callable[[str], Any]) -> None:
    from polymd.diagnostics import torchforce_available

    works, reason = torchforce_available()
    if not works:
        pytest.skip(reason)
    simulation = example("openmm_torchforce")(units=2, steps=20)
    assert simulation.currentStep == 20
    assert Path("polystyrene.pdb").read_text().count("MODEL ") == 10


def test_mixed_system_openmmml(example: Callable[[str], Any]) -> None:
    gaps = example("mixed_system_openmmml")(units=3, steps=20)
    assert len(gaps) == 10
    assert np.ptp(gaps) < 200.0


def test_multiple_time_steps(example: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    temperature = example("multiple_time_steps")(units=2, steps=500, inner="polyget")
    assert capsys.readouterr().out.startswith("1.5 ps, ")
    assert temperature.value == pytest.approx(300.0, abs=60.0)


def test_replica_exchange(example: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    results = example("replica_exchange")(units=2, replicas=4, steps=500)
    assert capsys.readouterr().out.startswith("acceptance: 0.")
    for radius, temperature in results.values():
        assert radius.value == pytest.approx(2.0, abs=0.5)
        assert abs(temperature.value - 300.0) < STATISTICAL_SIGMAS * temperature.error


def test_analyse_with_mdtraj(example: Callable[[str], Any]) -> None:
    results = example("analyse_with_mdtraj")(units=3, time="40fs")
    assert results["Rg"].value == pytest.approx(3.0, abs=1.5)
    assert results["Ree"].value > results["Rg"].value
    assert all(math.isfinite(estimate.error) for estimate in results.values())


@pytest.mark.parametrize("ensemble", ["nvt", "npt"])
def test_dynamics_with_ase(ensemble: str, example: Callable[[str], Any]) -> None:
    temperature = example("dynamics_with_ase")(ensemble, n_units=1, n_chains=6, steps=2500)
    assert abs(temperature.value - 300.0) < STATISTICAL_SIGMAS * temperature.error


@pytest.mark.parametrize("ensemble", ["nvt", "npt"])
def test_dynamics_with_openmm(ensemble: str, example: Callable[[str], Any]) -> None:
    temperature = example("dynamics_with_openmm")(ensemble, n_units=1, n_chains=6, steps=2500)
    assert abs(temperature.value - 300.0) < STATISTICAL_SIGMAS * temperature.error


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    readme = (EXAMPLES.parent / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    shorter = code.replace('"2ps"', '"40fs"').replace(", 10,", ", 2,").replace("units=10", "units=2")
    assert shorter != code
    exec(shorter, {})
    energy, distance = capsys.readouterr().out.splitlines()
    assert energy.endswith(" eV")
    assert distance.endswith(" Å")
    assert Path("runs/run-001/report.html").is_file()
