"""From a repeat unit to the molecular graph of a chain or a ring: atoms, bonds, order, given stereo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polymd.psmiles import PSmilesError, parse, parse_fragment, star_indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rdkit.Chem import BondType, ChiralType, Mol, RWMol

_HYDROGEN = frozenset({"[H]", "[H]*", "*[H]"})


@dataclass(frozen=True)
class Piece:
    """One repeat unit or end group of a chain, as a molecule with stars, Kekulé bonds and all hydrogens.

    `links` says for each star which (piece, atom) of the chain it stands for, `index` where each other
    atom went in the chain.
    """

    mol: Mol
    unit: int
    links: dict[int, tuple[int, int]]
    index: dict[int, int]


@dataclass(frozen=True)
class Skeleton:
    """The graph of a chain before its open stereo is chosen.

    `backbone` holds, unit by unit, the shortest path from head to tail as chain indices.
    """

    mol: RWMol
    pieces: list[Piece]
    backbone: list[list[int]]

    def locate(self, piece: int, atom: int) -> int:
        """Chain index of a piece's atom, of what a star stands for when the atom is a star."""
        where, there = self.pieces[piece].links.get(atom, (piece, atom))
        return self.pieces[where].index[there]


def assemble(sequence: Sequence[str], n_units: int, end_groups: tuple[str, str], ring: bool) -> Skeleton:
    """Join `n_units` repeat units and two end groups, or close the units to a ring.

    Unit i is that of the P-SMILES `sequence[i % len(sequence)]`. Atoms go unit by unit; end groups belong
    to the first and last unit; in a unit the hydrogens follow all other atoms. Stereo that the strings
    give is set, the rest is left open.

    Raises
    ------
    PSmilesError
        As `polymd.psmiles.parse`; units whose stars differ in bond order; an end group that does not fit; a
        ring too small to close; valences or electrons that do not work out in the chain.
    """
    from rdkit import Chem, rdBase

    units = [_unit(psmiles) for psmiles in sequence]
    label = "-".join(sequence)
    order = units[0].order
    if any(unit.order != order for unit in units):
        raise PSmilesError.of(
            label,
            "its units have stars of different bond orders",
            allowed="units that all join by the same kind of bond",
            fix="write all star bonds alike",
        )
    of = [units[i % len(units)] for i in range(n_units)]
    pieces = [Piece(unit.mol, i, {}, {}) for i, unit in enumerate(of)]
    junctions = []
    for i in range(n_units if ring else n_units - 1):
        j = (i + 1) % n_units
        pieces[i].links[of[i].stars[1]] = (j, of[j].ends[0])
        pieces[j].links[of[j].stars[0]] = (i, of[i].ends[1])
        junctions.append((i, of[i].ends[1], j, of[j].ends[0], order))
    if ring:
        _check_ring(label, n_units, [(i, a, j, b) for i, a, j, b, _ in junctions], units[0].mol)
    else:
        for end, text in enumerate(end_groups):
            where = (0, n_units - 1)[end]
            for cap, kind in _end_group(text, order):
                star = star_indices(cap)[0]
                atom = cap.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx()
                pieces[where].links.setdefault(of[where].stars[end], (len(pieces), atom))
                pieces.append(Piece(cap, where, {star: (where, of[where].ends[end])}, {}))
                junctions.append((where, of[where].ends[end], len(pieces) - 1, atom, kind))
    mol = _merge(pieces, junctions)
    skeleton = Skeleton(mol, pieces, [[pieces[i].index[a] for a in of[i].path] for i in range(n_units)])
    _keep_given_stereo(skeleton)
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except ValueError as error:
            raise PSmilesError.of(
                label,
                f"a {'ring' if ring else 'chain'} of {n_units} units is no molecule (RDKit: {error})",
                allowed="units and end groups whose bonds add up to normal valences",
                fix="check the star bonds and the end groups",
            ) from error
    return skeleton


@dataclass(frozen=True)
class _Unit:
    """A parsed repeat unit: its stars, their neighbours (head and tail), the path between, the star bonds."""

    mol: Mol
    stars: tuple[int, ...]
    ends: list[int]
    path: list[int]
    order: BondType


def _unit(psmiles: str) -> _Unit:
    from rdkit import Chem

    mol = _explicit(parse(psmiles))
    stars = star_indices(mol)
    ends = [mol.GetAtomWithIdx(star).GetNeighbors()[0].GetIdx() for star in stars]
    path = list(Chem.GetShortestPath(mol, *ends)) if ends[0] != ends[1] else [ends[0]]
    return _Unit(mol, stars, ends, path, mol.GetAtomWithIdx(stars[0]).GetBonds()[0].GetBondType())


def _explicit(mol: Mol) -> Mol:
    """Kekulé form with all hydrogens as atoms."""
    from rdkit import Chem

    Chem.Kekulize(mol, clearAromaticFlags=True)
    return Chem.AddHs(mol)


