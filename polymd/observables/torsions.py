"""Distribution of the backbone's torsion angles."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.observables.chains import backbone_atoms

if TYPE_CHECKING:
    from mdtraj import Trajectory


@dataclass(frozen=True)
class TorsionDistribution:
    """A histogram: `counts` `(K,)` of angles between `edges` `(K + 1,)` in degrees, from -180 to 180."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def density(self) -> NDArray[np.float64]:
        """`(K,)` probability density, 1/degree."""
        return np.asarray(self.counts / (self.counts.sum() * np.diff(self.edges)))

    def as_dict(self) -> dict[str, list[float] | list[int] | str]:
        """`{"edges", "counts", "unit"}` for JSON."""
        return {"edges": self.edges.tolist(), "counts": self.counts.tolist(), "unit": "degree"}


def torsion_distribution(
    trajectory: "Trajectory", backbone: ArrayLike, *, bins: int = 72
) -> TorsionDistribution:
    """Histogram of every torsion of the backbone over frames and chains.

    Angles follow the IUPAC convention: ±180° is trans, 0° is cis, positive is clockwise looking along the
    middle bond. Torsions about ring bonds and double bonds that lie on the backbone are counted with the
    others.

    Parameters
    ----------
    trajectory
        Unwrapped frames of one or several copies of a chain.
    backbone
        `(B,)` atom indices within one chain, in chain order: `Polymer.backbone`.
    bins
        Number of bins between -180° and 180°.

    Raises
    ------
    ValueError
        The backbone has fewer than four atoms or leaves the chain, or `bins` < 1.
    """
    if bins < 1:
        raise ValueError(f"bins={bins}; give at least 1")
    counts, edges = np.histogram(_torsions(trajectory, backbone, 4), bins=bins, range=(-180.0, 180.0))
    return TorsionDistribution(edges.astype(np.float64), counts.astype(np.int64))


def torsion_pairs(trajectory: "Trajectory", backbone: ArrayLike) -> NDArray[np.float64]:
    """Torsions about neighbouring bonds of the backbone, `(F, P, 2)` degrees, over all chains.

    Arguments and signs are those of `torsion_distribution`; the backbone needs five atoms (ValueError).
    """
    angles = _torsions(trajectory, backbone, 5)
    pairs = np.stack([angles[..., :-1], angles[..., 1:]], axis=-1)
    return np.asarray(pairs.reshape(len(pairs), -1, 2))


def _torsions(trajectory: "Trajectory", backbone: ArrayLike, least: int) -> NDArray[np.float64]:
    """`(F, chains, B - 3)` degrees; a backbone of fewer than `least` atoms raises ValueError."""
    import mdtraj

    atoms = backbone_atoms(trajectory.topology, backbone, least)
    quartets = np.lib.stride_tricks.sliding_window_view(atoms, 4, axis=1)
    angles = mdtraj.compute_dihedrals(trajectory, quartets.reshape(-1, 4), periodic=False)
    # rounding may leave an angle a hair outside the circle
    degrees = np.clip(np.degrees(angles.astype(np.float64)), -180.0, 180.0)
    return np.asarray(degrees.reshape(-1, *quartets.shape[:2]))
