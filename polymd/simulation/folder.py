"""The run folder: made, described, opened again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError

from polymd.diagnostics import machine, versions
from polymd.simulation.config import PROVENANCE, Config, explain
from polymd.simulation.run import Run
from polymd.simulation.system import MolecularSystem


def create_folder(config: Config) -> None:
    """Make the run folder with run.yaml.

    Raises
    ------
    ValueError
        When the folder already holds a run, or cannot be made.
    """
    folder = config.out
    if (folder / "run.yaml").exists():
        raise ValueError(
            f"{str(folder)!r} already holds a run; continue it with 'polymd run --resume --out {folder}' "
            "or choose another --out"
        )
    try:
        (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"cannot make the run folder {str(folder)!r}: {error.strerror}") from error
    write_settings(config)


def write_settings(config: Config) -> None:
    """Write run.yaml: the resolved config, then command, versions and machine."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    provenance = dict(zip(PROVENANCE, (command, versions(), machine()), strict=True))
    settings: dict[str, Any] = config.model_dump() | provenance
    text = yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)
    temporary = config.out / ".run.yaml.tmp"
    temporary.write_text(text)
    temporary.replace(config.out / "run.yaml")


def read_settings(path: Path) -> Config:
    """The config of a run folder, wherever the folder lies now.

    Raises
    ------
    ValueError
        When there is no run in the folder or its run.yaml was broken by hand.
    """
    fields = {key: value for key, value in Run(path).settings.items() if key not in PROVENANCE}
    try:
        return Config(**fields | {"out": path})
    except ValidationError as error:
        raise ValueError(f"{path / 'run.yaml'}: {explain(error)}") from error


def write_topology(system: MolecularSystem, positions: NDArray[np.float64], path: Path) -> None:
    """Write topology.pdb with bonds, one residue a unit, at positions (N, 3) Å."""
    from openmm import unit
    from openmm.app import PDBFile

    with path.open("w") as file:
        PDBFile.writeFile(system.topology, positions * unit.angstrom, file, keepIds=True)
