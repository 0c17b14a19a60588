"""Figures of docs/performance.md and docs/engine.md from the result files: docs/images/*.svg.

python benchmarks/speed/plots.py
"""

import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
from common import RESULTS

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def results(name: str) -> Any:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["results"] if path.is_file() else None


def save(figure: Any, name: str) -> None:
    figure.tight_layout()
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)
    print(IMAGES / f"{name}.svg")


def scaling(data: dict[str, Any]) -> None:
    """Time of a step against the number of atoms, and the same for each atom."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
    for code, colour in (("polymd", "C0"), ("torchmd-net ET", "C1")):
        for threads, style in ((1, "-o"), (2, "--s")):
            rows = [row for row in data[code] if row["threads"] == threads]
            if rows:
                label = f"{code}, {threads} thread{'s' * (threads > 1)}"
                atoms = [row["atoms"] for row in rows]
                left.loglog(atoms, [row["ms"] for row in rows], style, color=colour, ms=3, label=label)
                right.loglog(atoms, [row["us_per_atom"] for row in rows], style, color=colour, ms=3)
    left.set(xlabel="atoms", ylabel="energy and forces, ms")
    right.set(xlabel="atoms", ylabel="µs an atom")
    left.legend(frameon=False, fontsize=8)
    save(figure, "speed-atoms")


def roofline(data: dict[str, Any]) -> None:
    """Achieved GFLOP/s against operations a byte, under the measured peaks."""
    figure, axis = plt.subplots(figsize=(5, 3.6))
    for peak, colour in zip(data["peaks"], ("C0", "C1"), strict=False):
        rows = [row for row in data["polymd"] if row["threads"] == peak["threads"]]
        intensity = [row["GFLOP/s"] / row["GB/s"] for row in rows]
        edge = [0.3, peak["GFLOP/s"] / peak["GB/s"], 100]
        roof = [min(peak["GFLOP/s"], x * peak["GB/s"]) for x in edge]
        axis.loglog(edge, roof, color=colour, label=f"peaks, {peak['threads']} thread(s)")
        axis.loglog(intensity, [row["GFLOP/s"] for row in rows], "o", color=colour, ms=4, label="engine")
    axis.set(xlabel="operations a byte", ylabel="GFLOP/s")
    axis.legend(frameon=False, fontsize=8)
    save(figure, "speed-roofline")


def bars(name: str, rows: list[dict[str, Any]], value: str, title: str) -> None:
    figure, axis = plt.subplots(figsize=(6, 0.32 * len(rows) + 0.9))
    axis.barh([row["label"] for row in rows][::-1], [row[value] for row in rows][::-1], color="C0")
    axis.set(xscale="log", xlabel=title)
    save(figure, name)


def table_error(rows: list[dict[str, Any]]) -> None:
    """Error of the tables against the number of knots."""
    figure, axis = plt.subplots(figsize=(5, 3.6))
    knots = [row["knots"] for row in rows]
    for key, label in (("filters", "filters"), ("slopes", "their slopes"), ("forces", "forces")):
        axis.loglog(knots, [row[key] for row in rows], "-o", ms=3, label=label, base=2)
    axis.set(xlabel="knots", ylabel="relative error against float64")
    axis.set_yscale("log")
    axis.legend(frameon=False, fontsize=8)
    save(figure, "engine-knots")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    if data := results("scaling"):
        scaling(data)
        roofline(data)
    if rows := results("memory"):
        bars("speed-memory", [{"label": r["code"]} | r for r in rows], "added_MB", "MB at 360 atoms")
    if rows := results("potentials"):
        chosen = [
            {"label": f"{r['code']}, {r['atoms']}, {r['threads']} thr."} | r
            for r in rows
            if r["threads"] == 1
        ]
        bars("speed-potentials", chosen, "ms", "energy and forces, ms, one thread")
    if rows := results("table_error"):
        table_error(rows)


if __name__ == "__main__":
    main()
