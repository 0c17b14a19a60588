"""`polymd train ...`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from polymd.commands.interruption import stopped
from polymd.commands.train_conformations import train_conformations
from polymd.commands.train_polyconf import train_polyconf
from polymd.commands.train_property import train_property

app = typer.Typer(help="Train a model.", no_args_is_help=True)
app.command("property")(train_property)
app.command("conformations")(train_conformations)
app.command("polyconf")(train_polyconf)


@app.callback()
def train() -> None:
    """Train a model."""


@app.command()
def potential(
    config: Annotated[Path, typer.Argument(help="YAML, see examples/train_potential.yaml.")],
    minutes: Annotated[float | None, typer.Option(help="Budget; overrides the config's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    export: Annotated[bool, typer.Option("--export", help="Only write the model, from it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> int:
    """Train PolyGET on labelled frames, or fine-tune it."""
    from polymd.training.potential_config import read_config

    checked = read_config(config, **({} if minutes is None else {"minutes": minutes}))
    from polymd.training import potential as training

    try:
        card = training.export(checked) if export else training.train(checked, resume=resume)
    except KeyboardInterrupt:
        return stopped("potential", config, checked.checkpoint)
    if as_json:
        typer.echo(json.dumps({"path": str(checked.model)} | card, indent=2))
    else:
        facts = card["training"]
        typer.echo(f"{checked.model}: {facts['steps']} steps, {facts['epochs']:g} epochs")
        if card["errors"]:
            from polymd.commands.evaluate import print_errors

            print_errors(card["errors"])
    return 0


@app.command()
def committee(
    data: Annotated[
        Path, typer.Argument(help="Frames of families never trained on, or the YAML of a training.")
    ],
    model: Annotated[str, typer.Option(help="Model with its members beside it.")] = "polyget",
    as_json: Annotated[bool, typer.Option("--json", help="Print the description as JSON.")] = False,
) -> None:
    """Calibrate the committee of a model, MODEL-fast and MODEL-committee-1, -2, ...; writes its JSON file."""
    from polymd.commands.uncertainty import print_uncertainty, watch
    from polymd.potentials.committee import committee_file
    from polymd.training.uncertainty import calibrate

    description = calibrate(data, model, watch=watch)
    if as_json:
        typer.echo(json.dumps({"path": str(committee_file(model))} | description, indent=2))
        return
    fitted = description["calibration"]
    typer.echo(
        f"{committee_file(model)}: {len(description['members'])} members, floor {fitted['floor']:.4f} eV/Å, "
        f"scale {fitted['scale']:.3f}, exponent {fitted['exponent']:.3f}"
    )
    print_uncertainty(description["results"])
