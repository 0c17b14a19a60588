"""Labelled frames: configurations of molecules with energies and forces, in HDF5 or extended XYZ.

HDF5 holds one group a molecule, `atomic_numbers (N,) u1`, `positions (F, N, 3) f4` Å, `energies (F,) f8` eV,
`forces (F, N, 3) f4` eV/Å, `temperature (F,)` K and optionally `cells (F, 3, 3)` Å, with attributes
`psmiles`, `id`, `n_units`, `kind` (`linear`, `ring`, `pair`); the file's attributes are `level_of_theory`
and `sampler`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelledMolecule:
    """F frames of one molecule of N atoms; units and shapes as in the file."""

    numbers: NDArray[np.int64]
    positions: NDArray[np.float32]
    energies: NDArray[np.float64]
    forces: NDArray[np.float32]
    temperatures: NDArray[np.float64]
    psmiles: str = ""
    id: str = ""
    n_units: int = 0
    kind: str = ""
    cells: NDArray[np.float64] | None = None


def read_frames(path: str | Path) -> list[LabelledMolecule]:
    """Molecules of an HDF5 file (`.h5`, `.hdf5`) or of an extended XYZ file (`.xyz`, `.extxyz`).

    Raises ValueError for another ending, a file that cannot be read, or frames without energies and forces.
    """
    if _is_hdf5(path):
        return _read_hdf5(Path(path))
    return _read_extxyz(Path(path))


def read_attributes(path: str | Path) -> dict[str, str]:
    """Attributes of a file as a whole: `level_of_theory`, `sampler`; those that are given. XYZ has none."""
    if not _is_hdf5(path):
        return {}
    with _open_hdf5(Path(path)) as file:
        return {name: str(file.attrs[name]) for name in ("level_of_theory", "sampler") if name in file.attrs}


def _is_hdf5(path: str | Path) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix not in (".h5", ".hdf5", ".xyz", ".extxyz"):
        raise ValueError(f"{path} ends in {suffix!r}; labelled frames end in .h5, .hdf5, .xyz or .extxyz")
    if not Path(path).is_file():
        raise ValueError(f"there is no file {str(path)!r} of labelled frames")
    return suffix in (".h5", ".hdf5")


def _open_hdf5(path: Path) -> Any:
    import h5py

    try:
        return h5py.File(path)
    except OSError as error:
        raise ValueError(f"{str(path)!r} is not an HDF5 file: {error}") from error


def _read_hdf5(path: Path) -> list[LabelledMolecule]:
    molecules = []
    with _open_hdf5(path) as file:
        for name, group in file.items():
            missing = {"atomic_numbers", "positions", "energies", "forces"} - set(group)
            if missing:
                raise ValueError(f"group {name!r} of {path} lacks {', '.join(sorted(missing))}")
            molecules.append(_molecule(group))
    return molecules


def _molecule(group: Any) -> LabelledMolecule:
    frames = len(group["energies"])
    return LabelledMolecule(
        numbers=group["atomic_numbers"][:].astype(np.int64),
        positions=group["positions"][:],
        energies=group["energies"][:],
        forces=group["forces"][:],
        temperatures=group["temperature"][:].astype(float)
        if "temperature" in group
        else np.full(frames, np.nan),
        psmiles=str(group.attrs.get("psmiles", "")),
        id=str(group.attrs.get("id", group.name.strip("/"))),
        n_units=int(group.attrs.get("n_units", 0)),
        kind=str(group.attrs.get("kind", "")),
        cells=group["cells"][:] if "cells" in group else None,
    )


def _read_extxyz(path: Path) -> list[LabelledMolecule]:
    """Frames of the same atoms and P-SMILES become one molecule."""
    from ase.io import read

    try:
        images = read(path, index=":", format="extxyz")
    except Exception as error:  # ASE raises many kinds
        raise ValueError(f"{str(path)!r} is not an extended XYZ file: {error}") from error
    groups: dict[tuple[bytes, str], list[Any]] = {}
    for number, atoms in enumerate(images):
        if atoms.calc is None or not {"energy", "forces"} <= set(atoms.calc.results):
            raise ValueError(f"frame {number} of {path} has no energy and forces")
        groups.setdefault((atoms.numbers.tobytes(), str(atoms.info.get("psmiles", ""))), []).append(atoms)
    molecules = []
    for (_, psmiles), frames in groups.items():
        first = frames[0]
        molecules.append(
            LabelledMolecule(
                numbers=first.numbers.astype(np.int64),
                positions=np.array([a.positions for a in frames], np.float32),
                energies=np.array([a.get_potential_energy() for a in frames]),
                forces=np.array([a.get_forces() for a in frames], np.float32),
                temperatures=np.array([float(a.info.get("temperature", np.nan)) for a in frames]),
                psmiles=psmiles,
                id=str(first.info.get("id", first.info.get("name", first.get_chemical_formula()))),
                n_units=int(first.info.get("n_units", 0)),
                kind=str(first.info.get("kind", "")),
                cells=np.array([np.asarray(a.cell) for a in frames]) if first.pbc.any() else None,
            )
        )
    return molecules


def write_frames(
    path: str | Path, molecules: Iterable[LabelledMolecule], *, level_of_theory: str, sampler: str
) -> None:
    """Write molecules to an HDF5 file, compressed."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["level_of_theory"], file.attrs["sampler"] = level_of_theory, sampler
        for number, molecule in enumerate(molecules):
            group = file.create_group(f"{number:06d}")
            arrays = {
                "atomic_numbers": molecule.numbers.astype(np.uint8),
                "positions": molecule.positions.astype(np.float32),
                "energies": molecule.energies.astype(np.float64),
                "forces": molecule.forces.astype(np.float32),
                "temperature": molecule.temperatures.astype(np.float32),
            }
            if molecule.cells is not None:
                arrays["cells"] = molecule.cells
            for name, array in arrays.items():
                group.create_dataset(name, data=array, compression="gzip")
            for name in ("psmiles", "id", "n_units", "kind"):
                group.attrs[name] = getattr(molecule, name)
