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
    model: Annotated[
        str,
        typer.Option(
            help="gp: Gaussian process; mips (auto), mmpolymer, two-channel: a network and the blend."
        ),
    ] = "gp",
    protocol: Annotated[str, typer.Option(help="5fold: the stored folds, nested.")] = "5fold",
    split_seed: Annotated[int, typer.Option(help="Stored split: 0, 1 or 2.")] = 0,
    checkpoints: Annotated[
        Path | None, typer.Option(help="Of networks: folder of their folds; those found there are used.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Of networks: passes over the labels.")] = 16,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Train and test a property model on stored folds."""
    from polymd.datasets.properties import BENCHMARK, find_table, read_rows
    from polymd.properties.evaluation import evaluate_networks, evaluate_property

    chosen = names or list(BENCHMARK)
    for name in chosen:  # say what is missing before the first hour of work
        read_rows(find_table(name), folder)
    where = checkpoints or Path("checkpoints") / model.replace("auto", "mips")
    if model in ("auto", "mips") and protocol == "5fold":
        from polymd.properties.mips.finetuning import Finetuning
        from polymd.properties.network_training import NetworkSettings, shipped_start

        settings = NetworkSettings(where, start=shipped_start(), finetuning=Finetuning(epochs=epochs))
        results = evaluate_networks(chosen, settings, folder, split_seed=split_seed, tell=_tell)
    elif model in ("mmpolymer", "two-channel") and protocol == "5fold":
        from polymd.properties.networks import finetuning
        from polymd.properties.networks.kinds import kind_of
        from polymd.properties.networks.training import TrainingSettings

        budget = TrainingSettings(where, finetuning=finetuning.Finetuning(epochs=epochs))
        results = evaluate_networks(
            chosen, budget, folder, kind=kind_of(model, {}), split_seed=split_seed, tell=_tell
        )
    else:
        results = []
        for name in chosen:
            _tell(name)
            results.append(
                evaluate_property(name, folder, model=model, protocol=protocol, split_seed=split_seed)
            )
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    else:
        print_results(results)


def _tell(line: str) -> None:
    typer.echo(f"{line} ...", err=True)


def print_results(results: list[dict[str, Any]]) -> None:
    """A table of what `evaluate_property` found."""
    from rich.console import Console
    from rich.table import Table

    table = Table("", "model", "unit", "rows", "RMSE", "R²", "in 90 %", "RMSE by fold")
    for r in results:
        folds = " ".join(f"{fold['rmse']:.3f}" for fold in r["folds"])
        table.add_row(
            r["property"],
            r["model"],
            r["unit"],
            str(r["rows"]),
            f"{r['rmse']:.3f}",
            f"{r['r2']:.3f}",
            f"{r['coverage_90']:.0%}",
            folds,
        )
    Console().print(table)