def _end_group(text: str, order: BondType) -> list[tuple[Mol, BondType]]:
    """Molecules (with one star) that cap one end, and their bond orders; [H] caps a bond of any order."""
    from rdkit import Chem

    single = Chem.BondType.SINGLE
    if isinstance(text, str) and text.strip() in _HYDROGEN:
        hydrogen = Chem.MolFromSmiles("*[H]", sanitize=False)
        return [(hydrogen, single)] * {single: 1, Chem.BondType.DOUBLE: 2}.get(order, 3)
    try:
        cap = parse_fragment(text if "*" in text else f"*{text}", 1)
    except (PSmilesError, TypeError) as error:
        raise PSmilesError(f"bad end group {text!r}: {error}") from error
    kind = cap.GetAtomWithIdx(star_indices(cap)[0]).GetBonds()[0].GetBondType()
    if kind != order:
        raise PSmilesError(
            f"bad end group {text!r}: it makes a {kind.name.lower()} bond and the unit's stars a"
            f" {order.name.lower()} one; allowed: the same order, or '[H]'; fix: write it as in '*=C'"
        )
    return [(_explicit(cap), kind)]


def _check_ring(psmiles: str, n_units: int, junctions: list[tuple[int, int, int, int]], unit: Mol) -> None:
    """A ring closes if every junction joins two different atoms that no other bond joins."""
    pairs = {frozenset({(i, a), (j, b)}) for i, a, j, b in junctions}
    bonded = any(i == j and unit.GetBondBetweenAtoms(a, b) is not None for i, a, j, b in junctions)
    if bonded or len(pairs) < len(junctions) or any(len(pair) == 1 for pair in pairs):
        raise PSmilesError.of(
            psmiles,
            f"a ring of {n_units} unit{'s' * (n_units != 1)} would have fewer than three atoms",
            allowed="rings with three or more backbone atoms",
            fix="ask for more units, or for a chain with ring=False",
        )


def _merge(pieces: list[Piece], junctions: list[tuple[int, int, int, int, BondType]]) -> RWMol:
    """All atoms in their final order and all bonds; fills every piece's `index`."""
    from rdkit import Chem

    atoms = [
        (piece.unit, atom.GetAtomicNum() == 1, number, atom.GetIdx())
        for number, piece in enumerate(pieces)
        for atom in piece.mol.GetAtoms()
        if atom.GetAtomicNum() > 0
    ]
    mol = Chem.RWMol()
    for _, _, number, i in sorted(atoms):
        atom = Chem.Atom(pieces[number].mol.GetAtomWithIdx(i))
        atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        pieces[number].index[i] = mol.AddAtom(atom)
    bonds = []
    for piece in pieces:
        for bond in piece.mol.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            if i in piece.index and j in piece.index:
                bonds.append((piece.index[i], piece.index[j], bond.GetBondType()))
    bonds += [(pieces[p].index[a], pieces[q].index[b], kind) for p, a, q, b, kind in junctions]
    for i, j, kind in sorted((min(i, j), max(i, j), kind) for i, j, kind in bonds):
        mol.AddBond(i, j, kind)
    return mol


def set_tetrahedral(mol: RWMol, centre: int, around: Sequence[int], tag: ChiralType) -> None:
    """Set the chiral tag that means `tag` for the neighbours in the order `around`.

    RDKit reads a tag in the order of the atom's bonds: looking from the first neighbour, the others turn
    clockwise (CW) or counter-clockwise (CCW).
    """
    from rdkit import Chem

    atom = mol.GetAtomWithIdx(centre)
    places = [list(around).index(bond.GetOtherAtomIdx(centre)) for bond in atom.GetBonds()]
    swaps = sum(a > b for k, a in enumerate(places) for b in places[k + 1 :])
    atom.SetChiralTag(tag)
    if swaps % 2:
        atom.InvertChirality()
    assert atom.GetChiralTag() in (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)


def _keep_given_stereo(skeleton: Skeleton) -> None:
    """Carry tetrahedral and double-bond stereo of the pieces over to the chain."""
    from rdkit import Chem

    for number, piece in enumerate(skeleton.pieces):
        for atom in piece.mol.GetAtoms():
            if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
                around = [skeleton.locate(number, b.GetOtherAtomIdx(atom.GetIdx())) for b in atom.GetBonds()]
                set_tetrahedral(skeleton.mol, piece.index[atom.GetIdx()], around, atom.GetChiralTag())
        for bond in piece.mol.GetBonds():
            if bond.GetStereo() in (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOZ):
                i, j = (skeleton.locate(number, a) for a in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
                left, right = (skeleton.locate(number, a) for a in bond.GetStereoAtoms())
                copy = skeleton.mol.GetBondBetweenAtoms(i, j)
                if copy.GetBeginAtomIdx() != i:
                    left, right = right, left
                copy.SetStereoAtoms(left, right)
                trans = bond.GetStereo() == Chem.BondStereo.STEREOE
                copy.SetStereo(Chem.BondStereo.STEREOTRANS if trans else Chem.BondStereo.STEREOCIS)
