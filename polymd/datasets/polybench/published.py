"""The test split of the published PolyBench, as its authors lay it out; nothing of it ships with polymd.

    FOLDER/test_data_index.csv                 rows of a number and a P-SMILES, no header
    FOLDER/true_confs/data_<number>/true_conf_<k>.sdf    references k = 0, 1, ... (five), heavy atoms only

F. Wang et al., PolyConf, ICML 2025 (arXiv 2504.08859). Chains end with one more atom at each side, of the
element that the next unit would have there. The other files of the folder (*.lmdb) hold pickled records and
are not read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rdkit.Chem import Mol

    from polymd.polymer import Polymer

__all__ = ["INDEX", "PublishedPolymer", "read_published"]

INDEX = "test_data_index.csv"
_ORGANIC = ("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I")
_BONDS = {1.0: "", 2.0: "=", 3.0: "#"}


@dataclass(frozen=True)
class PublishedPolymer:
    """References of one polymer.

    Attributes
    ----------
    number
        Of the folder.
    polymer
        The chain with its ends. Its stereo is random by the seed 0: that of the files is not read.
    positions
        (R, N, 3) Å in the order of `polymer`; hydrogens, which the files lack, are NaN.
    """

    number: int
    polymer: Polymer
    positions: NDArray[np.float64] = field(repr=False)


def read_published(folder: Path) -> Iterator[PublishedPolymer]:
    """Polymers of the index with their references.

    Raises
    ------
    ValueError
        No such folder or file, a bad row, or a structure that is no chain of its P-SMILES.
    """
    index = folder / INDEX
    if not index.is_file():
        raise ValueError(f"no file {index}; allowed: the folder of the published PolyBench, which has it")
    with index.open(newline="", encoding="utf-8") as file:
        for line, row in enumerate(csv.reader(file), start=1):
            if len(row) < 2 or not row[0].strip().isdigit():
                raise ValueError(f"{index}, line {line}: {row}; allowed: a number and a P-SMILES")
            yield _read(folder, int(row[0]), row[1].strip())


def _read(folder: Path, number: int, psmiles: str) -> PublishedPolymer:
    from rdkit import Chem

    place = folder / "true_confs" / f"data_{number}"
    paths = sorted(place.glob("true_conf_*.sdf"), key=lambda path: (len(path.name), path.name))
    if not paths:
        raise ValueError(f"{place} holds no true_conf_*.sdf; fix: unpack the data set there")
    found: list[NDArray[np.float64]] = []
    polymer: Polymer | None = None
    for path in paths:
        mol = Chem.MolFromMolFile(str(path), sanitize=False, removeHs=False)
        if mol is None:
            raise ValueError(f"RDKit cannot read {path}; fix: unpack it again")
        polymer = polymer or chain_of(mol, psmiles, path)
        order = heavy_match(polymer, mol)
        if order is None:
            raise ValueError(f"{path} is another molecule than {paths[0].name}")
        positions = np.full((polymer.n_atoms, 3), np.nan)
        positions[polymer.atomic_numbers > 1] = np.array(mol.GetConformer().GetPositions())[order]
        found.append(positions)
    assert polymer is not None
    return PublishedPolymer(number, polymer, np.stack(found))


def chain_of(mol: Mol, psmiles: str, path: Path) -> Polymer:
    """The chain whose heavy atoms a molecule has: units with the extra atoms at both ends, or without."""
    from polymd.polymer import Polymer
    from polymd.psmiles import parse

    n_heavy = sum(atom.GetAtomicNum() > 1 for atom in mol.GetAtoms())
    unit = parse(psmiles)
    size = unit.GetNumHeavyAtoms()
    for extra, ends in ((2, end_atoms(unit)), (0, ("[H]", "[H]"))):
        n_units, rest = divmod(n_heavy - extra, size)
        if n_units > 0 and rest == 0:
            polymer = Polymer(psmiles, n_units, end_groups=ends)
            if heavy_match(polymer, mol) is not None:
                return polymer
    raise ValueError(
        f"{path} with {n_heavy} heavy atoms is no chain of {psmiles!r}; allowed: whole units of {size}, with"
        " one more atom at each end or none"
    )


def end_atoms(unit: Mol) -> tuple[str, str]:
    """SMILES of the atoms beyond the head and the tail: of the elements that units there would begin with."""
    from rdkit import Chem

    from polymd.psmiles import star_indices

    head, tail = (unit.GetAtomWithIdx(star) for star in star_indices(unit))
    order = head.GetBonds()[0].GetBondTypeAsDouble()
    table = Chem.GetPeriodicTable()

    def end(star: Chem.Atom) -> str:
        number = star.GetNeighbors()[0].GetAtomicNum()
        symbol = table.GetElementSymbol(number)
        hydrogens = max(0, table.GetDefaultValence(number) - round(order))
        return f"*{_BONDS[order]}{symbol if symbol in _ORGANIC else f'[{symbol}H{hydrogens}]'}"

    return end(tail), end(head)


def heavy_match(polymer: Polymer, mol: Mol) -> NDArray[np.int64] | None:
    """Atoms of `mol` in the order of the polymer's heavy atoms, None where elements and bonds do not match.

    Both graphs are numbered canonically; of equivalent atoms the first come first.
    """
    ours = np.flatnonzero(polymer.atomic_numbers > 1)
    theirs = np.array([a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() > 1], dtype=np.int64)
    bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol.GetBonds()]).reshape(-1, 2)
    numbers = np.array([a.GetAtomicNum() for a in mol.GetAtoms()], dtype=np.int64)
    one = _plain(polymer.atomic_numbers, polymer.bonds, ours)
    other = _plain(numbers, bonds, theirs)
    if len(ours) != len(theirs) or sorted(one[0]) != sorted(other[0]):
        return None
    order = np.empty(len(ours), dtype=np.int64)
    order[np.argsort(_ranks(*one))] = np.argsort(_ranks(*other))
    elements = [other[0][k] for k in order.tolist()] == one[0]
    wanted = {frozenset(order[list(pair)].tolist()) for pair in one[1]}
    if not elements or wanted != {frozenset(pair) for pair in other[1]}:
        return None
    return theirs[order]


def _plain(
    numbers: NDArray[np.int64], bonds: NDArray[np.int64], atoms: NDArray[np.int64]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Elements of `atoms` and bonds among them, renumbered."""
    new = {old: k for k, old in enumerate(atoms.tolist())}
    pairs = [(new[i], new[j]) for i, j in bonds.tolist() if i in new and j in new]
    return [int(numbers[a]) for a in atoms], pairs


def _ranks(elements: list[int], pairs: list[tuple[int, int]]) -> list[int]:
    """Canonical ranks of a graph, bond orders left out."""
    from rdkit import Chem

    mol = Chem.RWMol()
    for number in elements:
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    for i, j in pairs:
        mol.AddBond(i, j, Chem.BondType.SINGLE)
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    return list(Chem.CanonicalRankAtoms(mol, breakTies=True))
