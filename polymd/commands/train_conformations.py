"""`polymd train conformations`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from polymd.commands.interruption import stopped


def train_conformations(
    config: Annotated[Path, typer.Argument(help="YAML, see examples/train_conformations.yaml.")],
    minutes: Annotated[float | None, typer.Option(help="Budget; overrides the config's.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
) -> int:
    """Train the network from which growth draws torsions, bond lengths and angles."""
    from polymd.training.conformation_config import read_config

    checked = read_config(config, **({} if minutes is None else {"minutes": minutes}))
    from polymd.training import conformations as training

    try:
        card = training.train(checked, resume=resume)
    except KeyboardInterrupt:
        return stopped("conformations", config, checked.checkpoint)
    if as_json:
        typer.echo(json.dumps({"path": str(checked.model)} | card, indent=2))
        return 0
    facts = card["training"]
    typer.echo(f"{checked.model}: {facts['steps']} steps on {facts['chains']} chains")
    for name, error in card["errors"].items():
        typer.echo(
            f"{name}: log density of a torsion {error['log_density']:.3f} on {error['chains']} unseen chains "
            "(uniform: -1.838)"
        )
    return 0
