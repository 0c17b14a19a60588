"""`polymd train property`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def train_property(
    data: Annotated[
        list[str],
        typer.Argument(help="Shipped targets such as Egc, or CSV files with columns psmiles,value."),
    ],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors; polymd predict --model reads it.")],
    model: Annotated[str, typer.Option(help="gp: Gaussian process on fingerprints.")] = "gp",
    folder: Annotated[
        Path | None, typer.Option(help="Of shipped targets' tables; by default that of POLYMD_PROPERTIES.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Of the values of a CSV file.")] = "",
    seed: Annotated[int, typer.Option(help="Of the folds of a CSV file.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Train a property model; its intervals are calibrated on five folds."""
    from polymd.properties.process_training import train_processes
    from polymd.properties.training_tables import read_tables

    if model != "gp":
        raise ValueError(f"no model {model!r} to train; allowed: gp; fix: take one of them")
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise ValueError(f"bad --out {str(out)!r}; allowed: NAME.safetensors in a folder that exists")
    tables = read_tables(data, folder, unit=unit, seed=seed)
    trained = train_processes(tables, lambda name: typer.echo(f"{name} ...", err=True))
    trained.save(out)
    cards = trained.cards()
    if as_json:
        typer.echo(json.dumps({"path": str(out), "properties": cards}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("", "unit", "polymers", "RMSE", "R²", "in 90 %", title="five folds", title_justify="left")
    for name, card in cards.items():
        errors = card["errors"]
        table.add_row(
            name,
            card["unit"],
            str(card["polymers"]),
            f"{errors['rmse']:.4g}",
            f"{errors['r2']:.3f}",
            f"{errors['coverage_90']:.0%}",
        )
    Console().print(table)
