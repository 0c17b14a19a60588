"""One Markdown table of several runs of `polymd evaluate conformations --json`.

    python -m benchmarks.conformations.table growth.json oracle.json ... [--common]

Rows are metrics, columns methods; of a method in several files the last counts. With --common only polymers
for which every method gave chains are averaged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from polymd.commands.conformations import ROWS, cell
from polymd.conformations.metrics.evaluation import summarise


def merged(paths: list[Path], common: bool) -> dict[str, dict[str, Any]]:
    """Summaries by method."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        rows |= json.loads(path.read_text(encoding="utf-8"))["polymers"]
    if common:
        sets = [{row["psmiles"] for row in found if "failure" not in row} for found in rows.values()]
        shared = set.intersection(*sets)
        rows = {name: [row for row in found if row["psmiles"] in shared] for name, found in rows.items()}
    return {
        name: summarise([{key: value for key, value in row.items() if value is not None} for row in found])
        for name, found in rows.items()
    }


def markdown(summary: dict[str, dict[str, Any]]) -> str:
    """The table."""
    counts = [f"{v['chains'] - v['failures']} of {v['chains']}" for v in summary.values()]
    lines = [
        f"| mean over polymers | {' | '.join(summary)} |",
        f"|---|{'---|' * len(summary)}",
        f"| polymers | {' | '.join(counts)} |",
    ]
    for key, (title, unit, form) in ROWS.items():
        cells = [cell(values[key], form) if key in values else "–" for values in summary.values()]
        name = title.replace("|E-MAT-R|", "E-MAT-R, absolute")  # a bar would end the cell
        lines.append(f"| {name}{f', {unit}' if unit else ''} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main(
    files: Annotated[list[Path], typer.Argument(help="What --json printed.")],
    common: Annotated[bool, typer.Option("--common", help="Polymers that every method made.")] = False,
) -> None:
    """Print the table."""
    print(markdown(merged(files, common)))


if __name__ == "__main__":
    typer.run(main)
