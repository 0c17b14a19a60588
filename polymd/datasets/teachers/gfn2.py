"""GFN2-xTB through tblite's ASE calculator.

C. Bannwarth, S. Ehlert, S. Grimme, J. Chem. Theory Comput. 15, 1652 (2019).
"""

from __future__ import annotations

from polymd.datasets.teachers.ase_calculator import ASETeacher
from polymd.datasets.teachers.base import import_optional


def gfn2() -> ASETeacher:
    """GFN2-xTB; ValueError where tblite is not installed."""
    module = import_optional("tblite.ase", "tblite", "gfn2")
    return ASETeacher(module.TBLite(method="GFN2-xTB", verbosity=0), "GFN2-xTB (tblite)")
