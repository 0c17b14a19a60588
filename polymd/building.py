"""A chain with a first conformation, written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from polymd.polymer import Polymer

FORMATS = (".pdb", ".xyz", ".sdf")


def build_structure(
    psmiles: str | Sequence[str],
    n_units: int,
    path: Path,
    *,
    tacticity: Any = "atactic",
    ring: bool = False,
    method: Any = "auto",
    solvent: float = 1.0,
    seed: int = 0,
) -> Polymer:
    """Build a chain or a ring, generate one conformation and write it.

    Parameters
    ----------
    psmiles, n_units, tacticity, ring, seed
        As in `polymd.Polymer`.
    path
        File to write; its ending is the format: .pdb, .xyz or .sdf.
    method, solvent
        As in `polymd.generate_conformations`.

    Returns
    -------
    polymd.Polymer
        The chain written.

    Raises
    ------
    ValueError
        For an unknown ending, or input that the two functions refuse.
    """
    if path.suffix not in FORMATS:
        raise ValueError(
            f"cannot write {path.name!r}: unknown ending {path.suffix!r}; known: {', '.join(FORMATS)}"
        )
    if not path.parent.is_dir():
        raise ValueError(f"cannot write {str(path)!r}: there is no folder {str(path.parent)!r}")
    from polymd.conformations import generate_conformations
    from polymd.polymer import Polymer

    polymer = Polymer(psmiles, n_units, tacticity=tacticity, ring=ring, seed=seed)
    conformations = generate_conformations(polymer, 1, method=method, seed=seed, solvent=solvent)
    positions = np.asarray(conformations[0], dtype=np.float64)
    path.write_text({".pdb": _pdb, ".xyz": _xyz, ".sdf": _sdf}[path.suffix](polymer, positions))
    return polymer


def _pdb(polymer: Polymer, positions: NDArray[np.float64]) -> str:
    from io import StringIO

    from openmm import unit
    from openmm.app import PDBFile

    text = StringIO()
    PDBFile.writeFile(polymer.to_openmm(), positions * unit.angstrom, text)
    return text.getvalue()


def _xyz(polymer: Polymer, positions: NDArray[np.float64]) -> str:
    from ase.data import chemical_symbols

    lines = [str(polymer.n_atoms), polymer.psmiles]
    for number, (x, y, z) in zip(polymer.atomic_numbers, positions, strict=True):
        lines.append(f"{chemical_symbols[number]:2s} {x:14.8f} {y:14.8f} {z:14.8f}")
    return "\n".join(lines) + "\n"


def _sdf(polymer: Polymer, positions: NDArray[np.float64]) -> str:
    from rdkit import Chem

    molecule = Chem.Mol(polymer.to_rdkit())
    conformer = Chem.Conformer(polymer.n_atoms)
    conformer.SetPositions(positions)
    molecule.RemoveAllConformers()
    molecule.AddConformer(conformer, assignId=True)
    return str(Chem.MolToMolBlock(molecule, forceV3000=polymer.n_atoms > 999)) + "$$$$\n"
