"""`python -m polymd.datasets.polybench`: make the reference data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, cast

import typer


def main(
    out: Annotated[Path, typer.Option(help="File to write, .h5; what stopped goes on.")],
    tables: Annotated[
        Path, typer.Option(help="Folder with EPS.csv and Egc.csv.", envvar="POLYMD_PROPERTIES")
    ],
    exclude: Annotated[Path | None, typer.Option(help="JSON or CSV of P-SMILES to leave out.")] = None,
    train: Annotated[int, typer.Option(help="Training polymers.")] = 200,
    validation: Annotated[int, typer.Option(help="Validation polymers.")] = 10,
    test: Annotated[int, typer.Option(help="Test polymers.")] = 20,
    more_test: Annotated[
        Path | None, typer.Option(help="CSV with a column psmiles: further test polymers.")
    ] = None,
    long: Annotated[int, typer.Option(help="Test polymers with chains of 2,000 atoms too, hours.")] = 0,
    charges: Annotated[str, typer.Option(help="bcc: AM1-BCC; gas: Gasteiger.")] = "bcc",
    processes: Annotated[int, typer.Option(help="Of one thread each.")] = 1,
    minutes: Annotated[float | None, typer.Option(help="Begin no polymer after that time.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
) -> None:
    """Make reference conformations of polymers on GAFF2."""
    from polymd.datasets.labelling.plan import read_psmiles
    from polymd.datasets.polybench.build import build
    from polymd.datasets.polybench.plan import Settings
    from polymd.datasets.sampling.exclusion import read_exclusion

    model = cast(Literal["bcc", "gas"], charges)
    settings = Settings(seed=seed, train=train, validation=validation, test=test, long=long, charges=model)
    refused = read_exclusion(exclude) if exclude else None
    more = read_psmiles(more_test) if more_test else []
    done = build(settings, tables, out, exclude=refused, more_test=more, processes=processes, minutes=minutes)
    typer.echo(
        f"{out}: {done.chains} chains of {done.polymers} polymers, {done.failures} failures,"
        f" {done.cpu_seconds:.0f} CPU s" + ("" if done.finished else "; the same command goes on")
    )


if __name__ == "__main__":
    try:
        typer.run(main)
    except ValueError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
