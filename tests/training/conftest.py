"""Rattled small molecules with the shipped model's energies and forces as labels."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule

from polymd.datasets.frames import LabelledMolecule, write_frames
from polymd.training.potential_errors import polyget_predictor

FAMILIES = {"*CO*": "CH3OH", "*CCO*": "CH3CH2OH", "*OCC*": "CH3OCH3", "*CC*": "C2H6", "*CS*": "CH3SH"}
THEORY = "the shipped PolyGET"


def labelled(psmiles: str, name: str, n_frames: int = 6) -> LabelledMolecule:
    atoms = molecule(name)
    rng = np.random.default_rng(len(psmiles))
    positions = (atoms.positions + rng.normal(scale=0.04, size=(n_frames, len(atoms), 3))).astype(np.float32)
    bare = LabelledMolecule(
        numbers=atoms.numbers.astype(np.int64),
        positions=positions,
        energies=np.zeros(n_frames),
        forces=np.zeros_like(positions),
        temperatures=np.array([300.0, 600.0] * (n_frames // 2)),
        psmiles=psmiles,
        id=name,
        n_units=1,
        kind="linear",
    )
    energies, forces = polyget_predictor("polyget")(bare)
    return dataclasses.replace(bare, energies=energies, forces=forces.astype(np.float32))


@pytest.fixture(scope="session")
def molecules() -> list[LabelledMolecule]:
    return [labelled(psmiles, name) for psmiles, name in FAMILIES.items()]


@pytest.fixture(scope="session")
def data(molecules: list[LabelledMolecule], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The molecules as an HDF5 file."""
    path = tmp_path_factory.mktemp("frames") / "frames.h5"
    write_frames(path, molecules, level_of_theory=THEORY, sampler="rattled")
    return path
