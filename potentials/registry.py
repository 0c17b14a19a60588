"""Which models there are: those shipped with the package, the user's own, and any file by its path.

User models are `*.safetensors` files in the folder named by the environment variable POLYMD_MODELS, by
default `~/.polymd/models`; a file name without its ending is the model's name. Names that end in
`-committee-1`, `-committee-2`, ... are members of a committee (`committee.py`): found, but not listed.
"""

import difflib
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polymd.potentials.polyget.storage import read

if TYPE_CHECKING:
    from polymd.potentials.polyget.engine import Engine
    from polymd.potentials.polyget.model import PolyGET

MEMBER = re.compile(r".+-committee-\d+")
SHIPPED = Path(__file__).parent / "polyget" / "weights"


def _folders() -> list[Path]:
    return [SHIPPED, Path(os.environ.get("POLYMD_MODELS", Path.home() / ".polymd" / "models"))]


def available() -> list[str]:
    """Names of the shipped and the user's models, without the members of committees."""
    names = {path.stem for folder in _folders() for path in folder.glob("*.safetensors")}
    return sorted(name for name in names if not MEMBER.fullmatch(name))


def find(model: str) -> Path:
    """File of a model, by name or by path. Raises ValueError for a model that is not there."""
    if model.endswith(".safetensors"):
        if Path(model).is_file():
            return Path(model)
        raise ValueError(f"no model file {model!r}; give an existing .safetensors file or one of: {_names()}")
    for folder in _folders():
        path = folder / f"{model}.safetensors"
        if path.is_file():
            return path
    close = difflib.get_close_matches(model, available(), n=1)
    hint = f'; did you mean "{close[0]}"?' if close else ""
    raise ValueError(f'unknown potential "{model}"; known: {_names()}{hint}')


def _names() -> str:
    return ", ".join(available())


def card(model: str) -> dict[str, Any]:
    """Provenance of a model: data, level of theory, errors, date."""
    return read(find(model))[2]


@lru_cache(maxsize=8)
def _read(path: Path, changed: float) -> Any:
    return read(path)


def _weights(model: str) -> Any:
    path = find(model)
    return _read(path, path.stat().st_mtime)


def load(name: str) -> "PolyGET":
    """The torch module of a model, float32, in evaluation mode, parameters frozen; see
    `polyget.model.PolyGET`.
    """
    import torch

    from polymd.potentials.polyget.model import Architecture, PolyGET

    weights, architecture, _ = _weights(name)
    module = PolyGET(Architecture(**{**architecture, "elements": tuple(architecture["elements"])}))
    module.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
    return module.eval().requires_grad_(False)


def load_engine(name: str) -> "Engine":
    """The torch-free engine of a model; see `polyget.engine.Engine`."""
    from polymd.potentials.polyget.engine import Engine

    weights, architecture, _ = _weights(name)
    return Engine(weights, architecture)


def elements(model: str) -> list[int]:
    """Atomic numbers that a model knows."""
    return [int(z) for z in _weights(model)[1]["elements"]]


def check_elements(numbers: Iterable[int], model: str) -> None:
    """Raises ValueError naming the elements that a model does not know, and those it does."""
    from ase.data import chemical_symbols

    known = elements(model)
    unknown = sorted({int(z) for z in numbers} - set(known))
    if unknown:
        names = ", ".join(chemical_symbols[z] for z in unknown)
        allowed = ", ".join(chemical_symbols[z] for z in known)
        raise ValueError(f'potential "{model}" does not know the element {names}; it knows {allowed}')
