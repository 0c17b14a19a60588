"""`polymd train property`"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polymd.commands.members import MEMBERS_HELP, read_members

if TYPE_CHECKING:
    from polymd.properties.member_training import Trainer


def train_property(
    data: Annotated[
        list[str],
        typer.Argument(help="Shipped targets such as Egc, or CSV files with columns psmiles,value."),
    ],
    out: Annotated[Path, typer.Option(help="File to write, .safetensors; polymd predict --model reads it.")],
    model: Annotated[str, typer.Option(help=MEMBERS_HELP)] = "gp",
    beside: Annotated[
        str | None,
        typer.Option(help="Members that are no part of the blend: for trajectories, and by their own name."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Of shipped targets' tables; by default that of POLYMD_PROPERTIES.")
    ] = None,
    unit: Annotated[str, typer.Option(help="Of the values of CSV files.")] = "",
    pool: Annotated[Path | None, typer.Option(help="Of networks: CSV of P-SMILES to pre-train on.")] = None,
    minutes: Annotated[float, typer.Option(help="Of networks: processor time of the pre-training.")] = 10.0,
    epochs: Annotated[int, typer.Option(min=1, help="Of networks: passes over the labels.")] = 20,
    shape: Annotated[
        bool, typer.Option("--shape", help="Of mips: with 3D descriptors of conformers.")
    ] = False,
    finetune: Annotated[
        bool,
        typer.Option("--finetune", help="Of mmpolymer, two-channel: train all of it, no kernel on it."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training of a network.")] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> int:
    """Train a property model; its errors and intervals come from five folds."""
    from polymd.properties.member_training import train_members
    from polymd.properties.training_tables import read_tables

    blended, apart = read_members(model), read_members(beside) if beside else {}
    if both := blended.keys() & apart.keys():
        raise ValueError(f"{both.pop()!r} is in --model and in --beside; allowed: one of them; fix: drop one")
    members = blended | apart
    if out.suffix != ".safetensors" or not out.parent.is_dir():
        raise ValueError(f"bad --out {str(out)!r}; allowed: NAME.safetensors in a folder that exists")
    tables = read_tables(data, folder, unit=unit, seed=seed)
    networks = members.keys() - {"trees"}
    checkpoints = _checkpoints(out, resume) if networks else out.parent
    polymers: list[str] = []
    if pool is not None and networks:
        from polymd.properties.training_tables import read_pool

        polymers = read_pool(pool)
    trainers: dict[str, Trainer] = {}
    for name, sizes in members.items():
        if name == "trees":
            trainers[name] = _trees(seed)
        elif name == "mips":
            trainers[name] = _mips(checkpoints / name, polymers, minutes, epochs, shape, seed)
        else:
            passes = epochs if finetune else 0
            trainers[name] = _network(name, sizes, checkpoints / name, polymers, minutes, passes, seed)
    try:
        trained = train_members(tables, trainers, _tell, beside=apart.keys())
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


def _checkpoints(out: Path, resume: bool) -> Path:
    """The folder of the checkpoints of a network, named after the model."""
    folder = out.with_suffix(".training")
    if folder.exists() and not resume:
        raise ValueError(
            f"{folder} is there already; go on with --resume, or remove it, or take another --out"
        )
    return folder


def _trees(seed: int) -> Trainer:
    """Of boosted trees."""
    from polymd.properties.boosting.model import Boosting
    from polymd.properties.boosting.training import train_trees

    return partial(train_trees, settings=Boosting(seed=seed))


def _network(
    name: str,
    sizes: dict[str, Any],
    folder: Path,
    pool: list[str],
    minutes: float,
    epochs: int,
    seed: int,
) -> Trainer:
    """Of MMPolymer or of the two-channel encoder; without epochs a kernel on the network as it is."""
    from polymd.properties.networks.finetuning import Finetuning
    from polymd.properties.networks.kinds import kind_of
    from polymd.properties.networks.pretraining import Pretraining
    from polymd.properties.networks.trained import shipped_start
    from polymd.properties.networks.training import TrainingSettings, train_kind

    settings = TrainingSettings(
        folder,
        pool,
        None if pool else shipped_start(name),
        Pretraining(minutes=minutes, seed=seed),
        Finetuning(epochs=epochs, seed=seed) if epochs else None,
    )
    return partial(train_kind, kind_of(name, sizes), settings=settings)


def _mips(folder: Path, pool: list[str], minutes: float, epochs: int, shape: bool, seed: int) -> Trainer:
    """Of MIPS."""
    from polymd.properties.mips.finetuning import Finetuning
    from polymd.properties.mips.pretraining import Pretraining
    from polymd.properties.mips.training import MipsSettings, shipped_start, train_mips

    settings = MipsSettings(
        folder,
        pool,
        None if pool else shipped_start(),
        Pretraining(minutes=minutes, seed=seed),
        Finetuning(epochs=epochs, seed=seed),
        shape,
    )
    return partial(train_mips, settings=settings)


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
