"""Property tables: values of polymers with their units and sources, and their stored folds.

The tables are other people's and are not in the package. They are CSV files in a folder of the user's,
the argument `folder` or the environment variable `POLYMD_PROPERTIES`; `TABLES` says where each is from.
What is in the package: the checksum of every table's rows and, by row, the folds of three splits.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "BENCHMARK",
    "N_FOLDS",
    "SPLIT_SEEDS",
    "TABLES",
    "PropertyTable",
    "checksum",
    "deal",
    "folds",
    "load",
]

SPLIT_SEEDS = (0, 1, 2)
N_FOLDS = 5

_KUENNETH = (
    "Kuenneth et al., Patterns 2021, 2, 100238, doi:10.1016/j.patter.2021.100238, as in "
    "github.com/FanmengWang/MMPolymer, dataset/data, commit 97bce54; no licence stated there"
)
_RADONPY = (
    "GAFF2 MD at 300 K and 1 atm; PI1070, Hayashi et al., npj Comput. Mater. 2022, 8, 222, "
    "github.com/RadonPy/RadonPy, commit 648c9a4; BSD-3-Clause"
)
_BICERANO = "experiment; 304 polymers after Bicerano, as in Sci. Data 2024, 11, 371"


@dataclass(frozen=True)
class PropertyTable:
    """One property: what it is, its unit, where it is from, and its file and column."""

    name: str
    meaning: str
    unit: str
    source: str
    file: str
    column: str = "value"
    logarithmic: bool = False  #: positive and far from symmetric: models learn its logarithm


def _tables() -> dict[str, PropertyTable]:
    benchmark = [
        ("Egc", "band gap of a chain, DFT", "eV", _KUENNETH),
        ("Egb", "band gap of the bulk, DFT", "eV", _KUENNETH),
        ("Eea", "electron affinity, DFT", "eV", _KUENNETH),
        ("Ei", "ionisation energy, DFT", "eV", _KUENNETH),
        ("Xc", "tendency to crystallise", "%", _KUENNETH),
        ("EPS", "dielectric constant, DFT", "1", _KUENNETH),
        ("Nc", "refractive index, DFT", "1", _KUENNETH),
        ("Eat", "atomisation energy", "eV/atom", _KUENNETH),
    ]
    radonpy = [
        ("density", "mass density", "g/cm³", "density"),
        ("Rg", "radius of gyration of the chains simulated", "Å", "Rg"),
        ("Cp", "heat capacity at constant pressure", "J/kg/K", "Cp"),
        ("thermal_conductivity", "thermal conductivity", "W/m/K", "thermal_conductivity"),
        ("refractive_index", "refractive index", "1", "refractive_index"),
        ("static_dielectric_constant", "static dielectric constant", "1", "static_dielectric_const"),
    ]
    tables = [
        PropertyTable(name, what, unit, source, f"{name}.csv") for name, what, unit, source in benchmark
    ]
    tables += [
        PropertyTable(
            name,
            what,
            unit,
            _RADONPY,
            "PI1070_core.csv",
            column,
            name in ("Rg", "static_dielectric_constant"),
        )
        for name, what, unit, column in radonpy
    ]
    tables.append(
        PropertyTable("Tg", "glass transition", "K", _BICERANO, "bicerano_tg_304.csv", "Tg (K) exp")
    )
    return {table.name: table for table in tables}


TABLES = _tables()
BENCHMARK = ("Egc", "Egb", "Eea", "Ei", "Xc", "EPS", "Nc", "Eat")


def load(name: str, folder: Path | str | None = None) -> pd.DataFrame:
    """Read one property table.

    Parameters
    ----------
    name
        A key of `TABLES`.
    folder
        Where its file lies; by default that of the environment variable `POLYMD_PROPERTIES`.

    Returns
    -------
    pandas.DataFrame
        `psmiles` (canonical), `value` in the table's unit, and `fold_0`, `fold_1`, `fold_2`: the fold of
        the row, 0 to 4, in the three stored splits. Rows without a value are left out.

    Raises
    ------
    ValueError
        No such table; no folder given; the file is missing; its rows are not those the folds belong to.
    """
    import pandas as pd

    from polymd.psmiles import canonicalise

    rows = read_rows(find_table(name), folder)
    stored = _stored()[name]
    if checksum(rows) != stored["sha256"]:
        raise ValueError(
            f"the {len(rows)} rows of {TABLES[name].file} for {name!r} are not those of the stored folds; "
            f"allowed: the {len(stored['folds'][0])} rows of: {TABLES[name].source}; "
            "fix: take the file from that source"
        )
    frame = pd.DataFrame({"psmiles": [canonicalise(p) for p in rows["psmiles"]], "value": rows["value"]})
    return frame.assign(**{f"fold_{seed}": folds(name, seed) for seed in SPLIT_SEEDS})


def find_table(name: str) -> PropertyTable:
    """The table of a property; raises ValueError where there is none."""
    if name not in TABLES:
        raise ValueError(f"no property table {name!r}; allowed: {', '.join(TABLES)}; fix: take one of them")
    return TABLES[name]


def folds(name: str, seed: int) -> NDArray[np.int64]:
    """Fold of every row of a table, shape (rows,), 0 to 4, in the split of `seed`: 0, 1 or 2."""
    import numpy as np

    if seed not in SPLIT_SEEDS:
        raise ValueError(f"no stored split of seed {seed!r}; allowed: 0, 1, 2; fix: take one of them")
    find_table(name)
    return np.array([int(digit) for digit in _stored()[name]["folds"][seed]], dtype=np.int64)


def read_rows(table: PropertyTable, folder: Path | str | None = None) -> pd.DataFrame:
    """`psmiles` as written in the file and `value`, without the rows that have none."""
    import pandas as pd

    given = folder or os.environ.get("POLYMD_PROPERTIES")
    if not given:
        raise ValueError(
            f"the table {table.name!r} is not part of polymd; allowed: a folder with {table.file}; "
            f"fix: get it from its source ({table.source}) and set POLYMD_PROPERTIES to the folder"
        )
    path = Path(given) / table.file
    if not path.is_file():
        raise ValueError(f"no file {path}; allowed: a folder with {table.file} of: {table.source}")
    frame = pd.read_csv(path)
    missing = {"psmiles", table.column} - set(frame.columns)
    if missing:
        raise ValueError(f"{path} has no column {sorted(missing)}; it has {list(frame.columns)}")
    rows = frame[["psmiles", table.column]].set_axis(["psmiles", "value"], axis=1).dropna()
    return rows.reset_index(drop=True)


def checksum(rows: pd.DataFrame) -> str:
    """SHA-256 of the rows: P-SMILES as written and the value with ten digits, in their order."""
    lines = [f"{p},{v:.10g}" for p, v in zip(rows["psmiles"], rows["value"], strict=True)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def deal(chains: dict[str, list[str]], seed: int) -> dict[str, str]:
    """Folds for several tables together, so that a polymer lies in the same fold in all of them.

    Parameters
    ----------
    chains
        For every table the canonical chain (`polymd.repeats.canonical_chain`) of every row.
    seed
        Of the order in which polymers are dealt.

    Returns
    -------
    dict
        For every table one digit, the fold, a row.

    Notes
    -----
    Polymers are sorted into groups by the set of tables that hold them; within a group they are shuffled
    and dealt to the folds in turn. So every fold has nearly its fifth of every table and every overlap.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    held: dict[str, tuple[str, ...]] = {}
    for name, rows in chains.items():
        for chain in dict.fromkeys(rows):
            held[chain] = (*held.get(chain, ()), name)
    fold: dict[str, int] = {}
    for group in sorted(set(held.values())):
        members = sorted(chain for chain, tables in held.items() if tables == group)
        for position, i in enumerate(rng.permutation(len(members)), start=len(fold)):
            fold[members[i]] = position % N_FOLDS
    return {name: "".join(str(fold[chain]) for chain in rows) for name, rows in chains.items()}


@cache
def _stored() -> dict[str, dict[str, str | list[str]]]:
    """Of every table: the checksum of its rows, and the folds of the three splits."""
    text = files("polymd.datasets").joinpath("property_folds.json").read_text(encoding="utf-8")
    stored: dict[str, dict[str, str | list[str]]] = json.loads(text)
    return stored
