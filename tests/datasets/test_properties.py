"""Property tables without their rows: the stored folds, the reader, its errors."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polymd.datasets import properties
from polymd.datasets.properties import BENCHMARK, N_FOLDS, SPLIT_SEEDS, TABLES, checksum, deal, folds, load

ROWS = pd.DataFrame({"psmiles": ["*CC*", "C(*)O*", "*C(*)C"], "value": [1.0, 2.5, 3.0]})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of three rows under the name of one of ours, and its stored folds."""
    ROWS.to_csv(tmp_path / "Xc.csv", index=False)
    stored = {"Xc": {"sha256": checksum(ROWS), "folds": ["012", "120", "201"]}}
    monkeypatch.setattr(properties, "_stored", lambda: stored)
    monkeypatch.delenv("POLYMD_PROPERTIES", raising=False)
    return tmp_path


def test_reads_a_table_with_its_folds(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYMD_PROPERTIES", str(folder))
    frame = load("Xc")
    assert list(frame["psmiles"]) == ["*CC*", "*CO*", "*C(*)C"]
    assert list(frame["value"]) == [1.0, 2.5, 3.0]
    assert list(frame["fold_1"]) == [1, 2, 0]


def test_refuses_other_rows(folder: Path) -> None:
    ROWS.assign(value=[1.0, 2.5, 3.1]).to_csv(folder / "Xc.csv", index=False)
    with pytest.raises(ValueError, match="not those of the stored folds"):
        load("Xc", folder)


def test_says_what_is_missing(folder: Path) -> None:
    with pytest.raises(ValueError, match="no property table 'colour'; allowed: Egc, Egb"):
        load("colour", folder)
    with pytest.raises(ValueError, match="set POLYMD_PROPERTIES to the folder"):
        load("Xc")
    with pytest.raises(ValueError, match=r"no file .*Egc\.csv"):
        load("Egc", folder)
    with pytest.raises(ValueError, match="no stored split of seed 7"):
        folds("Xc", 7)


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("seed", SPLIT_SEEDS)
def test_stored_folds_are_fifths(name: str, seed: int) -> None:
    counts = np.bincount(folds(name, seed), minlength=N_FOLDS)
    assert len(counts) == N_FOLDS
    np.testing.assert_allclose(counts, counts.mean(), rtol=0.1)


def test_every_table_says_its_unit_and_source() -> None:
    assert set(BENCHMARK) <= set(TABLES)
    assert all(table.unit and table.meaning and table.source for table in TABLES.values())


def test_a_polymer_lies_in_one_fold() -> None:
    chains = {
        "a": [f"chain {i}" for i in range(50)] + ["chain 3"],
        "b": [f"chain {i}" for i in range(25, 60)],
    }
    for seed in (0, 1):
        dealt = deal(chains, seed)
        assert {len(set(zip(dealt[n], chains[n], strict=True))) for n in ("a",)} == {50}
        where = dict(zip(chains["a"], dealt["a"], strict=True))
        assert all(
            where.get(chain, fold) == fold for chain, fold in zip(chains["b"], dealt["b"], strict=True)
        )
        assert set(Counter(dealt["a"][:50]).values()) <= {9, 10, 11}
    assert deal(chains, 0) == deal(chains, 0) != deal(chains, 1)
