"""What a config may hold, and the one line said about anything else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from polymd.training.potential_config import PotentialConfig, read_config

GOOD = {"data": ["frames.h5"], "out": "out", "minutes": 30, "batch": 4}
EXAMPLE = Path(__file__).parents[2] / "examples" / "train_potential.yaml"


def written(folder: Path, fields: Any) -> Path:
    path = folder / "config.yaml"
    path.write_text(fields if isinstance(fields, str) else yaml.safe_dump(fields))
    return path


def test_reads_yaml_with_overrides(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, GOOD), minutes=2.0)
    assert config.data == [Path("frames.h5")]
    assert (config.minutes, config.steps) == (2.0, None)
    assert config.model == Path("out/polyget.safetensors")
    assert read_config(written(tmp_path, GOOD | {"steps": 5, "minutes": None}), minutes=1.0).steps is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"steps": 3}, "one of minutes and steps"),
        ({"minutes": None}, "one of minutes and steps"),
        ({"minutes": -1}, "minutes: .*greater than 0, not -1"),
        ({"data": []}, "data: "),
        ({"batch": 5, "processes": 2}, "batch 5 cannot be shared out over 2 processes"),
        ({"bacth": 3}, "unknown field 'bacth'.*did you mean 'batch'"),
        ({"architecture": {"channels": 30}}, "8 heads do not divide 30 channels"),
        ({"start": "polyget", "architecture": {}}, "drop one of the two"),
        ({"out": None}, "out: .*not None"),
        ({"name": "a/b"}, "name: "),
        ({"batch": 6, "processes": 2, "energy_weight": 1.0}, "two by two, but each process gets 3"),
    ],
)
def test_says_what_is_wrong(tmp_path: Path, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_config(written(tmp_path, GOOD | fields))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "just words"])
def test_must_be_a_mapping(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"YAML|mapping"):
        read_config(written(tmp_path, text))


def test_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read config"):
        read_config(tmp_path / "none.yaml")


def test_fields_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data: Field required"):
        read_config(written(tmp_path, {"out": "x", "minutes": 1}))


def test_the_example_is_valid() -> None:
    config = read_config(EXAMPLE)
    assert isinstance(config, PotentialConfig)
    assert len(config.validation_families) == len(set(config.validation_families)) > 100
