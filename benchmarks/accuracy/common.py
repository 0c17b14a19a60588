"""What the comparisons share: folders, the rule of what may be touched, results with their provenance."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
RESULTS = FOLDER / "results"
MODELS = os.environ.get("POLYMD_AIMNET2")  #: folder with AIMNet2's .jpt files; None for an installed Auto3D
PACKAGES = ("polymd", "torch", "numba", "ase", "rdkit", "openmm", "pyscf", "pyscf-dispersion", "tblite")
RING_NEVER = 6


def frame(numbers: Any, positions: Any, **info: Any) -> Any:
    """ASE atoms with keys of the comment line."""
    from ase import Atoms

    atoms = Atoms(numbers=numbers, positions=positions)
    atoms.info.update(info)
    return atoms


def check_allowed(polymers: Iterable[str]) -> None:
    """Raise ValueError for a polymer of the list in $POLYMD_HELD_OUT, which is kept for acceptance."""
    from polymd.datasets.sampling.exclusion import read_exclusion

    if "POLYMD_HELD_OUT" not in os.environ:
        return
    exclusion = read_exclusion(os.environ["POLYMD_HELD_OUT"])
    for psmiles in polymers:
        if psmiles in exclusion:
            raise ValueError(f"{psmiles} is held out; take another polymer")


def processor() -> str:
    """Name of the processor and number of cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def versions() -> dict[str, str]:
    """Of Python and the packages that are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_result(name: str, content: dict[str, Any], *, level_of_theory: str) -> None:
    """results/<name>.json, with date, machine and versions."""
    RESULTS.mkdir(exist_ok=True)
    provenance = {
        "date": date.today().isoformat(),
        "machine": processor(),
        "versions": versions(),
        "level_of_theory": level_of_theory,
    }
    text = json.dumps(
        provenance | content,
        indent=1,
        allow_nan=False,
        ensure_ascii=False,
        default=lambda number: number.item(),
    )
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read_result(name: str) -> dict[str, Any] | None:
    """What results/<name>.json holds, or None."""
    path = RESULTS / f"{name}.json"
    content: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    return content
