"""Trained models as safetensors: the arrays, and their architecture and provenance as JSON in the file's
header.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = "polyget-1"


def save(
    path: str | Path, weights: dict[str, NDArray[Any]], architecture: dict[str, Any], card: dict[str, Any]
) -> None:
    """Write a model; `card` says where it comes from (data, level of theory, errors, date)."""
    from safetensors.numpy import save_file

    header = {"format": FORMAT, "architecture": json.dumps(architecture), "card": json.dumps(card)}
    save_file({k: np.ascontiguousarray(v) for k, v in weights.items()}, str(path), metadata=header)


def read(path: str | Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any], dict[str, Any]]:
    """Arrays, architecture and card of a model file. Raises ValueError if it is not one of `save`."""
    from safetensors import safe_open

    with safe_open(str(path), framework="numpy") as file:
        header = file.metadata() or {}
        if header.get("format") != FORMAT:
            raise ValueError(f"{path} has format {header.get('format')!r}; a PolyGET model has {FORMAT!r}")
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    return weights, json.loads(header["architecture"]), json.loads(header["card"])


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
