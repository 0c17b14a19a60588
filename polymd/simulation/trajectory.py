"""The DCD trajectory of a run: OpenMM's writer, made to continue at an earlier frame, and a reader."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import mdtraj
    from openmm.app import Topology

_HEADER_BYTES = 276  # as `openmm.app.DCDFile` writes it
_BOX_FLAG = 48  # byte of the header


class TrajectoryWriter:
    """Frames appended to a DCD through `openmm.app.DCDFile`, the writer behind OpenMM's DCDReporter.

    Parameters
    ----------
    path
        The DCD file.
    topology
        Decides the number of atoms and whether box lengths are written.
    timestep, interval
        fs of a step, and steps between frames.
    frames
        0 starts a new file; more keeps that many frames of an existing one and drops the rest.
    """

    def __init__(
        self, path: Path, topology: Topology, *, timestep: float, interval: int, frames: int = 0
    ) -> None:
        from openmm import unit
        from openmm.app import DCDFile

        if frames:
            _truncate(path, topology, interval, frames)
        self._file = path.open("r+b" if frames else "wb")
        self._dcd = DCDFile(
            self._file, topology, timestep * unit.femtosecond, interval=interval, append=frames > 0
        )
        self.frames = frames

    def write(self, positions: NDArray[np.float64]) -> None:
        """Append one frame, (N, 3) Å."""
        self._dcd.writeModel(positions * 0.1)
        self.frames += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _truncate(path: Path, topology: Topology, interval: int, frames: int) -> None:
    """Cut a DCD after `frames` frames and correct the frame count and last step in its header."""
    periodic = topology.getPeriodicBoxVectors() is not None
    size = _HEADER_BYTES + frames * _frame_type(topology.getNumAtoms(), periodic).itemsize
    if not path.exists() or path.stat().st_size < size:
        raise ValueError(f"{path} is shorter than the {frames} frames of its checkpoint; start a new run")
    os.truncate(path, size)
    with path.open("r+b") as file:
        file.seek(8)
        file.write(struct.pack("<i", frames))
        file.seek(20)
        file.write(struct.pack("<i", (frames - 1) * interval))


def read_trajectory(path: Path, topology: mdtraj.Topology) -> mdtraj.Trajectory:
    """Frames of a DCD that OpenMM wrote, a last one cut short by a kill left out.

    `mdtraj.load_dcd` does the same, but its plugin prints to standard output, which must stay clean JSON
    for `--json`.

    Raises
    ------
    ValueError
        When the file is not such a DCD or has another number of atoms.
    """
    import mdtraj

    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or header[4:8] != b"CORD":
        raise ValueError(f"{path} is not a DCD trajectory of a run")
    periodic = bool(struct.unpack_from("<i", header, _BOX_FLAG)[0])
    n_atoms = struct.unpack_from("<i", header, _HEADER_BYTES - 8)[0]
    if n_atoms != topology.n_atoms:
        raise ValueError(f"{path} has {n_atoms} atoms, its topology {topology.n_atoms}")
    layout = _frame_type(n_atoms, periodic)
    count = (path.stat().st_size - _HEADER_BYTES) // layout.itemsize
    frames = np.fromfile(path, dtype=layout, count=count, offset=_HEADER_BYTES)
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


def _frame_type(n_atoms: int, periodic: bool) -> np.dtype[np.void]:
    """Layout of one frame: an optional box record, then one record each of x, y and z."""
    box = [("box_start", "<i4"), ("box", "<f8", (6,)), ("box_end", "<i4")] if periodic else []
    axes = [
        field
        for axis in "xyz"
        for field in ((f"{axis}_start", "<i4"), (axis, "<f4", (n_atoms,)), (f"{axis}_end", "<i4"))
    ]
    return np.dtype([*box, *axes])
