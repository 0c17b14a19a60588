"""The command line: one short function a command, each calling one function of the library."""

from __future__ import annotations

import json
import math
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polymd.commands import benchmark, evaluate, label, predict, train

if TYPE_CHECKING:
    from polymd.simulation import Run

app = typer.Typer(
    help="Polymers from P-SMILES: conformations, machine-learned molecular dynamics, properties.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
)
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(benchmark.app, name="benchmark")
app.command()(label.label)
app.command()(predict.predict)

PSmiles = Annotated[
    list[str],
    typer.Argument(help="Repeat unit with two stars, '*CC(*)c1ccccc1'; of a copolymer several, in turn."),
]
Tacticity = Annotated[
    str | None, typer.Option(help="atactic, isotactic or syndiotactic, by default atactic.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def main(args: list[str] | None = None) -> int:
    """Run the command line; the exit code is 2 for bad input and 1 for a run that failed."""
    try:
        return app(args=args, prog_name="polymd", standalone_mode=False) or 0
    except ValueError as error:
        return _fail(_one_line(error), 2)
    except KeyboardInterrupt:
        return _say("stopped", "yellow", 130)
    except Exception as error:
        if hasattr(error, "format_message"):  # the usage errors of typer, or of click in older ones
            message = error.format_message()  # empty where the help was shown instead
            return _fail(message, 2) if message.strip() else 2
        if isinstance(error, RuntimeError) and type(error).__module__.startswith("polymd."):
            return _fail(str(error), 1)
        raise


@app.command()
def run(
    psmiles: Annotated[
        list[str] | None,
        typer.Argument(help="Repeat unit, such as '*CC(*)c1ccccc1'; of a copolymer several, in turn."),
    ] = None,
    units: Annotated[int | None, typer.Option(help="Repeat units a chain, by default 10.")] = None,
    chains: Annotated[int | None, typer.Option(help="More than 1 in a periodic box, by default 1.")] = None,
    density: Annotated[float | None, typer.Option(help="Of that box in g/cm3, by default 0.1.")] = None,
    tacticity: Tacticity = None,
    method: Annotated[
        str | None, typer.Option(help="Of the start: auto, growth, polyconf or etkdg, by default auto.")
    ] = None,
    solvent: Annotated[
        float | None, typer.Option(help="Its quality for growth, 0 (poor) to 1, by default 1.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="2ps, 1ns, ...; with --resume the new total.")] = None,
    temperature: Annotated[float | None, typer.Option(help="K, by default 300.")] = None,
    ensemble: Annotated[str | None, typer.Option(help="nve, nvt or npt, by default nvt.")] = None,
    thermostat: Annotated[
        str | None, typer.Option(help="langevin, bussi or nose-hoover, by default langevin.")
    ] = None,
    barostat: Annotated[str | None, typer.Option(help="scr or mc, of npt, by default scr.")] = None,
    pressure: Annotated[str | None, typer.Option(help="1bar, 10MPa, ... of npt, by default 1bar.")] = None,
    anisotropic: Annotated[
        bool | None, typer.Option("--anisotropic", help="Box edges of npt change on their own.")
    ] = None,
    timestep: Annotated[str | None, typer.Option(help="0.5fs, 1fs, ..., by default 1fs.")] = None,
    hydrogen_mass: Annotated[
        float | None, typer.Option(help="amu, 2 or 3 for steps of 1.5 fs; by default their own.")
    ] = None,
    potential: Annotated[str | None, typer.Option(help="See polymd doctor, by default polyget.")] = None,
    inner_potential: Annotated[
        str | None, typer.Option(help="polyget-fast, for multiple time steps; by default none.")
    ] = None,
    inner_steps: Annotated[
        int | None,
        typer.Option(help="Its steps in a --timestep, which is 3fs then; by default of 1 fs each."),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="auto, torchforce, pythonforce or ase, by default auto.")
    ] = None,
    max_uncertainty: Annotated[
        float | None, typer.Option(help="eV/Å; look at the committee's forces_std, by default not.")
    ] = None,
    on_uncertainty: Annotated[
        str | None, typer.Option(help="warn or stop above it, by default warn.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of everything random, by default 0.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder, by default the next of runs/run-001, ...")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML of these fields; options override it.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    as_json: Json = False,
) -> int:
    """Run molecular dynamics of a polymer and analyse it."""
    given = {name: value for name, value in locals().items() if value not in (None, [])}
    fields = {name: given[name] for name in given.keys() - {"config", "resume", "as_json"}}
    if psmiles is not None and len(psmiles) == 1:
        fields["psmiles"] = psmiles[0]
    from polymd.simulation import Interrupted

    try:
        result = _resume(fields, config) if resume else _simulate(fields, config)
    except Interrupted as stop:
        again = shlex.join(["polymd", "run", "--resume", "--out", str(stop.path)])
        return _say(f"stopped at {stop.time_fs:g} fs; go on with: {again}", "yellow", 130)
    _print_run(result, as_json)
    return 0


def _simulate(fields: dict[str, Any], config: Path | None) -> Run:
    from polymd.simulation import Config, simulate
    from polymd.simulation.config import read_yaml

    return simulate(Config(**(read_yaml(config) if config else {}) | fields))


def _resume(fields: dict[str, Any], config: Path | None) -> Run:
    """Go on with the run in `out`; all else given must be what it was started with, but for `time`."""
    from polymd.simulation import Config, resume
    from polymd.simulation.config import read_yaml
    from polymd.simulation.folder import read_settings

    fields = (read_yaml(config) if config else {}) | fields
    if "out" not in fields:
        raise ValueError("--resume needs the run folder: polymd run --resume --out runs/run-001")
    started = read_settings(Path(fields["out"]))
    given = Config(**started.model_dump() | fields)
    for name in sorted(fields.keys() - {"out", "time"}):
        old, new = getattr(started, name), getattr(given, name)
        if new not in (old, "auto"):
            raise ValueError(f"{name} is {old!r} in this run, not {new!r}; drop it or start a new run")
    return resume(started.out, time=fields.get("time"))


@app.command()
def build(
    psmiles: PSmiles,
    out: Annotated[Path, typer.Option(help="File to write: .pdb, .xyz or .sdf.")],
    units: Annotated[int, typer.Option(help="Repeat units.")] = 10,
    tacticity: Tacticity = None,
    ring: Annotated[bool, typer.Option("--ring", help="Close the chain to a ring.")] = False,
    method: Annotated[str, typer.Option(help="auto, growth, polyconf or etkdg.")] = "auto",
    solvent: Annotated[float, typer.Option(help="Its quality for growth, 0 (poor) to 1 (good).")] = 1.0,
    seed: Annotated[int, typer.Option(help="Of stereo and conformation.")] = 0,
) -> None:
    """Build a chain or a ring with a first conformation and write it to a file."""
    from polymd.building import build_structure

    polymer = build_structure(
        psmiles,
        units,
        out,
        tacticity=tacticity or "atactic",
        ring=ring,
        method=method,
        solvent=solvent,
        seed=seed,
    )
    typer.echo(f"{out}: {polymer.n_atoms} atoms, {units} units of {polymer.psmiles}")


@app.command()
def doctor(
    warm: Annotated[
        bool, typer.Option("--warm", help="Compile all kernels now, so that the first run need not.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show which engines, platforms and potentials work here."""
    from polymd.diagnostics import diagnose, warm_up

    seconds = warm_up() if warm else None
    report = diagnose()
    if seconds is not None:
        report["machine"]["seconds_of_compiling"] = round(seconds, 1)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _print_doctor(report)


def _print_run(run: Run, as_json: bool) -> None:
    """Table of the observables, or properties.json with the folder."""
    if as_json:
        typer.echo(json.dumps({"path": str(run.path)} | run.properties, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("observable", "value", "standard error", "unit")
    for name, estimate in run.observables.items():
        table.add_row(name.replace("_", " "), *_rounded(estimate.value, estimate.error), estimate.unit)
    console = Console()
    console.print(table)
    console.print(f"report: {run.path / 'report.html'}", highlight=False, soft_wrap=True)


def _rounded(value: float, error: float) -> tuple[str, str]:
    """A value and its error with two digits of the error."""
    if not error > 0:
        return f"{value:.6g}", "unknown" if math.isnan(error) else "0"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f}", f"{error:.{digits}f}"


def _print_doctor(report: dict[str, Any]) -> None:
    """Tables of what `diagnose` found."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    works = Table("", "works", "reason", title="engines and platforms", title_justify="left")
    for kind in ("engines", "platforms"):
        for name, status in report[kind].items():
            mark = Text("yes", "green") if status["works"] else Text("no", "red")
            works.add_row(f"{kind[:-1]} {name}", mark, Text(status["reason"]))
    console.print(works)
    facts = Table("", "", title="installation", title_justify="left", show_header=False)
    facts.add_row("potentials", ", ".join(report["potentials"]) or "none")
    for name, value in (report["machine"] | report["versions"]).items():
        facts.add_row(name.replace("_", " "), "not found" if value is None else str(value))
    console.print(facts)


def _one_line(error: ValueError) -> str:
    from pydantic import ValidationError

    from polymd.simulation.config import explain

    return explain(error) if isinstance(error, ValidationError) else str(error)


def _fail(message: str, code: int) -> int:
    return _say(f"error: {' '.join(message.split())}", "red", code)


def _say(message: str, style: str, code: int) -> int:
    """Print one line on stderr; gives back the exit code."""
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True).print(Text(message, style=style), soft_wrap=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
