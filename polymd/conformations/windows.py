"""Windows: a repeat unit cut out of its chain together with what surrounds it, capped with hydrogens."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rdkit.Chem import Atom, Bond, Mol

__all__ = ["cut_out", "kekulised", "surroundings"]

_REACH = 3


def kekulised(mol: Mol) -> Mol:
    """Copy with alternating single and double bonds in place of aromatic ones, rings and conjugation kept."""
    from rdkit import Chem

    copy = Chem.Mol(mol)
    Chem.Kekulize(copy, clearAromaticFlags=True)
    return copy


def surroundings(mol: Mol, atoms: Iterable[int]) -> list[int]:
    """`atoms` and all within three bonds of them, and what it takes to cut single chain bonds only."""
    window, front = set(atoms), set(atoms)
    for _ in range(_REACH):
        front = {n.GetIdx() for a in front for n in mol.GetAtomWithIdx(a).GetNeighbors()} - window
        window |= front
    while front:
        front = {b for a in window for b in _tied(mol.GetAtomWithIdx(a))} - window
        window |= front
    return sorted(window)


def _tied(atom: Atom) -> list[int]:
    """Neighbours over bonds that must not be cut: rings and multiple bonds; hydrogens come along too."""
    return [
        bond.GetOtherAtomIdx(atom.GetIdx())
        for bond in atom.GetBonds()
        if bond.IsInRing() or bond.GetBondTypeAsDouble() != 1.0 or bond.GetOtherAtom(atom).GetAtomicNum() == 1
    ]


def cut_out(mol: Mol, atoms: list[int]) -> Mol:
    """Molecule of `atoms` (in this order), each cut bond capped with a hydrogen (after them), stereo kept.

    `mol` is Kekulé with explicit hydrogens.
    """
    from rdkit import Chem

    from polymd.assembly import set_tetrahedral

    new = {old: k for k, old in enumerate(atoms)}
    piece = Chem.RWMol()
    caps: dict[tuple[int, int], int] = {}
    for old in atoms:
        atom = Chem.Atom(mol.GetAtomWithIdx(old))
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        piece.AddAtom(atom)
    for old in atoms:
        for bond in mol.GetAtomWithIdx(old).GetBonds():
            other = bond.GetOtherAtomIdx(old)
            if other not in new:
                caps[old, other] = piece.AddAtom(Chem.Atom(1))
                piece.AddBond(new[old], caps[old, other], Chem.BondType.SINGLE)
            elif old < other:
                piece.AddBond(new[old], new[other], bond.GetBondType())

    def place(old: int, other: int) -> int:
        return new[other] if other in new else caps[old, other]

    for old in atoms:
        atom = mol.GetAtomWithIdx(old)
        if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
            around = [place(old, bond.GetOtherAtomIdx(old)) for bond in atom.GetBonds()]
            set_tetrahedral(piece, new[old], around, atom.GetChiralTag())
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if i in new and j in new and bond.GetStereo() != Chem.BondStereo.STEREONONE:
            _copy_double_bond(piece.GetBondBetweenAtoms(new[i], new[j]), bond, new[i], place)
    Chem.SanitizeMol(piece)
    return piece.GetMol()


def _copy_double_bond(copy: Bond, bond: Bond, begin: int, place: Callable[[int, int], int]) -> None:
    """Cis or trans of `bond` on its copy, whose end `begin` corresponds to the begin atom of `bond`."""
    from rdkit import Chem

    left, right = bond.GetStereoAtoms()
    ends = [place(bond.GetBeginAtomIdx(), left), place(bond.GetEndAtomIdx(), right)]
    if copy.GetBeginAtomIdx() != begin:
        ends.reverse()
    trans = bond.GetStereo() in (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)
    copy.SetStereoAtoms(*ends)
    copy.SetStereo(Chem.BondStereo.STEREOTRANS if trans else Chem.BondStereo.STEREOCIS)
