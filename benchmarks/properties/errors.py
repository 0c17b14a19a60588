"""Errors by stratum, and parity plots, from what `polymd evaluate property --predictions` wrote.

    python -m benchmarks.properties.errors predictions.csv --plot docs/images/properties-parity.svg

Prints a Markdown table: of each property the root mean square error of the blend over all held-out polymers,
that of a stratum over it, and how many polymers there are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from polymd.properties.chain_graph import chain_graph
from polymd.properties.strata import STRATA, strata
from polymd.repeats import shortened


def rmse(rows: pd.DataFrame) -> float:
    """Of the blend."""
    return float(np.sqrt(np.mean((rows["blend"] - rows["value"]) ** 2)))


def table(said: pd.DataFrame) -> list[str]:
    """Rows of the Markdown table."""
    kinds = {p: strata(chain_graph(shortened(p))) for p in said["psmiles"].unique()}
    lines = ["| | all | " + " | ".join(STRATA) + " | none of these |", "|---" * (len(STRATA) + 3) + "|"]
    for name, rows in said.groupby("property", sort=False):
        every, own = rmse(rows), rows["psmiles"].map(kinds)
        cells = [f"{every:.3g}"]
        for stratum in (*STRATA, None):
            part = rows[[stratum in kind if stratum else not kind for kind in own]]
            few = len(part) < 10  # too few for a number
            cells.append(f"({len(part)})" if few else f"{rmse(part) / every:.2f} ({len(part)})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def parity(said: pd.DataFrame, path: Path) -> None:
    """Held-out values of the blend over those of the tables."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    groups = list(said.groupby("property", sort=False))
    columns = 4
    figure, axes = plt.subplots(-(-len(groups) // columns), columns, figsize=(10, 5.4), squeeze=False)
    for ax, (name, rows) in zip(axes.flat, groups, strict=False):
        ax.plot(rows["value"], rows["blend"], ".", ms=2, alpha=0.4, rasterized=True)
        ends = [rows["value"].min(), rows["value"].max()]
        ax.plot(ends, ends, color="0.4", lw=0.8)
        ax.set_title(name, fontsize=10)
        ax.tick_params(labelsize=8)
    figure.supxlabel("table", fontsize=9)
    figure.supylabel("predicted, held out", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110, metadata={"Date": None})


def main(
    predictions: Annotated[Path, typer.Argument(help="CSV of polymd evaluate property --predictions.")],
    plot: Annotated[Path | None, typer.Option(help="SVG of parity plots to write.")] = None,
) -> None:
    """Print errors by stratum."""
    said = pd.read_csv(predictions)
    print("\n".join(table(said)))
    if plot is not None:
        parity(said, plot)


if __name__ == "__main__":
    typer.run(main)
