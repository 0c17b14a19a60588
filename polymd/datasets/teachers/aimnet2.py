"""AIMNet2 at the level ωB97M-D3/def2-TZVPP, as the TorchScript files that the PyPI package Auto3D carries.

D. M. Anstine, R. Zubatyuk, O. Isayev, Chem. Sci. 16, 10228 (2025), doi:10.1039/D4SC08572H; MIT licence.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from polymd.datasets.teachers.base import Labels, Molecule, TeacherError

if TYPE_CHECKING:
    import torch

ELEMENTS = frozenset((1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 53))
FILES = {True: "aimnet2_wb97m_ens_f.jpt", False: "aimnet2_wb97m-d3_0.jpt"}
PAIRS = 60_000  #: atom pairs in one call, which bounds the memory; from 5,000 on the speed is the same
LIKE = 0.8  #: least size of a molecule in a batch against the largest: padding costs more than small batches
FILLER = 0  #: atomic number that the model masks; any element, however far, takes charge and changes forces


class AIMNet2:
    """The ensemble (with force std), or its first model, four times faster; on a GPU where torch sees one."""

    def __init__(self, *, ensemble: bool = True, models: str | Path | None = None) -> None:
        import torch

        path = Path(models) / FILES[ensemble] if models is not None else find_model(FILES[ensemble])
        if not path.is_file():
            raise ValueError(f"there is no AIMNet2 model {str(path)!r}; give its folder")
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = torch.jit.load(str(path), map_location=self._device)
        kind = "ensemble" if ensemble else "single model"
        self.level_of_theory = f"AIMNet2 {kind}, wB97M-D3/def2-TZVPP level (Auto3D {path.name})"

    def label(self, molecules: Sequence[Molecule]) -> list[Labels]:
        """As `Teacher.label`; molecules of like size are padded to batches."""
        for numbers, _ in molecules:
            unknown = set(np.unique(numbers).tolist()) - ELEMENTS
            if unknown:
                raise TeacherError(f"AIMNet2 knows no element {min(unknown)}; it knows {sorted(ELEMENTS)}")
        results: dict[int, Labels] = {}
        todo = sorted(range(len(molecules)), key=lambda i: len(molecules[i][0]))
        while todo:
            width = len(molecules[todo[-1]][0])
            alike = sum(len(molecules[i][0]) >= LIKE * width for i in todo)
            count = min(alike, max(1, PAIRS // width**2))
            batch, todo = todo[-count:], todo[:-count]
            labels = self._evaluate([molecules[i] for i in batch])
            results.update(zip(batch, labels, strict=True))
        return [results[i] for i in range(len(molecules))]

    def _evaluate(self, molecules: list[Molecule]) -> list[Labels]:
        """One call of the network; molecules are padded with fillers, which it masks."""
        import torch

        width = max(len(numbers) for numbers, _ in molecules)
        coord = np.zeros((len(molecules), width, 3), np.float32)
        atoms = np.full((len(molecules), width), FILLER, np.int64)
        for row, (numbers, positions) in enumerate(molecules):
            atoms[row, : len(numbers)] = numbers
            coord[row, : len(numbers)] = positions
        inputs = {
            "coord": torch.from_numpy(coord).to(self._device).requires_grad_(),
            "numbers": torch.from_numpy(atoms).to(self._device),
            "charge": torch.zeros(len(molecules), device=self._device),
        }
        outputs = self._model(dict(inputs))
        energy = outputs["energy"]
        if "forces" in outputs:
            forces, std = outputs["forces"], outputs["forces_std"]
        else:
            forces, std = -torch.autograd.grad(energy.sum(), inputs["coord"])[0], None
        lengths = [len(numbers) for numbers, _ in molecules]
        return _split(energy, forces, None if std is None else std.norm(dim=-1), lengths)


def _split(
    energy: torch.Tensor, forces: torch.Tensor, std: torch.Tensor | None, lengths: list[int]
) -> list[Labels]:
    """Labels of each molecule without its fillers."""
    energies = energy.detach().cpu().double().numpy()
    all_forces = forces.detach().cpu().double().numpy()
    all_std = None if std is None else std.detach().cpu().double().numpy()
    return [
        Labels(float(energies[i]), all_forces[i, :n], None if all_std is None else all_std[i, :n])
        for i, n in enumerate(lengths)
    ]


def find_model(name: str) -> Path:
    """A model file of the installed Auto3D, which is not imported; ValueError with what to install."""
    try:
        files = metadata.files("Auto3D") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise ValueError(
        f"the AIMNet2 model {name} is not installed; it comes with the extra polymd[teacher], or alone by: "
        "pip install --no-deps Auto3D==2.3.1; or give the folder that has it as --models"
    )
