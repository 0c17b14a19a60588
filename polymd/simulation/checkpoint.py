"""The one file a stopped run continues from."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_NAME = "checkpoint.npz"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run was, and how much of its output belongs to that instant.

    Attributes
    ----------
    step
        Steps done.
    frames
        Frames of the trajectory, and rows of the log, written until then.
    state
        What `Engine.save` gave.
    """

    step: int
    frames: int
    state: bytes


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint.npz` so that the folder holds the old one or the new one, never half of one."""
    temporary = folder / f".{_NAME}.tmp"
    with temporary.open("wb") as file:
        np.savez(
            file,
            step=np.int64(checkpoint.step),
            frames=np.int64(checkpoint.frames),
            state=np.frombuffer(checkpoint.state, dtype=np.uint8),
        )
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _NAME)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint of a folder, or None when the run was stopped before its first one."""
    path = folder / _NAME
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as data:
        return Checkpoint(int(data["step"]), int(data["frames"]), data["state"].tobytes())
