"""`polymd evaluate property`"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polymd.commands.members import MEMBERS_HELP, read_members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from polymd.properties.blending import NetworkFolds
    from polymd.properties.training_tables import TrainingTable


def evaluate_properties(
    names: Annotated[
        list[str] | None, typer.Argument(help="Such as Egc Nc Tg; by default the eight of the benchmark.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Of the tables; by default that of POLYMD_PROPERTIES.")
    ] = None,
    model: Annotated[str, typer.Option(help=MEMBERS_HELP)] = "gp",
    protocol: Annotated[str, typer.Option(help="5fold: the stored folds, nested.")] = "5fold",
    split_seed: Annotated[int, typer.Option(help="Stored split: 0, 1 or 2.")] = 0,
    checkpoints: Annotated[
        Path, typer.Option(help="Of networks: folder of their folds; those found there are used.")
    ] = Path("checkpoints"),
    epochs: Annotated[int, typer.Option(min=1, help="Of mips: passes over the labels.")] = 10,
    predictions: Annotated[
        Path | None, typer.Option(help="CSV to write: what was said of every held-out polymer.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Train and test a property model on stored folds."""
    from polymd.datasets.properties import BENCHMARK, find_table, read_rows
    from polymd.properties.evaluation import evaluate_members, evaluate_property

    chosen = names or list(BENCHMARK)
    for name in chosen:  # say what is missing before the first hour of work
        read_rows(find_table(name), folder)
    wanted = read_members(model)
    members = {key: _member(key, sizes, checkpoints / key, epochs) for key, sizes in wanted.items()}
    if members and protocol == "5fold":
        results, said = evaluate_members(chosen, members, folder, split_seed=split_seed, tell=_tell)
        if predictions is not None:
            said.to_csv(predictions, index=False)
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


def _member(
    key: str, sizes: dict[str, Any], checkpoints: Path, epochs: int
) -> Callable[[Mapping[str, TrainingTable]], Mapping[str, NetworkFolds]]:
    """What trains a member of the blend on the folds of tables."""
    if key == "trees":
        from polymd.properties.boosting.training import train_trees

        return lambda tables: train_trees(tables, tell=_tell)[1]
    if key == "mips":
        from polymd.properties.mips.finetuning import Finetuning
        from polymd.properties.mips.training import MipsSettings, folds_of_mips, shipped_start

        settings = MipsSettings(checkpoints, start=shipped_start(), finetuning=Finetuning(epochs=epochs))
        return partial(folds_of_mips, settings=settings, tell=_tell)
    from polymd.properties.networks.kinds import kind_of
    from polymd.properties.networks.trained import shipped_start as shipped
    from polymd.properties.networks.training import TrainingSettings, trained_folds

    budget = TrainingSettings(checkpoints, start=shipped(key))
    return partial(trained_folds, kind_of(key, sizes), settings=budget, tell=_tell)


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
