"""`polymd label`"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

Models = Annotated[
    Path | None,
    typer.Option(help="Folder with AIMNet2's .jpt files, by default an installed Auto3D's."),
]


def label(
    source: Annotated[Path, typer.Argument(help="P-SMILES (.csv), or frames (.h5, .xyz) to relabel.")],
    out: Annotated[Path, typer.Option(help="File to write, .h5; a labelling that stopped goes on.")],
    teacher: Annotated[
        str, typer.Option(help="aimnet2, aimnet2-single, gfn2, dft, dft-tzvp, dft-r2scan, module:factory.")
    ] = "aimnet2",
    sampler: Annotated[str, typer.Option(help="md; none or distort: the geometries of SOURCE.")] = "md",
    dynamics: Annotated[str, typer.Option(help="Teacher that moves the molecules.")] = "aimnet2-single",
    models: Models = None,
    exclude: Annotated[Path | None, typer.Option(help="JSON or CSV of P-SMILES to refuse.")] = None,
    rounds: Annotated[int, typer.Option(help="Starts of each polymer.")] = 4,
    frames: Annotated[int, typer.Option(help="Frames of each of the four replicas of a start.")] = 10,
    max_units: Annotated[int, typer.Option(help="Units of a chain or ring.")] = 4,
    max_atoms: Annotated[int, typer.Option(help="Atoms of a molecule.")] = 80,
    max_force_std: Annotated[float, typer.Option(help="eV/Å; frames above it are dropped.")] = 0.5,
    min_uncertainty: Annotated[
        float | None, typer.Option(help="eV/Å; label only where the forces_std of --dynamics exceeds it.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Of one thread each.")] = 1,
    minutes: Annotated[float | None, typer.Option(help="Stop after that time.")] = None,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> int:
    """Label frames of polymers with the energies and forces of a teacher."""
    from polymd.datasets.labelling import Settings
    from polymd.datasets.labelling import label as run

    settings = Settings(
        source=source,
        teacher=teacher,
        sampler=sampler,
        dynamics=dynamics,
        models=models,
        exclude=exclude,
        rounds=rounds,
        frames=frames,
        max_units=max_units,
        max_atoms=max_atoms,
        max_force_std=max_force_std,
        min_uncertainty=min_uncertainty,
        seed=seed,
    )
    try:
        summary = run(settings, out, processes=processes, minutes=minutes)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on", err=True)
        return 130
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(summary), indent=2))
        return 0
    typer.echo(
        f"{out}: {summary.frames} frames of {summary.molecules} molecules, {summary.polymers} polymers, "
        f"{summary.cpu_seconds:.0f} CPU s; {summary.failures} failures"
        + (f"; {summary.confident} frames known well enough" if min_uncertainty is not None else "")
    )
    if not summary.finished:
        typer.echo("time ran out; the same command goes on")
    return 0
