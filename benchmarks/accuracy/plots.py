"""Static figures of the page, SVG, from the results."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from benchmarks.accuracy.common import ROOT
from benchmarks.accuracy.methods import TITLES

IMAGES = ROOT / "docs" / "images"
COLORS = {
    "teacher": "black",
    "polyget": "#00796b",
    "polyget-fast": "#4db6ac",
    "aimnet2-single": "#5c6bc0",
    "gfn2": "#ef6c00",
    "mmff94": "#9e9e9e",
}


@contextmanager
def figure(name: str, columns: int, width: float, height: float) -> Iterator[Any]:
    """Axes of a figure, written to docs/images/accuracy-<name>.svg: the same bytes for the same data."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    style = {"svg.hashsalt": name, "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
    with mpl.rc_context(style | {"axes.spines.right": False, "font.family": "sans-serif"}):
        canvas, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained")
        yield axes
        IMAGES.mkdir(exist_ok=True)
        canvas.savefig(IMAGES / f"accuracy-{name}.svg", metadata={"Date": None}, facecolor="white")
        plt.close(canvas)


def torsions(result: dict[str, Any]) -> None:
    """One panel a dimer, energy against the torsion."""
    with figure("torsions", len(result["scans"]), 9.0, 3.0) as axes:
        for axis, (name, scan) in zip(axes, result["scans"].items(), strict=True):
            for method, curve in scan["curves"].items():
                label = "AIMNet2 ensemble (teacher)" if method == "teacher" else TITLES[method]
                style = "o" if method == "teacher" else "-"
                axis.plot(scan["angles"], curve, style, ms=3, color=COLORS[method], label=label)
            axis.set(title=name, xlabel="torsion, degrees", xticks=range(-180, 181, 90))
        axes[0].set_ylabel("energy, kJ/mol")
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5)


def chain(result: dict[str, Any]) -> None:
    """Total energy, temperature and radius of gyration of the long run."""
    run, every = result["nve"], 0.2
    panels = {
        "total energy, meV/atom": 1e3
        * (np.array(run["energy_series"]) - np.mean(run["energy_series"]))
        / result["atoms"],
        "temperature, K": np.array(run["kelvin"]),
        "radius of gyration, Å": np.array(run["rg_series"]),
    }
    with figure("chain", 3, 9.0, 2.4) as axes:
        for axis, (title, series) in zip(axes, panels.items(), strict=True):
            axis.plot(np.arange(len(series)) * every, series, color=COLORS["polyget"], lw=0.8)
            axis.set(title=title, xlabel="ps")


def scaling(points: list[dict[str, Any]]) -> None:
    """Validation error against minutes of training and against frames."""
    with figure("scaling", 2, 7.0, 3.0) as axes:
        for axis, key, title in zip(axes, ("minutes", "frames"), ("minutes", "training frames"), strict=True):
            axis.plot(
                [p[key] for p in points], [p["force_mae"] for p in points], "o", color=COLORS["polyget"]
            )
            axis.axhline(0.035, color="black", lw=0.7, ls="--")
            axis.axhline(0.020, color="black", lw=0.7, ls=":")
            axis.set(xscale="log", yscale="log", xlabel=title)
            axis.set_yticks([0.02, 0.03, 0.05, 0.08], ["0.02", "0.03", "0.05", "0.08"])
            axis.minorticks_off()
        axes[0].set_ylabel("force MAE, eV/Å")


def speed(result: dict[str, Any]) -> None:
    """Seconds a step against atoms."""
    with figure("speed", 1, 4.5, 3.0) as axis:
        for method, found in result["methods"].items():
            atoms = [int(n) for n in found["seconds"]]
            color = COLORS.get(method, "#283593")
            axis.plot(atoms, list(found["seconds"].values()), "o-", ms=4, color=color, label=TITLES[method])
        axis.set(xscale="log", yscale="log", xlabel="atoms", ylabel="seconds a step")
        axis.set_xticks([44, 149, 359], ["44", "149", "359"])
        axis.minorticks_off()
        axis.legend(frameon=False)
