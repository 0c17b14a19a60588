"""The parts of the benchmarks of conformations that decide something."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conformations.relaxation import SAMPLE, WINDOW, analyse, divergence, gyration, reached, table
from polymd.conformations.etkdg import embed
from polymd.datasets.polybench.storage import ReferenceChain
from polymd.polymer import Polymer


def test_reached_is_when_it_stays() -> None:
    times = np.arange(5.0)
    assert reached(times, np.array([3.0, 0.5, 2.0, 0.9, 0.8]), 1.0) == 3.0
    assert reached(times, np.full(5, 0.5), 1.0) == 0.0
    assert reached(times, np.array([0.1, 0.1, 0.1, 0.1, 1.1]), 1.0) is None


def test_gyration_counts_masses() -> None:
    polymer = Polymer("*CCO*", 2)
    x = np.random.default_rng(0).normal(size=(3, 2, polymer.n_atoms, 3))
    centre = np.average(x[1, 0], axis=0, weights=polymer.masses)
    square = ((x[1, 0] - centre) ** 2).sum(axis=1)
    expected = np.sqrt(np.average(square, weights=polymer.masses))
    assert gyration(polymer, x).shape == (3, 2)
    assert gyration(polymer, x)[1, 0] == pytest.approx(expected)


def test_a_run_that_is_the_reference_is_relaxed_from_the_start() -> None:
    polymer = Polymer("*CCO*", 4)
    x = embed(polymer.to_rdkit(), 8, 0)
    start = np.repeat(np.arange(4, dtype=np.int16), 4)
    chains = [
        ReferenceChain(
            "*CCO*",
            4,
            "atactic",
            seed,
            "test",
            "library",
            "bcc",
            np.repeat(half, 4, axis=0).astype(np.float32),
            np.zeros(16),
            start,
        )
        for seed, half in enumerate((x[:4], x[4:]))
    ]
    steps = round(3 * WINDOW / SAMPLE) + 1
    same = np.repeat(x[None], steps, axis=0).astype(np.float32)
    found = analyse(chains, same)
    assert found["rg_reached"] == 0.0
    assert found["torsions_start"] == pytest.approx(0.0, abs=1e-9)
    assert found["torsions_reached"] == 0.0
    assert found["torsions_floor"] > 0.0
    assert divergence(polymer, x, -x) == 0.0
    longer = analyse(chains, 1.5 * same)
    assert longer["rg_reached"] is None
    rows = [
        {"psmiles": "*CCO*", "n_units": 4, "method": "growth", "ps": 6.0} | longer,
        {"psmiles": "*CCO*", "n_units": 4, "method": "etkdg", "ps": 6.0, "failure": "none"},
    ]
    assert "over 6" in table(rows)
    assert "failed" in table(rows)
