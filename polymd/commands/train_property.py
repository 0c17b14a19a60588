"""`polymd train property`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from polymd.properties.network_training import NetworkSettings


def train_property(
    data: Annotated[
        list[str],
        typer.Argument(help="Shipped targets such as Egc, or CSV files with columns psmiles,value."),
    ],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors; polymd predict --model reads it.")],
    model: Annotated[
        str, typer.Option(help="gp: Gaussian process on fingerprints; mips: a network too, and the blend.")
    ] = "gp",
    folder: Annotated[
        Path | None, typer.Option(help="Of shipped targets' tables; by default that of POLYMD_PROPERTIES.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Of the values of CSV files.")] = "",
    pool: Annotated[
        Path | None, typer.Option(help="Of mips: CSV of P-SMILES to pre-train on; else from shipped weights.")
    ] = None,
    minutes: Annotated[float, typer.Option(help="Of mips: processor time of the pre-training.")] = 10.0,
    epochs: Annotated[int, typer.Option(min=1, help="Of mips: passes over the labels.")] = 20,
    shape: Annotated[bool, typer.Option("--shape", help="Of mips: with 3D descriptors in training.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training of mips.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Train a property model; its errors and intervals come from five folds."""
    from polymd.properties.process_training import train_processes
    from polymd.properties.property_model import PropertyModel
    from polymd.properties.training_tables import read_tables

    if model not in ("gp", "mips"):
        raise ValueError(f"no model {model!r} to train; allowed: gp, mips; fix: take one of them")
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise ValueError(f"bad --out {str(out)!r}; allowed: NAME.safetensors in a folder that exists")
    tables = read_tables(data, folder, unit=unit, seed=seed)
    if model == "gp":
        trained = PropertyModel(train_processes(tables, tell=_tell))
    else:
        from polymd.properties.network_training import train_networks

        try:
            trained = train_networks(
                tables, _settings(out, pool, minutes, epochs, shape, seed, resume), _tell
            )
        except KeyboardInterrupt:
            typer.echo("stopped; the same command with --resume goes on", err=True)
            return 130
    trained.save(out)
    cards = trained.processes.cards()
    if as_json:
        typer.echo(json.dumps({"path": str(out), "properties": cards}, indent=2))
    else:
        _print(cards)
    return 0


def _settings(
    out: Path, pool: Path | None, minutes: float, epochs: int, shape: bool, seed: int, resume: bool
) -> NetworkSettings:
    """Settings of a training of MIPS, whose checkpoints lie in a folder named after the model."""
    from polymd.properties.mips.finetuning import Finetuning
    from polymd.properties.mips.pretraining import Pretraining
    from polymd.properties.network_training import NetworkSettings, read_pool, shipped_start

    folder = out.with_suffix(".training")
    if folder.exists() and not resume:
        raise ValueError(
            f"{folder} is there already; go on with --resume, or remove it, or take another --out"
        )
    return NetworkSettings(
        folder,
        read_pool(pool) if pool is not None else (),
        None if pool is not None else shipped_start(),
        Pretraining(minutes=minutes, seed=seed),
        Finetuning(epochs=epochs, seed=seed),
        shape,
    )


def _tell(line: str) -> None:
    typer.echo(f"{line} ...", err=True)


def _print(cards: dict[str, dict[str, Any]]) -> None:
    """A table of errors on five folds."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "unit", "polymers", "model", "RMSE", "R²", "in 90 %")
    for name, card in cards.items():
        errors = {"gp": card["errors"]} | card.get("blend", {}).get("errors", {})
        for model, found in errors.items():
            table.add_row(
                name,
                card["unit"],
                str(card["polymers"]),
                model,
                f"{found['rmse']:.4g}",
                f"{found['r2']:.3f}",
                f"{found['coverage_90']:.0%}",
            )
    Console().print(table)
