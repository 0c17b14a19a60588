"""Conformers of units whose stars are substituted, heavy atoms only, kept in a file once they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from rdkit.Chem import Mol

__all__ = ["ConformerStore", "Conformers", "embedded", "molecule_conformers", "unit_conformers"]

_MOST_ATOMS = 100  # heavy atoms; larger units are not embedded
_TRIES = 10  # of an embedding
_SAVED_EVERY = 500  # units


@dataclass(frozen=True)
class Conformers:
    """K conformers of A heavy atoms in the order of the P-SMILES, stars as the atoms that stand for them."""

    numbers: NDArray[np.int64]  #: (A,) atomic numbers
    positions: NDArray[np.float32]  #: (K, A, 3), Å, each with its centre at the origin

    @classmethod
    def of(cls, numbers: NDArray[np.int64], positions: NDArray[np.floating]) -> Conformers:
        """From positions (K, A, 3) anywhere."""
        centred = positions - positions.mean(axis=1, keepdims=True)
        return cls(numbers, centred.astype(np.float32))

    def __len__(self) -> int:
        return len(self.numbers)


def unit_conformers(psmiles: str, n: int = 2, seed: int = 0) -> Conformers:
    """`n` ETKDG conformers of a unit, each star substituted by the element of the opposite neighbour.

    MMPolymer, arXiv 2406.04727, section 3.2. As there, flat coordinates stand in where a unit cannot be
    embedded, or has more than 100 heavy atoms; unlike there, nothing is minimised.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`.
    """
    from polymd.repeats import substitute_stars

    return molecule_conformers(substitute_stars(psmiles), n, seed)


def molecule_conformers(mol: Mol, n: int, seed: int = 0) -> Conformers:
    """`unit_conformers` of any molecule."""
    from rdkit import Chem
    from rdkit.Chem import rdDepictor

    found = embedded(mol, n, seed)
    if found is None:
        flat = Chem.AddHs(mol)
        rdDepictor.Compute2DCoords(flat)
        found = flat.GetConformer().GetPositions()[None, : mol.GetNumAtoms()]
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], dtype=np.int64)
    return Conformers.of(numbers, found[np.arange(n) % len(found)])


def embedded(mol: Mol, n: int, seed: int = 0, random_coordinates: bool = False) -> NDArray[np.float64] | None:
    """Positions (K, A, 3) Å of the atoms of a molecule without hydrogens in `n` ETKDG conformers or fewer.

    Hydrogens are there while it is embedded. None where RDKit finds no conformer, or more than 100 atoms.
    From random coordinates it takes longer and finds more of long flexible units.
    """
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDistGeom

    if mol.GetNumAtoms() > _MOST_ATOMS:
        return None
    full = Chem.AddHs(mol)
    parameters = rdDistGeom.ETKDGv3()
    parameters.randomSeed = seed + 1  # type: ignore[assignment]
    parameters.maxIterations = _TRIES  # type: ignore[assignment]
    parameters.useRandomCoords = random_coordinates  # type: ignore[assignment]
    with rdBase.BlockLogs():
        rdDistGeom.EmbedMultipleConfs(full, n, parameters)
    found = [np.array(conformer.GetPositions())[: mol.GetNumAtoms()] for conformer in full.GetConformers()]
    return np.stack(found) if found else None


class ConformerStore:
    """Conformers by P-SMILES, in memory and in an .npz file that grows.

    Parameters
    ----------
    path
        The file, made where it is missing; None keeps them in memory only.
    n
        Conformers a unit.
    seed
        Of their embedding.

    Raises
    ------
    ValueError
        The file holds another number of conformers a unit.
    """

    def __init__(self, path: Path | None = None, n: int = 2, seed: int = 0) -> None:
        self.path, self.n, self.seed = path, n, seed
        self._known: dict[str, Conformers] = {}
        if path is not None and path.exists():
            self._read(path)

    def find(self, psmiles: Sequence[str], tell: Callable[[str], None] = lambda _: None) -> list[Conformers]:
        """Of every P-SMILES; what is missing is made, and written every 500 units."""
        missing = [text for text in dict.fromkeys(psmiles) if text not in self._known]
        for number, text in enumerate(missing, start=1):
            self._known[text] = unit_conformers(text, self.n, self.seed)
            if number % _SAVED_EVERY == 0 or number == len(missing):
                self.write()
                if len(missing) >= _SAVED_EVERY:
                    tell(f"conformers of {number} of {len(missing)} units")
        return [self._known[text] for text in psmiles]

    def __contains__(self, psmiles: str) -> bool:
        return psmiles in self._known

    def add(self, psmiles: str, conformers: Conformers) -> None:
        """Put conformers from elsewhere in, such as those of a unit in its chain."""
        self._known[psmiles] = conformers

    def _read(self, path: Path) -> None:
        with np.load(path) as stored:
            psmiles, sizes = stored["psmiles"].tolist(), stored["sizes"]
            numbers, positions = stored["numbers"].astype(np.int64), stored["positions"]
        if len(positions) != self.n:
            raise ValueError(
                f"{path} holds {len(positions)} conformers a unit, not {self.n}; take another file"
            )
        ends = np.cumsum(sizes)
        for text, start, end in zip(psmiles, ends - sizes, ends, strict=True):
            self._known[text] = Conformers(numbers[start:end], positions[:, start:end])

    def write(self) -> None:
        """Write the file, where there is one; half a file never takes the place of a whole one."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part.npz")
        known: Iterable[Conformers] = self._known.values()
        np.savez(
            part,
            psmiles=np.array(list(self._known)),
            sizes=np.array([len(c) for c in known], dtype=np.int64),
            numbers=np.concatenate([c.numbers for c in known]).astype(np.uint8),
            positions=np.concatenate([c.positions for c in known], axis=1),
        )
        part.replace(self.path)
