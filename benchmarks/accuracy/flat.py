"""Labelled frames as one compressed .npz, a tenth of the size of HDF5 with a group for every molecule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from polymd.datasets.frames import LabelledMolecule

NAMES = ("psmiles", "id", "n_units", "kind")


def write_flat(path: Path, molecules: list[LabelledMolecule], attributes: dict[str, str]) -> None:
    """Write molecules in vacuum; `attributes` are those of an HDF5 file of frames."""
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        path,
        atoms=np.array([len(m.numbers) for m in molecules], np.int32),
        frames=np.array([len(m.energies) for m in molecules], np.int32),
        numbers=np.concatenate([m.numbers for m in molecules]).astype(np.uint8),
        positions=np.concatenate([m.positions.reshape(-1, 3) for m in molecules]).astype(np.float32),
        forces=np.concatenate([m.forces.reshape(-1, 3) for m in molecules]).astype(np.float32),
        energies=np.concatenate([m.energies for m in molecules]),
        temperatures=np.concatenate([m.temperatures for m in molecules]).astype(np.float32),
        names=json.dumps([{name: getattr(m, name) for name in NAMES} for m in molecules]),
        attributes=json.dumps(attributes),
    )


def read_flat(path: Path) -> tuple[list[LabelledMolecule], dict[str, str]]:
    """Molecules and attributes."""
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in file.files}
    molecules, row, atom, frame = [], 0, 0, 0
    names = json.loads(str(data["names"]))
    for n, f, name in zip(data["atoms"].tolist(), data["frames"].tolist(), names, strict=True):
        molecules.append(
            LabelledMolecule(
                numbers=data["numbers"][atom : atom + n].astype(np.int64),
                positions=data["positions"][row : row + n * f].reshape(f, n, 3),
                energies=data["energies"][frame : frame + f],
                forces=data["forces"][row : row + n * f].reshape(f, n, 3),
                temperatures=data["temperatures"][frame : frame + f].astype(np.float64),
                **name,
            )
        )
        row, atom, frame = row + n * f, atom + n, frame + f
    return molecules, json.loads(str(data["attributes"]))
