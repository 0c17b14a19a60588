"""Other spellings of an infinite chain: repeat, shift, smallest repeat; and stars linked or substituted.

`*CCO*`, `*COC*` and `*CCOCCO*` are one infinite chain. The bonds at which a chain can be cut into
units are the bridges on the way from star to star; the pieces between them are called links.
Stereo is dropped here: shifting a unit would need stars told apart to keep it.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import pairwise
from math import gcd
from typing import TYPE_CHECKING

from polymd.psmiles import canonicalise, parse, star_indices

if TYPE_CHECKING:
    from rdkit.Chem import Mol

__all__ = [
    "canonical_chain",
    "link_stars",
    "n_links",
    "repeat",
    "shift",
    "shortened",
    "smallest_repeat",
    "substitute_stars",
]


def n_links(psmiles: str) -> int:
    """Number of links of the backbone: how many different shifts a unit has.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`.
    """
    return len(_links(psmiles))


def repeat(psmiles: str, n: int) -> str:
    """The canonical P-SMILES of `n` units as one unit, n at least 1; raises ValueError otherwise."""
    if n < 1:
        raise ValueError(f"bad number of repeats {n!r}; allowed: 1 or more; fix: repeat(psmiles, 2)")
    return _join(_links(psmiles) * n)


def shift(psmiles: str, links: int) -> str:
    """The canonical P-SMILES of the unit that begins `links` links further along the chain.

    Any integer is allowed; `n_links(psmiles)` leads back to the same unit.
    """
    chain = _links(psmiles)
    start = links % len(chain)
    return _join(chain[start:] + chain[:start])


def smallest_repeat(psmiles: str) -> str:
    """The canonical P-SMILES of the smallest unit of the same infinite chain, cut where `psmiles` is cut."""
    return _join(_period(_links(psmiles)))


def shortened(psmiles: str) -> str:
    """`smallest_repeat` where that is shorter, else `psmiles` as it is written, which is faster."""
    numbers = Counter(atom.GetAtomicNum() for atom in parse(psmiles).GetAtoms())
    if gcd(*(count for number, count in numbers.items() if number)) == 1:
        return psmiles  # n repeats have n times as many atoms of every element
    links = _links(psmiles)
    period = _period(links)
    return psmiles if len(period) == len(links) else _join(period)


def canonical_chain(psmiles: str) -> str:
    """One P-SMILES for all spellings of an infinite chain: of all shifts of the smallest repeat the first.

    Head to tail and tail to head are the same chain. Two P-SMILES are the same polymer, stereo aside,
    where their canonical chains are equal.
    """
    ahead = _period(_links(psmiles))
    back = [_turned(link) for link in reversed(ahead)]
    return _join(min(way[i:] + way[:i] for way in (ahead, back) for i in range(len(way))))


def link_stars(psmiles: str, n: int = 1) -> Mol:
    """A ring of `n` units: the stars removed and their neighbours bonded (star linking).

    Raises
    ------
    ValueError
        The ring would bond an atom to itself or bond two atoms twice: take more units.
    """
    from rdkit import Chem

    mol = Chem.RWMol(parse(repeat(psmiles, n)))
    head, tail = (mol.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in star_indices(mol))
    if head == tail or mol.GetBondBetweenAtoms(head, tail):
        raise ValueError(
            f"a ring of n={n!r} units of {psmiles!r} would bond two atoms twice, or one to itself; "
            f"allowed: rings of three backbone atoms or more; fix: link_stars(psmiles, n={n + 1})"
        )
    mol.AddBond(head, tail, mol.GetAtomWithIdx(star_indices(mol)[0]).GetBonds()[0].GetBondType())
    for star in reversed(star_indices(mol)):
        mol.RemoveAtom(star)
    Chem.SanitizeMol(mol)
    return mol.GetMol()


def substitute_stars(psmiles: str) -> Mol:
    """The unit with each star replaced by the atom that continues the chain there (star substitution).

    The head star becomes an atom of the element of the tail's neighbour and the reverse, saturated with
    hydrogens: MMPolymer (arXiv 2406.04727), section 3.2. Stereo stays as far as it was definite.
    """
    from rdkit import Chem

    mol = Chem.RWMol(parse(psmiles))
    head, tail = star_indices(mol)
    first, last = (mol.GetAtomWithIdx(star).GetNeighbors()[0].GetAtomicNum() for star in (head, tail))
    for star, number in ((head, last), (tail, first)):
        atom = mol.GetAtomWithIdx(star)
        atom.SetAtomicNum(number)
        atom.SetNoImplicit(False)
    Chem.SanitizeMol(mol)
    return mol.GetMol()


def _links(psmiles: str) -> list[str]:
    """Links of the backbone from head to tail as SMILES with star [1*] towards the head, [2*] the tail."""
    from rdkit import Chem

    mol = parse(psmiles)
    Chem.RemoveStereochemistry(mol)
    Chem.Kekulize(mol, clearAromaticFlags=True)  # a link's aromaticity is its own, whatever it was cut from
    head, tail = star_indices(mol)
    path = Chem.GetShortestPath(mol, head, tail)
    bonds = [mol.GetBondBetweenAtoms(*pair) for pair in pairwise(path[1:-1])]
    cuts = [bond for bond in bonds if not bond.IsInRing()]
    mol.GetAtomWithIdx(head).SetIsotope(1)
    mol.GetAtomWithIdx(tail).SetIsotope(2)
    if not cuts:
        return [_canonical(Chem.MolToSmiles(mol))]
    order = {atom: i for i, atom in enumerate(path)}
    # FragmentOnBonds puts its first label on the star that takes the end atom's place beside the begin atom
    labels = [
        (2, 1) if order[bond.GetBeginAtomIdx()] < order[bond.GetEndAtomIdx()] else (1, 2) for bond in cuts
    ]
    pieces = Chem.FragmentOnBonds(
        mol,
        [bond.GetIdx() for bond in cuts],
        dummyLabels=[(end, begin) for begin, end in labels],
        bondTypes=[bond.GetBondType() for bond in cuts],
    )
    members: list[tuple[int, ...]] = []
    found = Chem.GetMolFrags(pieces, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=members)
    along = sorted(zip(members, found, strict=True), key=lambda f: min(order.get(i, len(path)) for i in f[0]))
    return [_canonical(Chem.MolToSmiles(piece)) for _, piece in along]


@lru_cache(maxsize=4096)
def _canonical(link: str) -> str:
    """Canonical SMILES of a link; chains are made of few different ones."""
    from rdkit import Chem

    return str(Chem.MolToSmiles(Chem.MolFromSmiles(link)))


def _turned(link: str) -> str:
    """The link as it reads from the tail."""
    return _canonical(link.replace("[1*]", "[0*]").replace("[2*]", "[1*]").replace("[0*]", "[2*]"))


def _period(links: list[str]) -> list[str]:
    """The shortest list of which `links` is a whole number of copies."""
    size = len(links)
    return next(links[:p] for p in range(1, size + 1) if size % p == 0 and links == links[:p] * (size // p))


def _join(links: list[str]) -> str:
    """Bond the links in a row; the canonical P-SMILES of the unit they make."""
    from rdkit import Chem

    chain = Chem.RWMol()
    ends = []  # of every link: its two stars, their neighbours and the order of the bond to the star
    for smiles in links:
        link = Chem.MolFromSmiles(smiles)
        offset = chain.GetNumAtoms()
        chain.InsertMol(link)
        ends.append({a.GetIsotope(): a.GetIdx() + offset for a in link.GetAtoms() if a.GetAtomicNum() == 0})
    for one, other in pairwise(ends):
        bond = chain.GetAtomWithIdx(one[2]).GetBonds()[0]
        left = bond.GetOtherAtomIdx(one[2])
        right = chain.GetAtomWithIdx(other[1]).GetNeighbors()[0].GetIdx()
        chain.AddBond(left, right, bond.GetBondType())
    for end in (ends[0][1], ends[-1][2]):
        chain.GetAtomWithIdx(end).SetIsotope(0)
    for inner in sorted([one[2] for one in ends[:-1]] + [other[1] for other in ends[1:]], reverse=True):
        chain.RemoveAtom(inner)
    return canonicalise(str(Chem.MolToSmiles(chain)))
