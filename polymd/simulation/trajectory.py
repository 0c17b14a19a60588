"""The DCD trajectory of a run: OpenMM's writer, made to continue at an earlier frame."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.trajectories import HEADER_BYTES, frame_layout

if TYPE_CHECKING:
    from openmm.app import Topology


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

    def write(self, positions: NDArray[np.float64], cell: NDArray[np.float64] | None = None) -> None:
        """Append one frame, (N, 3) Å, with its cell (3, 3) Å where that is not the topology's."""
        self._dcd.writeModel(positions * 0.1, periodicBoxVectors=None if cell is None else cell * 0.1)
        self.frames += 1

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _truncate(path: Path, topology: Topology, interval: int, frames: int) -> None:
    """Cut a DCD after `frames` frames and correct the frame count and last step in its header."""
    periodic = topology.getPeriodicBoxVectors() is not None
    size = HEADER_BYTES + frames * frame_layout(topology.getNumAtoms(), periodic).itemsize
    if not path.exists() or path.stat().st_size < size:
        raise ValueError(f"{path} is shorter than the {frames} frames of its checkpoint; start a new run")
    os.truncate(path, size)
    with path.open("r+b") as file:
        file.seek(8)
        file.write(struct.pack("<i", frames))
        file.seek(20)
        file.write(struct.pack("<i", (frames - 1) * interval))
