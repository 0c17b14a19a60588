"""P-SMILES: the repeat unit of a polymer as a SMILES with two stars, its checks and its canonical form.

The first star of the string is the head of the unit, the second its tail: the tail atom of a unit is
bonded to the head atom of the next one, with the bond order that both stars have.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rdkit.Chem import Mol, QueryAtom

__all__ = ["PSmilesError", "canonicalise", "parse", "star_indices"]

_EXAMPLE = "'*CC(*)c1ccccc1'"


class PSmilesError(ValueError):
    """A repeat unit, or a chain of it, that cannot be built: the value, what is allowed, the fix."""

    @classmethod
    def of(cls, value: object, problem: str, *, allowed: str, fix: str) -> PSmilesError:
        """The error in the house's words."""
        return cls(f"bad P-SMILES {value!r}: {problem}; allowed: {allowed}; fix: {fix}")


def parse(psmiles: str) -> Mol:
    """Read and check the P-SMILES of one repeat unit.

    Parameters
    ----------
    psmiles
        SMILES with exactly two stars, each with one neighbour, both with the same bond order (single,
        double or triple). Atom maps and isotopes on stars (`[*:1]`, `[1*]`) are read and dropped. The
        unit may carry a charge here; `Polymer` accepts neutral units only.

    Returns
    -------
    rdkit.Chem.Mol
        Sanitised unit in the atom order of the string, hydrogens implicit, stars as atoms of number 0.
        Stereo is that of the string, also where only the difference of the two stars makes it stereo.

    Raises
    ------
    PSmilesError
        Not a SMILES; not two stars; a star with two neighbours, charge or hydrogens; stars that disagree
        in bond order; more than one fragment; bonds other than single, double, triple, aromatic;
        unpaired electrons.
    """
    if not isinstance(psmiles, str):
        return parse_fragment(psmiles, 2)
    from rdkit import Chem

    return Chem.Mol(_parsed(psmiles))


@lru_cache(maxsize=1024)
def _parsed(psmiles: str) -> Mol:
    """One reading for all that ask for the same unit within a short time."""
    return parse_fragment(psmiles, 2)


def parse_fragment(psmiles: str, n_stars: int) -> Mol:
    """`parse` for any number of stars: two make a repeat unit, one an end group."""
    from rdkit import Chem, rdBase

    with rdBase.BlockLogs():
        mol = _read(psmiles)
        _check_stars(psmiles, mol, n_stars)
        _check_bonds(psmiles, mol)
        for label, star in enumerate(star_indices(mol), start=1):
            mol.GetAtomWithIdx(star).SetIsotope(label)
        try:
            Chem.SanitizeMol(mol)
            mol = Chem.RemoveHs(mol)
        except ValueError as error:
            raise PSmilesError.of(
                psmiles,
                f"RDKit: {error}",
                allowed="normal valences and aromatic rings",
                fix="write every atom's hydrogens and charge as in a neutral molecule",
            ) from error
        Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    _check_electrons(psmiles, mol)
    for star in star_indices(mol):
        mol.GetAtomWithIdx(star).SetIsotope(0)
    return mol


def canonicalise(psmiles: str) -> str:
    """Canonical spelling of a repeat unit: the same for every way to write the same unit.

    Atom maps are dropped, stereo is kept. The unit itself is kept as it is: it is neither shortened nor
    shifted along the chain, so `*CCO*` and `*COC*` stay two strings.

    Raises
    ------
    PSmilesError
        As `parse`.
    """
    from rdkit import Chem

    mol = parse(psmiles)
    head, tail = star_indices(mol)
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False))
    if ranks[head] != ranks[tail]:
        return str(Chem.MolToSmiles(mol))
    # A unit that reads alike from both ends: its stereo has a meaning only once the stars are told apart.
    spellings = []
    for labels in ((1, 2), (2, 1)):
        for star, label in zip((head, tail), labels, strict=True):
            mol.GetAtomWithIdx(star).SetIsotope(label)
        spellings.append(str(Chem.MolToSmiles(mol)).replace("[1*]", "*").replace("[2*]", "*"))
    return min(spellings)


def star_indices(mol: Mol) -> tuple[int, ...]:
    """Atom indices of the stars of a molecule, in its order: head first, tail second."""
    return tuple(atom.GetIdx() for atom in mol.GetAtomsMatchingQuery(_star()))


@lru_cache(maxsize=1)
def _star() -> QueryAtom:
    """What finds stars without a look at every atom from Python."""
    from rdkit.Chem import rdqueries

    return rdqueries.AtomNumEqualsQueryAtom(0)


