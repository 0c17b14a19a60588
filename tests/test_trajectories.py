"""Reading frames leaves standard output alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from openmm import unit
from openmm.app import DCDFile, PDBFile

from polymd import Polymer
from polymd.testing import FLOAT32_RTOL
from polymd.trajectories import load_trajectory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    polymer = Polymer("*CC*", 3)
    positions = np.arange(3.0 * polymer.n_atoms).reshape(-1, 3)
    with (tmp_path / "topology.pdb").open("w") as file:
        PDBFile.writeFile(polymer.to_openmm(), positions * unit.angstrom, file)
    with (tmp_path / "trajectory.dcd").open("wb") as file:
        dcd = DCDFile(file, polymer.to_openmm(), 1.0 * unit.femtosecond)
        dcd.writeModel(positions * unit.angstrom)
        dcd.writeModel(2.0 * positions * unit.angstrom)
    return tmp_path


def test_frames(folder: Path) -> None:
    trajectory = load_trajectory(folder)
    expected = np.arange(3.0 * trajectory.n_atoms).reshape(-1, 3)
    assert 10.0 * trajectory.xyz == pytest.approx(np.stack([expected, 2.0 * expected]), rel=FLOAT32_RTOL)
    assert trajectory.topology.n_residues == 3


def test_standard_output_stays_clean(folder: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from polymd.trajectories import load_trajectory\n"
        "print('before')\n"
        "load_trajectory(pathlib.Path(sys.argv[1]))\n"
        "print('after')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["before", "after"]
