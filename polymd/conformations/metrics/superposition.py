"""S-MAT: how near generated and reference structures come, by superposition of their heavy atoms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["matching", "rmsd_matrix", "superposed_rmsd"]

CYCLES = 5
CUTOFF = 2.0
_LEAST_ATOMS = 3


def superposed_rmsd(
    a: NDArray[np.floating], b: NDArray[np.floating], *, cycles: int = CYCLES, cutoff: float = CUTOFF
) -> float:
    """Root-mean-square distance in Å of two structures (N, 3) after superposition and outlier rejection.

        RMSD = min_R sqrt(1/|K| sum_{i in K} |R (a_i - <a>) - (b_i - <b>)|^2)

    R is the rotation of W. Kabsch, Acta Cryst. A 32, 922 (1976), K all atoms at first; then up to `cycles`
    times all atoms of K farther apart than `cutoff` RMSD are left out and R is found anew. Atom i of `a` is
    atom i of `b`. PolyConf (arXiv 2504.08859) takes its S-MAT from an aligner that does this by default,
    with 5 cycles and a cutoff of 2; cycles=0 is the plain RMSD.
    """
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(
            f"structures of {x.shape} and {y.shape}; allowed: equal shapes (N, 3); fix: same polymer"
        )
    for cycle in range(cycles + 1):
        apart = np.linalg.norm(_superposed(x, y), axis=1)
        rmsd = float(np.sqrt(np.mean(apart**2)))
        keep = apart <= cutoff * rmsd
        if cycle == cycles or keep.all() or keep.sum() < _LEAST_ATOMS:
            break
        x, y = x[keep], y[keep]
    return rmsd


def _superposed(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Differences (N, 3) after x was turned onto y."""
    p, q = x - x.mean(axis=0), y - y.mean(axis=0)
    u, _, vt = np.linalg.svd(p.T @ q)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turned: NDArray[np.float64] = p @ (u * sign) @ vt - q
    return turned


def rmsd_matrix(generated: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.float64]:
    """`superposed_rmsd` (G, R) of all pairs of generated (G, N, 3) and reference (R, N, 3) structures."""
    return np.array([[superposed_rmsd(a, b) for b in reference] for a in generated])


def matching(matrix: NDArray[np.float64]) -> tuple[float, float]:
    """Recall and precision of a (G, R) matrix of distances between generated and reference structures.

    MAT-R: mean over references of the least distance to any generated structure; MAT-P: mean over generated
    structures of the least distance to any reference. Signed values are compared as they are. T. Ganea et
    al., GeoMol, NeurIPS 2021, section 4.1, as used by PolyConf.
    """
    return float(matrix.min(axis=0).mean()), float(matrix.min(axis=1).mean())
