"""`polymd predict`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd


def predict(
    psmiles: Annotated[
        list[str],
        typer.Argument(
            help="Repeat units such as '*CC(*)C', CSV files with a column psmiles, or one folder of a run."
        ),
    ],
    properties: Annotated[
        str, typer.Option("--properties", help="all, or names with commas between: Egc,Nc,density.")
    ] = "all",
    model: Annotated[
        str, typer.Option(help="auto, gp, trees, mips, mmpolymer, two-channel, or a file of train property.")
    ] = "auto",
    out: Annotated[Path | None, typer.Option(help="CSV file to write instead of printing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Predict properties of polymers, or along a run's trajectory: value, uncertainty, domain or spread."""
    from polymd.properties import predict as call

    asked = "all" if properties == "all" else [name.strip() for name in properties.split(",")]
    if len(psmiles) == 1 and Path(psmiles[0]).is_dir():
        from polymd.simulation.run import Run

        frames = Run(psmiles[0]).trajectory[1:]  # without the minimised start
        _show_series(call(frames, asked, model=model), out, as_json)
        return
    polymers = [polymer for given in psmiles for polymer in _polymers(given)]
    found = call(polymers, asked, model=model)
    if out is not None:
        found.to_csv(out, index=False)
        typer.echo(f"{out}: {len(polymers)} polymers, {found['property'].nunique()} properties", err=True)
    if as_json:
        typer.echo(json.dumps(found.to_dict("records"), indent=2))
    elif out is None:
        _print(found)


def _show_series(found: pd.DataFrame, out: Path | None, as_json: bool) -> None:
    """Statistics of a trajectory as a table or JSON; its series, a column a property, as CSV."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

    series = dict(zip(found["property"], found["series"], strict=True))
    if out is not None:
        pd.DataFrame(series).to_csv(out, index=False)
    if as_json:
        rows = found.assign(series=[values.tolist() for values in found["series"]])
        typer.echo(rows.to_json(orient="records", indent=2, force_ascii=False))
        return
    table = Table("property", "mean of frames", "spread", "one conformer", "uncertainty", "unit", "model")
    for row in found.itertuples():
        table.add_row(
            str(row.property).replace("_", " "),
            f"{row.value:.4g} ± {row.error:.2g}",
            f"{row.spread:.2g}",
            f"{row.single_conformer:.4g}",
            f"{row.uncertainty:.2g}",
            str(row.unit),
            str(row.model),
        )
    Console().print(table)


def _polymers(given: str) -> list[str]:
    """A P-SMILES, or those of a file."""
    if not given.endswith(".csv"):
        return [given]
    import csv  # pandas takes longer to import than many polymers to read

    path = Path(given)
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a CSV file with a column psmiles, or P-SMILES")
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        if "psmiles" not in (table.fieldnames or ()):
            raise ValueError(f"{path} has no column 'psmiles'; it has {table.fieldnames}; rename one")
        return [row["psmiles"] or "" for row in table]


def _print(found: pd.DataFrame) -> None:
    """A table for every polymer."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    size = found["property"].nunique()
    for start in range(0, len(found), size):
        rows = found.iloc[start : start + size]
        table = Table("property", "value", "uncertainty", "90 %", "unit", "model", "in domain")
        for row in rows.itertuples():
            table.add_row(
                str(row.property).replace("_", " "),
                f"{row.value:.4g}",
                f"{row.uncertainty:.2g}",
                f"{row.lower:.4g} to {row.upper:.4g}",
                str(row.unit),
                str(row.model),
                "yes" if row.in_domain else Text("no", "red"),
            )
        console.print(Text(str(rows["psmiles"].iloc[0]), "bold"))
        console.print(table)
