"""The config is checked before any work."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from polymd.simulation import Config
from polymd.simulation.config import explain, read_yaml

pytestmark = pytest.mark.usefixtures("springs")


def test_a_run_needs_a_polymer_and_a_time() -> None:
    config = Config(psmiles="*CC*", time="2ps")
    assert (config.units, config.ensemble, config.timestep, config.n_steps) == (10, "nvt", 1.0, 2000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"psmiles": "not smiles"}, "psmiles: "),
        ({"psmiles": "CC"}, "2 \\*"),
        ({"psmiles": "*CC(*)*"}, "2 \\*"),
        ({"psmiles": []}, "no unit"),
        ({"psmiles": ["*CC*", "*C"]}, "2 \\*"),
        ({"psmiles": ["*CC*", "*CCO*"], "units": 200_000}, "1300000 atoms are too many"),
        ({"method": "magic"}, "method: .*'growth'"),
        ({"solvent": 1.5}, "solvent: .*not 1.5"),
        ({"units": 0}, "units: .*1, not 0"),
        ({"units": 200_000}, "1200000 atoms are too many"),
        ({"units": 2.5}, "units: .*not 2.5"),
        ({"chains": 0}, "chains: "),
        ({"temperature": 0}, "temperature: .*not 0"),
        ({"temperature": float("nan")}, "temperature: "),
        ({"time": "2"}, "time: '2' is not a time"),
        ({"time": "0.1fs"}, "shorter than one step"),
        ({"time": "1000us", "timestep": "0.1fs"}, "too many"),
        ({"report": "3ps"}, "report"),
        ({"density": 0.2}, "several chains"),
        ({"engine": "lammps"}, "engine: .*torchforce.*not 'lammps'"),
        ({"ensemble": "npv"}, "ensemble: .*'nve', 'nvt' or 'npt', not 'npv'"),
        ({"ensemble": "npt"}, "npt.*chains > 1"),
        ({"ensemble": "nve", "thermostat": "bussi"}, "thermostat 'bussi' needs ensemble nvt or npt"),
        ({"thermostat": "berendsen"}, "thermostat: .*'nose-hoover', not 'berendsen'"),
        ({"pressure": "1bar"}, "pressure needs ensemble npt, not 'nvt'"),
        ({"barostat": "mc"}, "barostat needs ensemble npt"),
        ({"anisotropic": True}, "anisotropic needs ensemble npt"),
        ({"ensemble": "npt", "chains": 2, "pressure": 1.0}, "pressure: 1.0 is not a pressure.*1bar"),
        ({"ensemble": "npt", "chains": 2, "barostat": "berendsen"}, "barostat: .*'scr' or 'mc'"),
        ({"inner_potential": "polyget-fast", "thermostat": "bussi"}, "goes with ensemble nve, or nvt by"),
        ({"inner_potential": "polyget-fast", "engine": "torchforce"}, "engine pythonforce or ase"),
        ({"inner_potential": "polyget-fast", "inner_steps": 0}, "inner_steps: .*1, not 0"),
        ({"inner_steps": 3}, "inner_steps 3 needs an inner_potential"),
        ({"hydrogen_mass": 5.0}, "hydrogen_mass: .*4, not 5.0"),
        ({"seed": -1}, "seed: "),
        ({"tme": "2ps"}, "unknown field 'tme'.*did you mean 'time'"),
    ],
)
def test_bad_values_are_one_clear_line(changes: dict[str, Any], words: str) -> None:
    fields: dict[str, Any] = {"psmiles": "*CC*", "time": "2ps"}
    with pytest.raises(ValidationError) as caught:
        Config(**fields | changes)
    line = explain(caught.value)
    assert "\n" not in line
    assert re.search(words, line)


def test_missing_fields_are_named_with_an_example() -> None:
    with pytest.raises(ValidationError) as caught:
        Config()  # type: ignore[call-arg]
    assert explain(caught.value) == (
        "psmiles: missing; for example *CC(*)c1ccccc1; time: missing; for example 2ps"
    )


def test_it_is_frozen() -> None:
    config = Config(psmiles="*CC*", time="2ps")
    with pytest.raises(ValidationError, match="frozen"):
        config.units = 5  # type: ignore[misc]


@pytest.mark.parametrize(("time", "steps"), [("5fs", 5), ("2ps", 10), ("1ns", 2000)])
def test_frames_are_500_at_most_and_10_steps_apart_at_least(time: str, steps: int) -> None:
    assert Config(psmiles="*CC*", time=time).report_steps == steps


def test_an_inner_potential_lengthens_the_step(small: Callable[..., Config]) -> None:
    config = small(inner_potential="polyget-fast", time="90fs").resolved()
    assert (config.timestep, config.inner_steps, config.n_steps) == (3.0, 3, 30)
    config = small(inner_potential="polyget-fast", timestep="2fs", inner_steps=1, time="90fs").resolved()
    assert (config.timestep, config.inner_steps, config.n_steps) == (2.0, 1, 45)


def test_a_resolved_config_survives_yaml(small: Callable[..., Config], tmp_path: Path) -> None:
    config = small(chains=3, temperature=350.5, report=None, timestep="0.5fs").resolved()
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config.model_dump() | {"command": "polymd run"}))
    assert Config(**read_yaml(path)) == config
    assert config.density == 0.1


@pytest.mark.parametrize("text", ["- a\n- b\n", "a: [", "\x00"])
def test_a_file_that_is_no_config_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"config\.yaml"):
        read_yaml(path)
    with pytest.raises(ValueError, match="No such file"):
        read_yaml(tmp_path / "absent.yaml")
