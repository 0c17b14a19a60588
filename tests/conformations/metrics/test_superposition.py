from __future__ import annotations

import mdtraj
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from polymd.conformations.metrics.superposition import matching, rmsd_matrix, superposed_rmsd
from polymd.testing import FLOAT32_RTOL


def _cloud(seed: int, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 3)) * 5


def test_a_moved_copy_has_none_and_a_mirror_image_some() -> None:
    x = _cloud(0)
    moved = x @ Rotation.random(rng=np.random.default_rng(1)).as_matrix() + [3.0, -2.0, 9.0]
    assert superposed_rmsd(moved, x) == pytest.approx(0.0, abs=1e-9)
    assert superposed_rmsd(-x, x) > 1.0


def test_without_rejection_it_is_that_of_mdtraj() -> None:
    x, y = _cloud(0), _cloud(1)
    topology = mdtraj.Topology()
    residue = topology.add_residue("X", topology.add_chain())
    for _ in x:
        topology.add_atom("C", mdtraj.element.carbon, residue)
    a, b = (mdtraj.Trajectory(v[None].astype(np.float32), topology) for v in (x, y))
    expected = float(mdtraj.rmsd(a, b)[0])
    assert superposed_rmsd(x, y, cycles=0) == pytest.approx(expected, rel=100 * FLOAT32_RTOL)


def test_outliers_are_rejected_cycle_by_cycle() -> None:
    x = _cloud(0)
    y = x.copy()
    y[3] += [0.0, 0.0, 30.0]
    assert superposed_rmsd(x, y, cycles=0) > 2.0
    assert superposed_rmsd(x, y) == pytest.approx(0.0, abs=1e-6)
    # nothing is farther than 10 times the RMSD from anything
    assert superposed_rmsd(x, y, cutoff=10.0) == superposed_rmsd(x, y, cycles=0)


def test_recall_and_precision_by_hand() -> None:
    matrix = np.array([[1.0, 5.0], [2.0, 4.0], [9.0, 9.0]])  # three generated, two references
    assert matching(matrix) == (pytest.approx((1 + 4) / 2), pytest.approx((1 + 2 + 9) / 3))
    signed = np.array([[-3.0, 0.5]])
    assert matching(signed) == (pytest.approx(-1.25), pytest.approx(-3.0))


def test_matrix_has_generated_rows() -> None:
    generated, reference = np.stack([_cloud(0), _cloud(1), _cloud(2)]), np.stack([_cloud(1), _cloud(3)])
    matrix = rmsd_matrix(generated, reference)
    assert matrix.shape == (3, 2)
    assert matrix[1, 0] == pytest.approx(0.0, abs=1e-9)
    with pytest.raises(ValueError, match="equal shapes"):
        superposed_rmsd(generated[0], reference[0][:5])
