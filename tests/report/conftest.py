"""A small run folder, written with OpenMM as a run writes it."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from openmm import unit
from openmm.app import DCDFile, PDBFile

from polymd import Polymer

FRAMES = 5


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    polymer = Polymer("*CCO*", 4)
    rng = np.random.default_rng(0)
    positions = rng.normal(0.0, 4.0, (FRAMES, polymer.n_atoms, 3))
    topology = polymer.to_openmm()
    with (tmp_path / "topology.pdb").open("w") as file:
        PDBFile.writeFile(topology, positions[0] * unit.angstrom, file, keepIds=True)
    with (tmp_path / "trajectory.dcd").open("wb") as file:
        dcd = DCDFile(file, topology, 1.0 * unit.femtosecond, interval=10)
        for frame in positions:
            dcd.writeModel(frame * unit.angstrom)
    rows = [f"{10 * i},{10.0 * i},{-100.0 + i},{1.0 + i},{290.0 + i},1.5" for i in range(FRAMES)]
    header = "step,time_fs,potential_energy_eV,kinetic_energy_eV,temperature_K,speed_ns_day"
    (tmp_path / "log.csv").write_text("\n".join([header, *rows]) + "\n")
    properties = {
        "radius_of_gyration": {"value": 6.54321, "error": 0.0123, "unit": "Å"},
        "temperature": {"value": 292.0, "error": None, "unit": "K"},
        "torsion_distribution": {"edges": [-180, 0, 180], "counts": [3, 1], "unit": "degree"},
    }
    (tmp_path / "properties.json").write_text(json.dumps(properties))
    settings = {
        "psmiles": "*CCO*",
        "units": 4,
        "temperature": 300.0,
        "density": None,
        "command": "polymd run '*CCO*' --units 4 --out a&b",
        "versions": {"polymd": "0.1.0", "openmm": "8.4"},
        "machine": {"processor": "a <fast> one", "cores": 2},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
    return tmp_path
