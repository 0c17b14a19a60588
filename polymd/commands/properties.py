"""`polymd evaluate property`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def evaluate_properties(
    names: Annotated[
        list[str] | None, typer.Argument(help="Such as Egc Nc Tg; by default the eight of the benchmark.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Of the tables; by default that of POLYMD_PROPERTIES.")
    ] = None,
    model: Annotated[str, typer.Option(help="gp: Gaussian process on fingerprints.")] = "gp",
    protocol: Annotated[str, typer.Option(help="5fold: the stored folds, nested.")] = "5fold",
    split_seed: Annotated[int, typer.Option(help="Stored split: 0, 1 or 2.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Train and test a property model on stored folds."""
    from polymd.datasets.properties import BENCHMARK, find_table, read_rows
    from polymd.properties.evaluation import evaluate_property

    chosen = names or list(BENCHMARK)
    for name in chosen:  # say what is missing before the first hour of work
        read_rows(find_table(name), folder)
    results = []
    for name in chosen:
        typer.echo(f"{name} ...", err=True)
        results.append(evaluate_property(name, folder, model=model, protocol=protocol, split_seed=split_seed))
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    else:
        print_results(results)


def print_results(results: list[dict[str, Any]]) -> None:
    """A table of what `evaluate_property` found."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "unit", "rows", "RMSE", "R²", "in 90 %", "RMSE by fold")
    for r in results:
        folds = " ".join(f"{fold['rmse']:.3f}" for fold in r["folds"])
        table.add_row(
            r["property"],
            r["unit"],
            str(r["rows"]),
            f"{r['rmse']:.3f}",
            f"{r['r2']:.3f}",
            f"{r['coverage_90']:.0%}",
            folds,
        )
    Console().print(table)
