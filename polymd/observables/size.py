"""How large a chain is: radius of gyration, end-to-end distance, characteristic ratio."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.observables.chains import backbone_atoms, chain_atoms, chain_masses, positions
from polymd.observables.estimate import Estimate, mean_with_error, ratio_with_error

if TYPE_CHECKING:
    from mdtraj import Trajectory


def radius_of_gyration_series(trajectory: "Trajectory") -> NDArray[np.float64]:
    r"""Radius of gyration of every frame, `(F,)` in Å, averaged over the chains.

        Rg² = Σ_i m_i |r_i - r_c|² / Σ_i m_i,    r_c = Σ_i m_i r_i / Σ_i m_i

    | symbol     | in the code                              |
    |------------|------------------------------------------|
    | m_i        | `masses`, amu; `weights` is m_i / Σ m_i  |
    | r_i, r_c   | `xyz`, `centre`, Å                       |

    Source: M. Rubinstein and R. H. Colby, Polymer Physics (2003), section 2.4, with masses. mdtraj's
    `compute_rg` is not used: without masses it weighs all atoms the same, and with masses it still measures
    from the centre of geometry (mdtraj pull request 2178).
    """
    atoms = chain_atoms(trajectory.topology)
    masses = chain_masses(trajectory.topology)
    weights = (masses / masses.sum(axis=1, keepdims=True))[None, :, :, None]
    xyz = positions(trajectory, atoms)
    centre = (weights * xyz).sum(axis=2, keepdims=True)
    squared = (weights * np.square(xyz - centre)).sum(axis=(2, 3))
    return np.asarray(np.sqrt(squared).mean(axis=1))


def radius_of_gyration(trajectory: "Trajectory") -> Estimate:
    """Mean radius of gyration ⟨Rg⟩ over frames and chains in Å.

    The mass-weighted one of [`radius_of_gyration_series`][polymd.observables.radius_of_gyration_series].

    Parameters
    ----------
    trajectory
        Unwrapped frames of one or several copies of a chain.
    """
    return mean_with_error(radius_of_gyration_series(trajectory), "Å")


def end_to_end_distance_series(trajectory: "Trajectory", backbone: ArrayLike) -> NDArray[np.float64]:
    """Distance |r_last - r_first| of the backbone of every frame, `(F,)` in Å, averaged over the chains."""
    ends = _end_to_end_vectors(trajectory, backbone)
    return np.asarray(np.linalg.norm(ends, axis=2).mean(axis=1))


def end_to_end_distance(trajectory: "Trajectory", backbone: ArrayLike) -> Estimate:
    """Mean end-to-end distance ⟨|R|⟩ of the backbone over frames and chains in Å.

    Parameters
    ----------
    trajectory
        Unwrapped frames of one or several copies of a chain.
    backbone
        `(B,)` atom indices within one chain, in chain order: `Polymer.backbone`.

    Raises
    ------
    ValueError
        The backbone has fewer than two atoms or leaves the chain.
    """
    return mean_with_error(end_to_end_distance_series(trajectory, backbone), "Å")


def characteristic_ratio(trajectory: "Trajectory", backbone: ArrayLike) -> Estimate:
    r"""Flory's characteristic ratio of the backbone, dimensionless.

        C_n = ⟨R²⟩ / (n l²),    n l² = Σ_{i=1..n} ⟨|r_{i+1} - r_i|²⟩

    | symbol  | in the code                                                               |
    |---------|---------------------------------------------------------------------------|
    | R²      | `end_to_end`, square distance of the first and last backbone atom, Å²      |
    | n l²    | `contour`, the summed square lengths of the n = len(backbone) - 1 bonds, Å² |

    Source: M. Rubinstein and R. H. Colby, Polymer Physics (2003), section 2.2. A freely jointed chain gives
    1, a rod n. A backbone that crosses aromatic rings counts their shortest path.

    Parameters
    ----------
    trajectory
        Unwrapped frames of one or several copies of a chain.
    backbone
        `(B,)` atom indices within one chain, in chain order: `Polymer.backbone`.

    Raises
    ------
    ValueError
        The backbone has fewer than two atoms or leaves the chain.
    """
    xyz = positions(trajectory, backbone_atoms(trajectory.topology, backbone, 2))
    end_to_end = np.square(xyz[:, :, -1] - xyz[:, :, 0]).sum(axis=-1)
    contour = np.square(np.diff(xyz, axis=2)).sum(axis=(2, 3))
    return ratio_with_error(end_to_end.mean(axis=1), contour.mean(axis=1))


def _end_to_end_vectors(trajectory: "Trajectory", backbone: ArrayLike) -> NDArray[np.float64]:
    """`(F, C, 3)` vectors from the first to the last backbone atom in Å."""
    ends = backbone_atoms(trajectory.topology, backbone, 2)[:, [0, -1]]
    xyz = positions(trajectory, ends)
    return xyz[:, :, 1] - xyz[:, :, 0]
