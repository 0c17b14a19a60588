"""`polymd evaluate conformations`"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

COLUMNS = {
    "s_mat_r": ("S-MAT-R\nÅ", ".2f"),
    "s_mat_p": ("S-MAT-P\nÅ", ".2f"),
    "e_mat_r_absolute": ("|E-MAT-R|\nHa/atom", ".5f"),
    "clash_free": ("no\nclash", ".0%"),
    "torsion_divergence": ("torsions\nJS bits", ".3f"),
    "neighbor_torsion_divergence": ("pairs\nJS bits", ".3f"),
    "rg_distance": ("W(Rg)\nÅ", ".2f"),
    "ree_distance": ("W(Ree)\nÅ", ".2f"),
    "characteristic_ratio": ("C_n", ".2f"),
    "energy_above_nvt": ("over NVT\nkcal/mol/atom", ".2f"),
    "starts_nvt": ("starts\nNVT", ".0%"),
    "seconds": ("s a\nchain", ".3f"),
}


def evaluate_conformations(
    data: Annotated[Path, typer.Argument(help="Reference chains, .h5: python -m polymd.datasets.polybench.")],
    method: Annotated[
        list[str] | None, typer.Option(help="growth, etkdg, uniform, ...; more than once for several.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    n: Annotated[int, typer.Option("--n", help="Chains of every polymer.")] = 10,
    polymers: Annotated[int | None, typer.Option(help="Only the first so many.")] = None,
    seed: Annotated[int, typer.Option(help="Of the chains.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Compare generated conformations with reference chains, beside dynamics against dynamics."""
    from polymd.conformations.metrics.evaluation import METRICS, evaluate_chains, summarise
    from polymd.datasets.polybench.storage import read_chains

    if n < 1:
        raise ValueError(f"--n is {n}; allowed: 1 or more; fix: such as --n 10")
    chains = list(read_chains(data, split=split, kind="reference"))[:polymers]
    if not chains:
        raise ValueError(f"{data} has no reference chains of the split {split!r}; allowed: those it holds")
    rows = evaluate_chains(
        chains, method or ["growth"], n=n, seed=seed, watch=lambda what: typer.echo(f"{what} ...", err=True)
    )
    summary = {name: summarise(found) for name, found in rows.items()}
    if as_json:
        plain = {name: [_plain(row) for row in found] for name, found in rows.items()}
        content = {"data": str(data), "n": n, "metrics": METRICS, "methods": summary, "polymers": plain}
        typer.echo(json.dumps(content, indent=2))
    else:
        print_methods(summary)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with null, which JSON knows, in place of NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()
    }


def print_methods(summary: dict[str, dict[str, Any]]) -> None:
    """A table of `summarise`, one row a method."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "polymers", *(title for title, _ in COLUMNS.values()))
    for name, values in summary.items():
        cells = [format(values[key], form) if key in values else "" for key, (_, form) in COLUMNS.items()]
        count = f"{values['polymers'] - values['failures']} of {values['polymers']}"
        table.add_row(name, count, *cells)
    Console().print(table)
