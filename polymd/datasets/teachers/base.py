"""What a teacher is: molecules in, energies and forces out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Molecule = tuple[NDArray[np.int64], NDArray[np.float64]]
"""Atomic numbers (N,) and positions (N, 3) in Å of a neutral closed-shell molecule in vacuum."""


class TeacherError(RuntimeError):
    """A molecule that the teacher cannot label: an unknown element, a calculation that did not converge."""


@dataclass(frozen=True)
class Labels:
    """Labels of one molecule of N atoms.

    `energy` eV; `forces (N, 3)` eV/Å; `forces_std (N,)` eV/Å, the length of the standard deviation of an
    atom's force over an ensemble, or None where the teacher is a single model.
    """

    energy: float
    forces: NDArray[np.float64]
    forces_std: NDArray[np.float64] | None = None


class Teacher(Protocol):
    """One method and a name for the file's attribute."""

    level_of_theory: str

    def label(self, molecules: Sequence[Molecule]) -> list[Labels]:
        """Labels of molecules of any sizes, in their order; `TeacherError` for one it cannot label."""
        ...


def import_optional(module: str, package: str, teacher: str) -> ModuleType:
    """Import a module of an optional package, or ValueError with the command that installs it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ValueError(
            f"teacher {teacher!r} needs {package}, which cannot be imported ({error}); "
            f"install it with: pip install {package} (it is part of the extra polymd[teacher])"
        ) from error
