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


def print_uncertainty(results: dict[str, Any]) -> None:
    """Tables of what `uncertainty_errors` found."""
    levels = list(results["coverage"])
    table = Table(
        "uncertainty",
        "atoms",
        "rms error\neV/Å",
        "rms std\neV/Å",
        "rank corr.\natoms",
        "rank corr.\nframes",
        *(f"inside\n{level}" for level in levels),
        "calibration\nerror",
    )
    for name, values in {"all": results, **results["by_temperature"]}.items():
        table.add_row(
            name,
            str(values["atoms"]),
            f"{values['rms_error']:.4f}",
            f"{values['rms_forces_std']:.4f}",
            *(
                "" if values[k] is None else f"{values[k]:.2f}"
                for k in ("rank_correlation", "frame_rank_correlation")
            ),
            *(f"{values['coverage'][level]:.0%}" for level in levels),
            f"{values['calibration_error']:.0%}",
        )
    curve = Table("predicted, eV/Å", "actual, eV/Å", "atoms", title="calibration curve", title_justify="left")
    for point in results["curve"]:
        curve.add_row(f"{point['forces_std']:.4f}", f"{point['rms_error']:.4f}", str(point["atoms"]))
    console = Console()
    console.print(table)
    console.print(curve)