def _read(psmiles: str) -> Mol:
    """SMILES text to an unsanitised molecule without atom maps."""
    from rdkit import Chem

    text = psmiles.strip() if isinstance(psmiles, str) else ""
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise PSmilesError.of(
            psmiles,
            "it is not a SMILES string",
            allowed="one word of ASCII SMILES with its stars",
            fix=f"write a repeat unit such as {_EXAMPLE}",
        )
    params = Chem.SmilesParserParams()
    params.sanitize = params.removeHs = params.allowCXSMILES = False  # type: ignore[assignment]
    mol = Chem.MolFromSmiles(text, params)
    if mol is None:
        raise PSmilesError.of(
            psmiles,
            "RDKit cannot read it as SMILES",
            allowed="valid SMILES with its stars",
            fix=f"check brackets, ring numbers and bonds, as in {_EXAMPLE}",
        )
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    return mol


def _check_stars(psmiles: str, mol: Mol, n_stars: int) -> None:
    """So many plain stars of degree one on a connected unit."""
    from rdkit import Chem

    stars = [mol.GetAtomWithIdx(i) for i in star_indices(mol)]
    if len(stars) != n_stars:
        raise PSmilesError.of(
            psmiles,
            f"it has {len(stars)} star{'s' * (len(stars) != 1)}",
            allowed=f"exactly {n_stars} *",
            fix=f"put a star on each atom that bonds to a neighbouring unit, as in {_EXAMPLE}",
        )
    if len(Chem.GetMolFrags(mol)) != 1:
        raise PSmilesError.of(
            psmiles,
            "it has separate fragments",
            allowed="one connected repeat unit",
            fix="remove the dot, and counter-ions or solvent with it",
        )
    if any(star.GetDegree() != 1 for star in stars):
        degrees = " and ".join(str(star.GetDegree()) for star in stars)
        raise PSmilesError.of(
            psmiles,
            f"its stars have {degrees} neighbours",
            allowed="one neighbour a star",
            fix="a star stands for the neighbouring unit: end the string or a branch with it",
        )
    if stars[0].GetNeighbors()[0].GetAtomicNum() == 0:
        raise PSmilesError.of(
            psmiles,
            "there is no atom between the stars",
            allowed="a unit of one atom or more",
            fix="write the repeat unit between the stars, as in '*CC*'",
        )
    if any(
        star.GetFormalCharge() or star.GetNumExplicitHs() or star.GetNumRadicalElectrons() for star in stars
    ):
        raise PSmilesError.of(
            psmiles,
            "a star carries charge or hydrogens",
            allowed="plain stars: * or [*] or [*:1]",
            fix="put charges and hydrogens on atoms",
        )


def _check_bonds(psmiles: str, mol: Mol) -> None:
    """Covalent bonds of known order, the same order at both stars."""
    from rdkit import Chem

    bond = Chem.BondType
    stars = [mol.GetAtomWithIdx(i) for i in star_indices(mol)]
    orders = [star.GetBonds()[0].GetBondType() for star in stars]
    if not set(orders) <= {bond.SINGLE, bond.DOUBLE, bond.TRIPLE} or len(set(orders)) > 1:
        raise PSmilesError.of(
            psmiles,
            f"its star bonds are {' and '.join(order.name.lower() for order in orders)}",
            allowed="the same order on both: single, double or triple",
            fix="write both star bonds alike, as in '*CC*' or '*=CC=*'",
        )
    known = {bond.SINGLE, bond.DOUBLE, bond.TRIPLE, bond.AROMATIC}
    if not {b.GetBondType() for b in mol.GetBonds()} <= known:
        raise PSmilesError.of(
            psmiles,
            "it has a bond that is not a covalent bond of known order",
            allowed="single, double, triple and aromatic bonds",
            fix="replace ~, $ and arrows",
        )


def _check_electrons(psmiles: str, mol: Mol) -> None:
    """Closed shell: no radical, an even number of electrons."""
    radicals = [f"{a.GetSymbol()}{a.GetIdx()}" for a in mol.GetAtoms() if a.GetNumRadicalElectrons()]
    electrons = sum(a.GetAtomicNum() + a.GetTotalNumHs() - a.GetFormalCharge() for a in mol.GetAtoms())
    shared = sum(int(mol.GetAtomWithIdx(i).GetBonds()[0].GetBondTypeAsDouble()) for i in star_indices(mol))
    if radicals or (electrons + shared) % 2:
        where = f" on {', '.join(radicals)}" if radicals else ""
        raise PSmilesError.of(
            psmiles,
            f"it has unpaired electrons{where} ({electrons} electrons)",
            allowed="closed-shell units with an even number of electrons",
            fix="add the missing hydrogens inside the square brackets, such as [CH2] for [CH]",
        )
