"""Shards: what has been labelled so far, in files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule


@dataclass(frozen=True)
class Identity:
    """Which molecule a frame is of, as in `LabelledMolecule`."""

    psmiles: str
    id: str
    kind: str
    n_units: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Frame:
    """A labelled geometry: positions (N, 3) Å, energy eV, forces (N, 3) eV/Å, largest atomic force std."""

    molecule: Identity
    positions: NDArray[np.float32]
    energy: float
    forces: NDArray[np.float32]
    force_std: float
    temperature: float


@dataclass
class Shard:
    """Frames of one step of work, what failed in it, and the arrays to go on from.

    A failure is (psmiles, id, temperature, reason). `confident` counts frames that needed no label.
    """

    frames: list[Frame] = field(default_factory=list)
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    state: dict[str, NDArray[Any]] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    confident: int = 0


def shard_path(folder: Path, task: int, block: int) -> Path:
    """Name of a shard."""
    return folder / f"task-{task:06d}-{block:04d}.npz"


def write_shard(path: Path, shard: Shard) -> None:
    """Write a shard under another name and rename it when it is whole."""
    frames = shard.frames
    arrays = {
        "psmiles": np.array([f.molecule.psmiles for f in frames], np.str_),
        "id": np.array([f.molecule.id for f in frames], np.str_),
        "kind": np.array([f.molecule.kind for f in frames], np.str_),
        "n_units": np.array([f.molecule.n_units for f in frames], np.int64),
        "n_atoms": np.array([len(f.positions) for f in frames], np.int64),
        "numbers": np.array([z for f in frames for z in f.molecule.numbers], np.uint8),
        "positions": np.concatenate([np.zeros((0, 3), np.float32), *(f.positions for f in frames)]),
        "forces": np.concatenate([np.zeros((0, 3), np.float32), *(f.forces for f in frames)]),
        "energies": np.array([f.energy for f in frames], np.float64),
        "force_std": np.array([f.force_std for f in frames], np.float64),
        "temperature": np.array([f.temperature for f in frames], np.float64),
        "failures": np.array(shard.failures, np.str_).reshape(-1, 4),
        "cpu_seconds": np.array(shard.cpu_seconds),
        "confident": np.array(shard.confident),
    } | {f"state_{name}": array for name, array in shard.state.items()}
    partial = path.with_suffix(f".{os.getpid()}.partial")  # an orphan may still be at the same shard
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_shard(path: Path) -> Shard:
    """Read a shard; nothing is unpickled."""
    with np.load(path, allow_pickle=False) as data:
        a = {name: data[name] for name in data.files}
    ends = np.cumsum(a["n_atoms"])
    frames = []
    for i, (end, n) in enumerate(zip(ends.tolist(), a["n_atoms"].tolist(), strict=True)):
        rows = slice(end - n, end)
        identity = Identity(
            str(a["psmiles"][i]),
            str(a["id"][i]),
            str(a["kind"][i]),
            int(a["n_units"][i]),
            tuple(a["numbers"][rows].tolist()),
        )
        frames.append(
            Frame(
                identity,
                a["positions"][rows],
                float(a["energies"][i]),
                a["forces"][rows],
                float(a["force_std"][i]),
                float(a["temperature"][i]),
            )
        )
    failures = [(str(f[0]), str(f[1]), str(f[2]), str(f[3])) for f in a["failures"]]
    state = {name.removeprefix("state_"): array for name, array in a.items() if name.startswith("state_")}
    return Shard(frames, failures, state, float(a["cpu_seconds"]), int(a.get("confident", 0)))


def read_shards(folder: Path) -> Iterator[Shard]:
    """All shards of a folder in the order of the work."""
    for path in sorted(folder.glob("task-*.npz")):
        yield read_shard(path)


def group_frames(frames: Iterable[Frame]) -> list[LabelledMolecule]:
    """Frames of the same molecule together, in the order in which molecules appear."""
    groups: dict[Identity, list[Frame]] = {}
    for frame in frames:
        groups.setdefault(frame.molecule, []).append(frame)
    return [
        LabelledMolecule(
            numbers=np.array(identity.numbers, np.int64),
            positions=np.stack([f.positions for f in group]),
            energies=np.array([f.energy for f in group]),
            forces=np.stack([f.forces for f in group]),
            temperatures=np.array([f.temperature for f in group]),
            psmiles=identity.psmiles,
            id=identity.id,
            n_units=identity.n_units,
            kind=identity.kind,
        )
        for identity, group in groups.items()
    ]
