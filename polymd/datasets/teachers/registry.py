"""The one call for teachers."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import numpy as np

from polymd.datasets.teachers.base import Teacher
from polymd.potentials import available

TEACHERS = ("aimnet2", "aimnet2-single", "gfn2", "dft", "dft-tzvp", "dft-r2scan")


def load_teacher(name: str, models: str | Path | None = None) -> Teacher:
    """A teacher by name.

    Parameters
    ----------
    name
        "aimnet2" (the ensemble, with a force std), "aimnet2-single" (one model of it, four times faster),
        "gfn2" (GFN2-xTB through tblite), "dft" (ωB97M-D3(BJ)/def2-TZVPP through PySCF), "dft-tzvp"
        (the same in def2-TZVP, cheaper), "dft-r2scan" (r2SCAN-D3(BJ)/def2-TZVPP), "module:factory",
        where the factory takes nothing and gives an ASE calculator, or a model of
        `polymd.potentials.available()`, for students that move the molecules.
    models
        Folder with the model files of the AIMNet2 teachers; not given, an installed Auto3D is looked for.

    Raises
    ------
    ValueError
        Unknown name, a package or file that is missing, a factory that gives no calculator.
    """
    if name in ("aimnet2", "aimnet2-single"):
        from polymd.datasets.teachers.aimnet2 import AIMNet2

        return AIMNet2(ensemble=name == "aimnet2", models=models)
    if name == "gfn2":
        from polymd.datasets.teachers.gfn2 import gfn2

        return gfn2()
    if name in ("dft", "dft-tzvp", "dft-r2scan"):
        from polymd.datasets.teachers.dft import DFT

        functional = "r2scan-d3bj" if name == "dft-r2scan" else "wb97m-d3bj"
        return DFT(functional, "def2-tzvp" if name == "dft-tzvp" else "def2-tzvpp")
    if ":" in name:
        from polymd.datasets.teachers.ase_calculator import from_factory

        return from_factory(name)
    if _is_polyget(name):
        from polymd.datasets.teachers.polyget import PolyGETTeacher

        return PolyGETTeacher(name)
    known = [*TEACHERS, *available()]
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"unknown teacher {name!r}; known: {', '.join(known)}, module:factory{hint}")


def load_student(name: str, models: str | Path | None = None) -> Teacher:
    """As `load_teacher`, with `forces_std` in its labels: of a PolyGET model from its committee.

    Raises ValueError for what gives no `forces_std`, tried on methane.
    """
    if _is_polyget(name):
        from polymd.datasets.teachers.polyget import PolyGETTeacher

        return PolyGETTeacher(name, committee=True)
    student = load_teacher(name, models)
    from ase.build import molecule

    methane = molecule("CH4")
    (labels,) = student.label([(methane.numbers.astype(np.int64), methane.positions)])
    if labels.forces_std is None:
        raise ValueError(f"dynamics {name!r} gives no uncertainty to pick frames by; polyget does")
    return student


def _is_polyget(name: str) -> bool:
    return name.endswith(".safetensors") or name in available()
