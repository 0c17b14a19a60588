"""Putting the report together."""

import html
import json
from importlib.resources import files
from pathlib import Path
from string import Template

from polymd.report import tables
from polymd.report.figures import figures
from polymd.report.run_folder import RunFolder, read_run_folder
from polymd.report.scene import scene


def write_report(run_folder: Path) -> Path:
    """Write `report.html` into a run folder and return its path.

    The page reads nothing but itself: viewer, plotly.js, frames and figures are inlined, about 2 MB.

    Parameters
    ----------
    run_folder
        A folder with run.yaml, topology.pdb, trajectory.dcd, log.csv and properties.json.

    Raises
    ------
    ValueError
        One of these files is missing.
    """
    page = Path(run_folder) / "report.html"
    page.write_text(_page(read_run_folder(Path(run_folder))), encoding="utf-8")
    return page


def _page(run: RunFolder) -> str:
    given = run.settings.get("psmiles", "")
    units = list(given) if isinstance(given, list) else [str(given)]
    data = json.dumps({"scene": scene(run), "figures": figures(run)}, allow_nan=False)
    return Template(_resource("page.html")).substitute(
        psmiles=html.escape("-".join(units)),
        summary=html.escape(_summary(run)),
        drawing="".join(tables.drawing(unit) for unit in units),
        results=tables.results(run.properties),
        command=tables.command(run.settings),
        settings=tables.settings(run.settings),
        provenance=tables.provenance(run.settings),
        style=_resource("style.css"),
        viewer=_resource("vendor/3Dmol-min.js"),
        plotly=_resource("vendor/plotly-basic.min.js"),
        script=_resource("report.js"),
        data=data.replace("<", "\\u003c"),
    )


def _summary(run: RunFolder) -> str:
    """One line: how large, how long."""
    topology = run.trajectory.topology
    duration = float(run.log["time_fs"].iloc[-1]) / 1000.0
    chains = "1 chain" if topology.n_chains == 1 else f"{topology.n_chains} chains"
    return (
        f"{chains}, {topology.n_residues} units, {topology.n_atoms} atoms, {duration:.4g} ps,"
        f" {run.trajectory.n_frames} frames"
    )


def _resource(name: str) -> str:
    return files("polymd.report").joinpath(name).read_text(encoding="utf-8")
