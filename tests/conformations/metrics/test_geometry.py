from __future__ import annotations

import numpy as np
import pytest

from polymd.conformations.etkdg import embed
from polymd.conformations.metrics.geometry import geometry_errors
from polymd.polymer import Polymer


def test_scaled_chains_have_longer_bonds_and_the_same_angles() -> None:
    polymer = Polymer("*CCO*", 3)
    x = embed(polymer.to_rdkit(), 2, 0)
    i, j = polymer.bonds.T
    mean = float(np.linalg.norm(x[:, i] - x[:, j], axis=2).mean())
    found = geometry_errors(polymer, 1.02 * x, x)
    assert found["bond_error"] == pytest.approx(0.02 * mean)
    assert found["angle_error"] == pytest.approx(0.0, abs=1e-6)
    bent = x + np.random.default_rng(0).normal(size=x.shape) * 0.1
    assert geometry_errors(polymer, bent, x)["angle_error"] > 1.0
