"""`polymd evaluate ...`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from polymd.commands.conformations import evaluate_conformations
from polymd.commands.properties import evaluate_properties

app = typer.Typer(help="Measure the errors of a model.", no_args_is_help=True)
app.command("property")(evaluate_properties)
app.command("conformations")(evaluate_conformations)

COLUMNS = {
    "frames": ("frames", "d"),
    "force_mae": ("force MAE\neV/Å", ".4f"),
    "force_rmse": ("force RMSE\neV/Å", ".4f"),
    "cosine_distance": ("cosine\ndistance", ".5f"),
    "energy_mae_per_atom": ("energy MAE\neV/atom", ".5f"),
}


@app.callback()
def evaluate() -> None:
    """Measure the errors of a model."""


@app.command()
def potential(
    data: Annotated[
        Path, typer.Argument(help="Frames: .h5, .hdf5, .xyz, .extxyz; or the YAML of a training.")
    ],
    model: Annotated[str, typer.Option(help="A name of polymd doctor or a .safetensors file.")] = "polyget",
    committee: Annotated[
        bool, typer.Option("--committee", help="Test its uncertainty too, on families not calibrated on.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Compare a potential's forces and energies with labelled frames, or a training's validation frames."""
    from polymd.commands.uncertainty import print_uncertainty, watch
    from polymd.training.potential_errors import polyget_predictor, potential_errors
    from polymd.training.uncertainty import evaluate_committee, unseen_molecules

    predict = polyget_predictor(model)
    molecules = unseen_molecules(data)
    results = {"uncertainty": evaluate_committee(molecules, model, watch=watch)} if committee else {}
    errors = potential_errors(predict, molecules)
    if as_json:
        typer.echo(json.dumps({"data": str(data), "model": model} | errors | results, indent=2))
        return
    print_errors(errors)
    if committee:
        print_uncertainty(results["uncertainty"])


def print_errors(errors: dict[str, Any]) -> None:
    """Tables of what `potential_errors` found."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", *(title for title, _ in COLUMNS.values()))
    table.add_row("all", *_cells(errors), end_section=True)
    for group in ("by_kind", "by_temperature", "by_family"):
        for name, values in errors[group].items():
            table.add_row(name, *_cells(values), end_section=name == list(errors[group])[-1])
    for name, value in errors["by_element"].items():
        table.add_row(name, "", f"{value:.4f}", "", "", "")
    Console().print(table)


def _cells(values: dict[str, Any]) -> list[str]:
    return ["" if values[key] is None else format(values[key], form) for key, (_, form) in COLUMNS.items()]
