"""`polymd benchmark ...`"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

app = typer.Typer(help="Time polymd on this machine.", no_args_is_help=True)

Atoms = Annotated[str, typer.Option(help="Sizes of the periodic boxes, with commas between.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads of polymd's kernels.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.callback()
def benchmark() -> None:
    """Time polymd on this machine."""


@app.command()
def neighbors(
    atoms: Atoms = "1000,10000,100000",
    cutoff: Annotated[float, typer.Option(help="Å.")] = 5.0,
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Build neighbour lists of periodic boxes at the density of a polymer."""
    from polymd import benchmarking

    sizes = _sizes(atoms)
    with benchmarking.threads(threads):
        _print(benchmarking.benchmark_neighbors(sizes, cutoff), threads, as_json)


@app.command()
def potential(
    model: Annotated[str, typer.Option(help="A name of polymd doctor or a .safetensors file.")] = "polyget",
    atoms: Atoms = "100,1000,10000",
    threads: Threads = 1,
    as_json: Json = False,
) -> None:
    """Energies and forces of periodic boxes at the density of a polymer, by the fast engine."""
    from polymd import benchmarking

    sizes = _sizes(atoms)
    with benchmarking.threads(threads):
        _print(benchmarking.benchmark_potential(model, sizes), threads, as_json)


def _sizes(atoms: str) -> list[int]:
    try:
        sizes = [int(part) for part in atoms.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise ValueError(f"--atoms is {atoms!r}; give whole numbers above 0 with commas between: 100,1000")
    return sizes


def _print(rows: list[dict[str, float]], threads: int, as_json: bool) -> None:
    from polymd.benchmarking import machine

    facts: dict[str, Any] = machine() | {"threads": threads}
    if as_json:
        typer.echo(json.dumps(facts | {"results": rows}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*(name.replace("_", " ") for name in rows[0]))
    for row in rows:
        table.add_row(*(f"{v:,d}" if isinstance(v, int) else f"{v:.4g}" for v in row.values()))
    console = Console()
    console.print(table)
    used = f"{threads} thread{'s' * (threads > 1)} on {facts['cores']} cores"
    console.print(f"{facts['processor']}, {used}", highlight=False)
