"""What `polymd evaluate potential --committee` and `polymd train committee` show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from polymd.datasets.frames import LabelledMolecule


def watch(molecules: Sequence[LabelledMolecule]) -> Iterable[LabelledMolecule]:
    """The molecules, with a progress bar on stderr where it is a terminal."""
    console = Console(stderr=True)
    return track(molecules, "evaluating", console=console, transient=True, disable=not console.is_terminal)


COLUMNS = {
    "rms_error": ("rms error\neV/Å", ".4f"),
    "rms_forces_std": ("rms std\neV/Å", ".4f"),
    "rank_correlation": ("rank corr.\natoms", ".2f"),
    "frame_rank_correlation": ("rank corr.\nframes", ".2f"),
    "calibration_error": ("calibr.\nerror", ".0%"),
}


def print_uncertainty(results: dict[str, Any]) -> None:
    """Tables of what `uncertainty_errors` found."""
    figures = Table("uncertainty", *(title for title, _ in COLUMNS.values()))
    covered = Table("inside the region of", *results["coverage"])
    for name, values in {"all": results, **results["by_temperature"]}.items():
        cells = ((values[key], form) for key, (_, form) in COLUMNS.items())
        figures.add_row(name, *("" if value is None else format(value, form) for value, form in cells))
        covered.add_row(name, *(f"{part:.0%}" for part in values["coverage"].values()))
    curve = Table("predicted, eV/Å", "actual, eV/Å", "atoms", title="calibration curve", title_justify="left")
    for point in results["curve"]:
        curve.add_row(f"{point['forces_std']:.4f}", f"{point['rms_error']:.4f}", str(point["atoms"]))
    console = Console()
    for table in (figures, covered, curve):
        console.print(table)
