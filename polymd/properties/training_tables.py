"""Tables to train property models on: shipped targets by name, or a user's CSV file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["TrainingTable", "read_table", "read_tables"]

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
    """Tables by the name of their property, as `read_table` reads them; ValueError where one stands twice."""
    tables: dict[str, TrainingTable] = {}
    for given in data:
        table = read_table(given, folder, unit=unit, seed=seed, split_seed=split_seed)
        if table.name in tables:
            raise ValueError(f"the property {table.name!r} is given twice; give each once")
        tables[table.name] = table
    return tables


def read_table(
    data: str,
    folder: Path | str | None = None,
    *,
    unit: str = "",
    seed: int = 0,
    split_seed: int = 0,
) -> TrainingTable:
    """One table.

    Parameters
    ----------
    data
        A key of `polymd.datasets.properties.TABLES`, or a CSV file with columns `psmiles` and `value`, whose
        stem is the property's name.
    folder
        Of the shipped targets' tables, as in `polymd.datasets.properties.load`.
    unit
        Of a user's file.
    seed
        Of a user's folds.
    split_seed
        Which of the stored splits of a shipped target: 0, 1 or 2.

    Raises
    ------
    ValueError
        Neither a property nor a file; columns missing; rows that are no P-SMILES or no finite number.
    """
    from polymd.datasets.properties import TABLES, load

    if data in TABLES:
        frame, known = load(data, folder), TABLES[data]
        return TrainingTable(
            data,
            known.unit,
            known.source,
            frame["psmiles"].tolist(),
            frame["value"].to_numpy(dtype=np.float64),
            frame[f"fold_{split_seed}"].to_numpy(dtype=np.int64),
            known.logarithmic,
        )
    path = Path(data)
    if path.suffix != ".csv" or not path.is_file():
        raise ValueError(
            f"{data!r} is neither a shipped target nor a CSV file; allowed: {', '.join(TABLES)}, or a file "
            "with columns psmiles,value; fix: check the name"
        )
    return _read_csv(path, unit, seed)


def _read_csv(path: Path, unit: str, seed: int) -> TrainingTable:
    """A user's table; the same infinite chain in two spellings lies in one fold."""
    import pandas as pd

    from polymd.datasets.properties import deal
    from polymd.psmiles import canonicalise
    from polymd.repeats import canonical_chain

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
    psmiles, chains = [], []
    for line, text in enumerate(frame["psmiles"], start=2):
        try:
            psmiles.append(canonicalise(text))
            chains.append(canonical_chain(text))
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {error}") from error
    fold = np.array([int(digit) for digit in deal({"value": chains}, seed)["value"]], dtype=np.int64)
    return TrainingTable(path.stem, unit, str(path.name), psmiles, values, fold)
