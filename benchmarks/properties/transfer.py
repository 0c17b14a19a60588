"""How the Gaussian process does on a chemical class that it was not trained on.

    python -m benchmarks.properties.transfer Egc Eat Nc Xc

Every class of `polymd.properties.strata.CLASSES` with 20 polymers or more is held out once; the process is
fitted to all others. Beside its error stands that of the same polymers on the stored five folds (split 0),
where others of their class were seen. Prints a Markdown table, and JSON to `--out`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from polymd.properties.chain_graph import chain_graph
from polymd.properties.fingerprints import fingerprint
from polymd.properties.gaussian_process import Kernels, fit
from polymd.properties.strata import CLASSES, chemical_class
from polymd.properties.training_tables import TrainingTable, read_tables
from polymd.repeats import shortened

LEAST = 20  #: polymers of a class


def rmse(predicted: np.ndarray, true: np.ndarray) -> float:
    """Root mean square error."""
    return float(np.sqrt(np.mean((predicted - true) ** 2)))


def transfer(table: TrainingTable) -> dict[str, dict[str, float]]:
    """Errors by class: `polymers`, `unseen` by a process of the other classes, `seen` on the five folds."""
    kernels = Kernels.of([fingerprint(p) for p in table.psmiles])
    kinds = np.array([chemical_class(chain_graph(shortened(p))) for p in table.psmiles])
    targets, back = table.targets, np.exp if table.logarithmic else np.positive
    folds = np.empty_like(targets)
    for held_out in np.unique(table.fold):
        train, test = np.flatnonzero(table.fold != held_out), np.flatnonzero(table.fold == held_out)
        folds[test] = fit(kernels, train, targets[train]).predict(test)[0]
    found = {}
    for name in CLASSES:
        test, train = np.flatnonzero(kinds == name), np.flatnonzero(kinds != name)
        if min(len(test), len(train)) < LEAST:
            continue
        predicted = fit(kernels, train, targets[train]).predict(test)[0]
        found[name] = {
            "polymers": len(test),
            "unseen": rmse(back(predicted), table.values[test]),
            "seen": rmse(back(folds[test]), table.values[test]),
            "spread": float(table.values[test].std()),
        }
    return found


def main(
    names: Annotated[list[str], typer.Argument(help="Such as Egc Nc.")],
    folder: Annotated[Path | None, typer.Option(help="Of the tables; else POLYMD_PROPERTIES.")] = None,
    out: Annotated[Path | None, typer.Option(help="JSON to write.")] = None,
) -> None:
    """Print errors on classes that were not seen."""
    results = {name: transfer(table) for name, table in read_tables(names, folder).items()}
    print("| | class left out | polymers | spread | seen | unseen |\n|---|---|---|---|---|---|")
    for name, classes in results.items():
        for kind, r in classes.items():
            cells = f"{r['polymers']} | {r['spread']:.3g} | {r['seen']:.3g} | {r['unseen']:.3g}"
            print(f"| {name} | {kind} | {cells} |")
    if out is not None:
        out.write_text(json.dumps(results, indent=1), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
