"""`polymd evaluate conformations`"""

from __future__ import annotations

import json
import math
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

_HUGE = 1e5
METHODS = ("auto", "growth", "polyconf", "etkdg", "uniform", "oracle")

ROWS = {
    "s_mat_r": ("S-MAT-R", "Å", ".2f"),
    "s_mat_p": ("S-MAT-P", "Å", ".2f"),
    "e_mat_r_absolute": ("|E-MAT-R|", "Hartree/atom", ".5f"),
    "clash_free": ("no clash", "", ".0%"),
    "torsion_divergence": ("torsions, JS", "bits", ".3f"),
    "neighbor_torsion_divergence": ("pairs of torsions, JS", "bits", ".3f"),
    "rotor_divergence": ("all rotors, JS", "bits", ".3f"),
    "bond_error": ("bond lengths", "Å", ".4f"),
    "angle_error": ("angles", "degree", ".2f"),
    "rg_distance": ("W(Rg)", "Å", ".2f"),
    "ree_distance": ("W(Ree)", "Å", ".2f"),
    "characteristic_ratio": ("C_n", "", ".2f"),
    "energy_above_nvt": ("energy over NVT", "kcal/mol/atom", ".2f"),
    "starts_nvt": ("starts NVT", "", ".0%"),
    "made": ("made", "", ".0%"),
    "seconds": ("time of a chain", "s", ".3f"),
}


def evaluate_conformations(
    data: Annotated[
        Path,
        typer.Argument(
            help="Reference chains, .h5: python -m polymd.datasets.polybench; or the published PolyBench."
        ),
    ],
    method: Annotated[
        list[str] | None,
        typer.Option(help="growth, polyconf, etkdg, uniform or oracle; more than once for several."),
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    kind: Annotated[
        str, typer.Option(help="reference: long chains; library: short ones, four a polymer.")
    ] = "reference",
    n: Annotated[int, typer.Option("--n", help="Conformations of every chain.")] = 10,
    dynamics: Annotated[int, typer.Option(help="Of these, how many are tried in dynamics.")] = 3,
    limit: Annotated[float, typer.Option(help="Seconds that ETKDG gets for a conformation.")] = 60.0,
    chains: Annotated[int | None, typer.Option(help="Only the first so many reference chains.")] = None,
    seed: Annotated[int, typer.Option(help="Of the chains.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")] = False,
) -> None:
    """Compare generated conformations with reference chains, beside dynamics against dynamics."""
    from polymd.conformations.metrics.evaluation import METRICS, summarise

    methods = method or ["growth"]
    for name in methods:
        if name not in METHODS:
            raise ValueError(f"unknown method {name!r}; allowed: {', '.join(METHODS)}; fix: one of them")
    if n < 1:
        raise ValueError(f"--n is {n}; allowed: 1 or more; fix: such as --n 10")
    chosen = _Choice(split, kind, methods, n, dynamics, limit, chains, seed)
    rows = _of_folder(data, chosen) if data.is_dir() else _of_file(data, chosen)
    summary = {name: summarise(of_method) for name, of_method in rows.items()}
    if as_json:
        plain = {name: [_plain(row) for row in of_method] for name, of_method in rows.items()}
        content = {"data": str(data), "n": n, "metrics": METRICS, "methods": summary, "polymers": plain}
        typer.echo(json.dumps(content, indent=2))
    else:
        print_methods(summary)


class _Choice(NamedTuple):
    """What is compared with what."""

    split: str
    kind: str
    methods: list[str]
    n: int
    dynamics: int
    limit: float
    chains: int | None
    seed: int


def _watch(what: str) -> None:
    typer.echo(f"{what} ...", err=True)


def _of_file(data: Path, chosen: _Choice) -> dict[str, list[dict[str, Any]]]:
    """Rows of the methods on reference chains."""
    from polymd.conformations.metrics.evaluation import evaluate_chains
    from polymd.datasets.polybench.storage import read_chains

    found = list(read_chains(data, split=chosen.split, kind=chosen.kind))[: chosen.chains]
    if not found:
        raise ValueError(
            f"{data} has no reference chains {chosen.kind!r} in the split {chosen.split!r}; allowed: those it"
            " holds"
        )
    return evaluate_chains(
        found,
        chosen.methods,
        libraries=read_chains(data, kind="library") if "oracle" in chosen.methods else (),
        n=chosen.n,
        n_dynamics=chosen.dynamics,
        limit=chosen.limit,
        seed=chosen.seed,
        watch=_watch,
    )


def _of_folder(data: Path, chosen: _Choice) -> dict[str, list[dict[str, Any]]]:
    """Rows of the methods on the published PolyBench."""
    from polymd.conformations.metrics.published import evaluate_published
    from polymd.datasets.polybench.published import read_published

    polymers = islice(read_published(data), chosen.chains)
    return evaluate_published(
        polymers, chosen.methods, n=chosen.n, limit=chosen.limit, seed=chosen.seed, watch=_watch
    )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with null, which JSON knows, in place of NaN."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()
    }


def cell(value: float, form: str) -> str:
    """A number in its format, or as a power of ten where clashes make it huge."""
    return format(value, form) if abs(value) < _HUGE else f"{value:.0e}"


def print_methods(summary: dict[str, dict[str, Any]]) -> None:
    """A table of `summarise`, one column a method."""
    from rich.console import Console
    from rich.table import Column, Table

    table = Table("mean over chains", "", *(Column(name, justify="right") for name in summary))
    counts = [f"{v['chains'] - v['failures']} of {v['chains']}" for v in summary.values()]
    table.add_row("chains", "", *counts, end_section=True)
    for key, (title, unit, form) in ROWS.items():
        table.add_row(title, unit, *(cell(v[key], form) if key in v else "" for v in summary.values()))
    Console().print(table)
