"""Markdown of the page: tables, and where numbers come from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks.accuracy.methods import TITLES, version

Must = tuple[str, Any, float, float, str]
"""Title, value or None, must, aim, format."""


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    titles = list(header)
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def provenance(result: dict[str, Any]) -> str:
    """One line: reference, date, machine, versions."""
    names = ("polymd", "torch", "numba", "rdkit", "tblite", "pyscf", "openmm")
    said = ", ".join(f"{n} {result['versions'][n]}" for n in names if n in result["versions"])
    facts = (result["level_of_theory"], result["date"], result["machine"], said)
    return "*" + "; ".join(fact for fact in facts if fact) + ".*"


def stale(found: str) -> str:
    """A remark when PolyGET's numbers are not those of the weights that ship now."""
    return "" if found == version("polyget") else " **These are numbers of older weights.**"


def with_error(estimate: dict[str, Any], digits: int) -> str:
    """Value, standard error where it is known, and unit."""
    error = "" if estimate["error"] is None else f" ± {estimate['error']:.{digits}f}"
    return f"{estimate['value']:.{digits}f}{error} {estimate['unit']}"


def at_most_600(errors: dict[str, Any], key: str) -> float:
    """Mean over atoms of an error of the frames at 300 and 600 K."""
    groups = [errors["by_temperature"][t] for t in ("300 K", "600 K") if t in errors["by_temperature"]]
    return float(np.average([g[key] for g in groups], weights=[g["atoms"] for g in groups]))


def force_table(methods: dict[str, Any], by: str | None) -> str:
    """MAE, RMSE and cosine distance of each method, and the MAE of groups, coldest first."""
    groups = sorted(next(iter(methods.values()))[by], key=lambda name: (len(name), name)) if by else []
    rows = []
    for name, found in methods.items():
        values = [
            f"{found['force_mae']:.4f}",
            f"{found['force_rmse']:.4f}",
            f"{found['cosine_distance']:.5f}",
        ]
        inner = [f"{found[by][g]['force_mae']:.4f}" for g in groups] if by else []
        rows.append([TITLES[name], *values, *inner, str(found["frames"])])
    return table(["", "force MAE", "RMSE", "cosine distance", *groups, "frames"], rows)


def kind_table(methods: dict[str, Any]) -> str:
    """Force MAE of each method by kind of molecule and element."""
    first = next(iter(methods.values()))
    rows = [
        [TITLES[name]]
        + [f"{found['by_kind'][kind]['force_mae']:.4f}" for kind in first["by_kind"]]
        + [f"{found['by_element'][element]:.4f}" for element in first["by_element"]]
        for name, found in methods.items()
    ]
    return table(["", *first["by_kind"], *first["by_element"]], rows)


def must_table(musts: Iterable[Must]) -> str:
    """What is now, what must be and what is aimed at; forces in eV/Å."""
    rows = []
    for title, value, must, aim, form in musts:
        verdict = "not measured" if value is None else "missed" if value > must else "must"
        verdict = "aim" if value is not None and value <= aim else verdict
        rows.append([title, "" if value is None else format(value, form), f"{must:g}", f"{aim:g}", verdict])
    return table(["", "now", "must", "aim", "reached"], rows)
