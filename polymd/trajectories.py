"""Reading the frames of a run."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mdtraj import Topology, Trajectory

HEADER_BYTES = 276  #: of a DCD that `openmm.app.DCDFile` wrote
_BOX_FLAG = 48  # byte of the header


def load_trajectory(folder: Path) -> Trajectory:
    """`trajectory.dcd` on `topology.pdb` of a run folder, in mdtraj's nm.

    Raises
    ------
    ValueError
        When the trajectory is none, or of another topology.
    """
    import mdtraj

    return read_dcd(folder / "trajectory.dcd", mdtraj.load_topology(str(folder / "topology.pdb")))


def read_dcd(path: Path, topology: Topology) -> Trajectory:
    """Frames of a DCD that OpenMM wrote, without a last one cut short by a kill.

    What `mdtraj.load_dcd` does, but that one prints lines about itself from C to standard output, where
    programs expect nothing but the JSON of `--json`.

    Raises
    ------
    ValueError
        When the file is not such a DCD or has another number of atoms.
    """
    import mdtraj

    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or header[4:8] != b"CORD":
        raise ValueError(f"{path} is not a DCD trajectory of a run")
    periodic = bool(struct.unpack_from("<i", header, _BOX_FLAG)[0])
    n_atoms = struct.unpack_from("<i", header, HEADER_BYTES - 8)[0]
    if n_atoms != topology.n_atoms:
        raise ValueError(f"{path} has {n_atoms} atoms, its topology {topology.n_atoms}")
    layout = frame_layout(n_atoms, periodic)
    count = (path.stat().st_size - HEADER_BYTES) // layout.itemsize
    frames = np.fromfile(path, dtype=layout, count=count, offset=HEADER_BYTES)
    positions = np.stack([frames["x"], frames["y"], frames["z"]], axis=-1) * np.float32(0.1)
    if not periodic:
        return mdtraj.Trajectory(positions, topology)
    box = frames["box"]  # a, cos γ, b, cos β, cos α, c
    return mdtraj.Trajectory(
        positions,
        topology,
        unitcell_lengths=box[:, [0, 2, 5]] * 0.1,
        unitcell_angles=np.degrees(np.arccos(box[:, [4, 3, 1]])),
    )


def frame_layout(n_atoms: int, periodic: bool) -> np.dtype[np.void]:
    """Bytes of one frame: an optional box record, then one record each of x, y and z."""
    box = [("box_start", "<i4"), ("box", "<f8", (6,)), ("box_end", "<i4")] if periodic else []
    axes = [
        field
        for axis in "xyz"
        for field in ((f"{axis}_start", "<i4"), (axis, "<f4", (n_atoms,)), (f"{axis}_end", "<i4"))
    ]
    return np.dtype([*box, *axes])
