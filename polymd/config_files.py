"""Config files of users: YAML with one mapping of fields."""

from pathlib import Path
from typing import Any


def read_mapping(path: Path, example: str) -> dict[str, Any]:
    """Fields of a YAML file. ValueError, with an `example` of a field, for one that is none or not there."""
    import yaml

    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"cannot read config {str(path)!r}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"config {str(path)!r} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(fields, dict):
        raise ValueError(f"config {str(path)!r} must be a mapping of fields such as {example!r}")
    return fields
