"""Reading the frames of a run."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mdtraj import Trajectory


def load_trajectory(folder: Path) -> Trajectory:
    """`trajectory.dcd` on `topology.pdb` of a run folder, in mdtraj's nm.

    mdtraj's DCD reader prints two lines about itself from C; they go to standard error, so that what a
    command prints on standard output stays readable to programs.
    """
    import mdtraj

    with _c_output_to_stderr():
        return mdtraj.load_dcd(str(folder / "trajectory.dcd"), top=str(folder / "topology.pdb"))


@contextmanager
def _c_output_to_stderr() -> Iterator[None]:
    library = ctypes.CDLL(None)
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        library.fflush(None)  # C buffers what it prints when standard output is a pipe
        os.dup2(kept, 1)
        os.close(kept)
