from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polymd.conformations.geometry import keeps_stereo
from polymd.datasets.polybench import build as module
from polymd.datasets.polybench.build import build
from polymd.datasets.polybench.plan import Settings, Task
from polymd.datasets.polybench.storage import read_chains, write_chains
from polymd.datasets.polybench.system import gaff2_energy
from polymd.testing import FLOAT32_RTOL

SHORT = Settings(
    chains=1,
    starts=2,
    references=2,
    library_atoms=60,
    reference_atoms=80,
    long_atoms=250,
    long_references=1,
    library_times=(0.02, 0.04, 0.04),
    reference_times=(0.02, 0.04, 0.04),
    library_frames=2,
    reference_frames=2,
)


@pytest.fixture
def plan(pet: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    tasks = [
        Task(pet["psmiles"], "test", "library"),
        Task(pet["psmiles"], "test", "reference"),
        Task(pet["psmiles"], "test", "long"),
        Task("*CCO*", "train", "library"),  # AmberTools cannot be found
    ]
    monkeypatch.setattr(module, "make_plan", lambda *_: tasks)
    return tasks


def test_parts_are_made_once_and_merged(plan: list[Task], tmp_path: Path) -> None:
    out = tmp_path / "data.h5"
    first = build(SHORT, tmp_path, out, minutes=0.0)
    assert (first.finished, first.polymers, first.chains) == (False, 0, 0)
    done = build(SHORT, tmp_path, out)
    assert (done.finished, done.polymers, done.chains, done.failures) == (True, 1, 3, 1)
    library, long, reference = read_chains(out)
    assert (library.kind, long.kind, reference.kind) == ("library", "long", "reference")
    polymer = long.polymer()
    assert 200 < polymer.n_atoms < 300
    assert long.start.tolist() == [0, 0]
    np.testing.assert_allclose(gaff2_energy(polymer, long.positions), long.energies, rtol=FLOAT32_RTOL)
    assert next(iter(read_chains(out, split="test", kind="library"))).n_units == 4
    for chain in (library, reference):
        polymer = chain.polymer()
        assert chain.positions.shape == (4, polymer.n_atoms, 3)
        assert chain.start.tolist() == [0, 0, 1, 1]
        assert np.isfinite(chain.energies).all()
        np.testing.assert_allclose(chain.positions.mean(axis=1), 0.0, atol=1e-4)
        assert all(keeps_stereo(polymer.to_rdkit(), x) for x in chain.positions)
    with out.with_name("data.h5.failures.csv").open(newline="") as file:
        (failure,) = csv.DictReader(file)
    assert failure["psmiles"] == "*CCO*"
    assert "antechamber" in failure["failure"]
    write_chains(tmp_path / "rounded.h5", [library], decimals=2)
    (rounded,) = read_chains(tmp_path / "rounded.h5")
    np.testing.assert_allclose(rounded.positions, library.positions, atol=0.0051)
    assert rounded.seed == library.seed
    again = build(SHORT, tmp_path, out)
    assert again == done  # nothing was done again: the seconds are the same


def test_parts_of_other_settings_are_refused(plan: list[Task], tmp_path: Path) -> None:
    build(SHORT, tmp_path, tmp_path / "data.h5", minutes=0.0)
    with pytest.raises(ValueError, match="made with other seed"):
        build(Settings(**{**vars(SHORT), "seed": 1}), tmp_path, tmp_path / "data.h5")


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"python -m polymd\.datasets\.polybench"):
        list(read_chains(tmp_path / "none.h5"))
