"""Tables to train property models on: shipped targets by name, or a user's CSV file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["TrainingTable", "read_pool", "read_tables"]

LEAST_ROWS = 20  #: fewer cannot be split into folds that mean something


@dataclass(frozen=True)
class TrainingTable:
    """Values of one property, with folds in which a polymer lies in one fold only."""

    name: str
    unit: str
    source: str
    psmiles: list[str]  #: canonical
    values: NDArray[np.float64]  #: (N,)
    fold: NDArray[np.int64]  #: (N,), 0 to 4
    logarithmic: bool = False  #: models learn the logarithm

    @property
    def targets(self) -> NDArray[np.float64]:
        """What models learn: the values or their logarithms."""
        return np.log(self.values) if self.logarithmic else self.values

    def about(self) -> dict[str, Any]:
        """What a model's card says of its table."""
        return {
            "unit": self.unit,
            "source": self.source,
            "polymers": len(self.psmiles),
            "logarithmic": self.logarithmic,
        }


def read_tables(
    data: Sequence[str],
    folder: Path | str | None = None,
    *,
    unit: str = "",
    seed: int = 0,
    split_seed: int = 0,
) -> dict[str, TrainingTable]:
    """Tables by the name of their property.

    Parameters
    ----------
    data
        Keys of `polymd.datasets.properties.TABLES`, or CSV files with columns `psmiles` and `value`, whose
        stems are the names of their properties.
    folder
        Of the shipped targets' tables, as in `polymd.datasets.properties.load`.
    unit
        Of users' files.
    seed
        Of the folds of users' files; a polymer lies in the same fold in all of them.
    split_seed
        Which of the stored splits of shipped targets: 0, 1 or 2.

    Raises
    ------
    ValueError
        Neither a property nor a file; a name given twice; columns missing; rows that are no P-SMILES or no
        finite number.
    """
    from polymd.datasets.properties import TABLES, deal
    from polymd.repeats import canonical_chain

    tables: dict[str, TrainingTable] = {}
    for given in data:
        table = _read_stored(given, folder, split_seed) if given in TABLES else _read_csv(given, unit)
        if table.name in tables:
            raise ValueError(f"the property {table.name!r} is given twice; give each once")
        tables[table.name] = table
    own = {name: table for name, table in tables.items() if name not in data}
    folds = deal({name: [canonical_chain(p) for p in table.psmiles] for name, table in own.items()}, seed)
    dealt = {
        name: replace(table, fold=np.array([int(digit) for digit in folds[name]], dtype=np.int64))
        for name, table in own.items()
    }
    return tables | dealt


def read_pool(path: Path) -> list[str]:
    """P-SMILES of a CSV file with a column `psmiles` or `SMILES`; raises ValueError where it has none."""
    import pandas as pd

    if not path.is_file():
        raise ValueError(f"there is no file {path}; give a CSV file with a column psmiles or SMILES")
    frame = pd.read_csv(path)
    column = next((name for name in ("psmiles", "SMILES") if name in frame), None)
    if column is None:
        raise ValueError(f"{path} has no column 'psmiles' or 'SMILES'; it has {list(frame.columns)}")
    return [str(text) for text in frame[column]]


def _read_stored(name: str, folder: Path | str | None, split_seed: int) -> TrainingTable:
    """A shipped target with its stored folds."""
    from polymd.datasets.properties import TABLES, load

    frame, known = load(name, folder), TABLES[name]
    return TrainingTable(
        name,
        known.unit,
        known.source,
        frame["psmiles"].tolist(),
        frame["value"].to_numpy(dtype=np.float64),
        frame[f"fold_{split_seed}"].to_numpy(dtype=np.int64),
        known.logarithmic,
    )


def _read_csv(data: str, unit: str) -> TrainingTable:
    """A user's table, all of it in one fold yet."""
    import pandas as pd

    from polymd.datasets.properties import TABLES
    from polymd.psmiles import canonicalise

    path = Path(data)
    if path.suffix != ".csv" or not path.is_file():
        raise ValueError(
            f"{data!r} is neither a shipped target nor a CSV file; allowed: {', '.join(TABLES)}, or a file "
            "with columns psmiles,value; fix: check the name"
        )
    frame = pd.read_csv(path)
    missing = {"psmiles", "value"} - set(frame.columns)
    if missing:
        raise ValueError(f"{path} has no column {sorted(missing)}; it has {list(frame.columns)}")
    if len(frame) < LEAST_ROWS:
        raise ValueError(f"{path} has {len(frame)} rows; allowed: {LEAST_ROWS} or more; fix: add polymers")
    values = pd.to_numeric(frame["value"], errors="coerce").to_numpy(dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        given = frame["value"].iloc[bad[0]]
        raise ValueError(
            f"{path}, line {bad[0] + 2}: value {given!r} is no finite number; mend or drop the row"
        )
    psmiles = []
    for line, text in enumerate(frame["psmiles"], start=2):
        try:
            psmiles.append(canonicalise(text))
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
    return TrainingTable(path.stem, unit, str(path.name), psmiles, values, np.zeros(len(values), np.int64))
