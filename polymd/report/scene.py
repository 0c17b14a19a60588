"""The chain and its frames for the three-dimensional view."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.report.run_folder import RunFolder

MOST_FRAMES = 200
MOST_BYTES = 4_000_000  # of coordinates, as base64
RESOLUTION = 0.01  # Å


def scene(run: RunFolder) -> dict[str, Any]:
    """Elements, units, bonds and superposed frames, in the form `report.js` draws.

    Coordinates are 16-bit integers of `resolution` Å, frame after frame, in base64. Long trajectories are
    thinned out evenly to at most 200 frames or 4 MB.
    """
    topology = run.trajectory.topology
    chosen = _chosen_frames(run.trajectory.n_frames, topology.n_atoms)
    shown = run.trajectory[chosen]
    shown.center_coordinates(mass_weighted=True)
    if topology.n_chains == 1:
        shown.superpose(shown[0])
    xyz = _face_on(shown.xyz.astype(np.float64) * 10.0)
    resolution = max(RESOLUTION, float(np.abs(xyz).max()) / 32_000)
    return {
        "elements": [atom.element.symbol for atom in topology.atoms],
        "units": [atom.residue.index for atom in topology.atoms],
        "bonds": [[bond[0].index, bond[1].index] for bond in topology.bonds],
        "times": np.round(run.frame_times[chosen] / 1000.0, 6).tolist(),
        "resolution": resolution,
        "coordinates": base64.b64encode(np.round(xyz / resolution).astype("<i2").tobytes()).decode("ascii"),
    }


def _face_on(xyz: NDArray[np.float64]) -> NDArray[np.float64]:
    """The frames turned so that the first one is longest along x and thinnest along z, the line of sight."""
    _, _, axes = np.linalg.svd(xyz[0] - xyz[0].mean(axis=0), full_matrices=False)
    axes[2] = np.cross(axes[0], axes[1])  # a rotation, not a mirror
    return np.asarray(xyz @ axes.T)


def _chosen_frames(frames: int, atoms: int) -> list[int]:
    """Evenly spaced frames, the first and the last among them."""
    most = min(frames, MOST_FRAMES, max(2, MOST_BYTES // (8 * atoms)))
    return sorted(set(np.linspace(0, frames - 1, most).round().astype(int).tolist()))
