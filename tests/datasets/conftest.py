"""A teacher for tests: springs between near atoms and soft walls, fast and the same everywhere."""

import importlib
from pathlib import Path

import pytest

SOURCE = '''
"""Harmonic springs to what the bond lengths should be; a pair further apart than 1.7 Å only repels."""

import os
import numpy as np
from ase.calculators.calculator import Calculator, all_changes
from ase.data import covalent_radii


class Springs(Calculator):
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=None, system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if 9 in atoms.numbers:
            raise RuntimeError("no fluorine here")
        i, j = np.triu_indices(len(atoms), 1)
        d = atoms.positions[i] - atoms.positions[j]
        r = np.linalg.norm(d, axis=1)
        r0 = covalent_radii[atoms.numbers[i]] + covalent_radii[atoms.numbers[j]]
        bonded = r < 1.3 * r0
        k = np.where(bonded, 10.0, 0.0)
        near = (~bonded) & (r < 3.0)
        energy = (0.5 * k * (r - r0) ** 2).sum() + (0.05 * (3.0 - r) ** 2)[near].sum()
        slope = k * (r - r0) - np.where(near, 0.1 * (3.0 - r), 0.0)
        forces = np.zeros((len(atoms), 3))
        pull = (slope / r)[:, None] * d
        np.add.at(forces, i, -pull)
        np.add.at(forces, j, pull)
        self.results = {"energy": energy, "forces": forces, "forces_std": np.full(len(atoms), 0.01)}


def make():
    return Springs()


class Doubtful(Springs):
    """Half of the geometries are doubtful: those with the first atom on the right of the last."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        right = self.atoms.positions[0, 0] > self.atoms.positions[-1, 0]
        self.results["forces_std"][0] = 9.0 if right else 0.01


def doubtful():
    return Doubtful()


def deadly():
    """Kills its process after some calls, once, as the file says."""
    flag = os.environ["TOY_FLAG"]

    class Deadly(Springs):
        calls = 0

        def calculate(self, *args, **kwargs):
            Deadly.calls += 1
            if Deadly.calls > 300 and not os.path.exists(flag):
                open(flag, "w").close()
                os.kill(os.getpid(), 9)
            super().calculate(*args, **kwargs)

    return Deadly()
'''


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of the importable module with `make`, `doubtful` and `deadly`."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "toy_teacher.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(importlib.sys.modules, "toy_teacher", raising=False)  # type: ignore[attr-defined]
    return "toy_teacher"


@pytest.fixture
def polymers(tmp_path: Path) -> Path:
    """Two polymers, one that the teacher refuses, one held out in another spelling, one that is none."""
    path = tmp_path / "polymers.csv"
    path.write_text("name,PSMILES\nPEO,*CCO*\nPP,*CC(*)C\nPVDF,*CC(F)(F)*\nPS,*C(c1ccccc1)C*\nbad,CCC\n")
    return path
