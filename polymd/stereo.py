"""Stereo of a chain: tags by neighbour order, tacticity, and a choice for what the string leaves open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from polymd.assembly import Skeleton, set_tetrahedral
from polymd.psmiles import star_indices

if TYPE_CHECKING:
    from collections.abc import Callable

    from rdkit.Chem import ChiralType, Mol, RWMol


Tacticity = Literal["atactic", "isotactic", "syndiotactic"]
_NO_ATOM = 2**32 - 1
_SMALLEST_TRANS_RING = 12
_ROUNDS = 3


def choose_open_stereo(skeleton: Skeleton, tacticity: Tacticity, seed: int) -> None:
    """Give every stereo element that the P-SMILES leaves open a definite value.

    * Backbone centres: handedness of (previous backbone atom, next backbone atom, higher substituent, lower
      substituent) equal along the chain (isotactic), alternating (syndiotactic) or random (atactic).
    * Two or more open centres in rings of a unit: a combination that an embedded unit has, since not every
      combination closes; the same in each unit, alternately mirrored, or random.
    * Side-group centres: random. Double bonds: trans along the backbone or between the higher
      substituents; cis inside rings of fewer than twelve atoms.
    """
    from rdkit import Chem

    rng = np.random.default_rng(seed)
    for _ in range(_ROUNDS):  # setting one centre can open another
        open_centres: list[int] = []
        for info in Chem.FindPotentialStereo(skeleton.mol, cleanIt=False):
            if info.specified == Chem.StereoSpecified.Unspecified:
                if info.type == Chem.StereoType.Atom_Tetrahedral:
                    open_centres.append(info.centeredOn)
                elif info.type == Chem.StereoType.Bond_Double:
                    _set_double_bond(skeleton, info.centeredOn, list(info.controllingAtoms))
        done = _set_ring_units(skeleton, open_centres, tacticity, rng)
        _set_single_centres(skeleton, [c for c in open_centres if c not in done], tacticity, rng)
    _clean(skeleton.mol)


def _clean(mol: RWMol) -> None:
    """Drop stereo where two groups are equal; label double bonds E and Z as RDKit's own readers do."""
    from rdkit import Chem

    Chem.FindPotentialStereo(mol, cleanIt=True, flagPossible=False)
    tags = [atom.GetChiralTag() for atom in mol.GetAtoms()]
    Chem.SetDoubleBondNeighborDirections(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    for atom, tag in zip(mol.GetAtoms(), tags, strict=True):
        atom.SetChiralTag(tag)


def _set_single_centres(
    skeleton: Skeleton, centres: list[int], tacticity: Tacticity, rng: np.random.Generator
) -> None:
    """Backbone centres by tacticity, all others by coin."""
    from rdkit import Chem

    tags = (Chem.ChiralType.CHI_TETRAHEDRAL_CCW, Chem.ChiralType.CHI_TETRAHEDRAL_CW)
    flow = _backbone_flow(skeleton)
    mol, open_set, alternate = skeleton.mol, set(centres), 0
    for centre in [c for c in flow if c in open_set] + [c for c in centres if c not in flow]:
        around = [a.GetIdx() for a in mol.GetAtomWithIdx(centre).GetNeighbors()]
        coin = int(rng.integers(2))
        if centre in flow and set(flow[centre]) <= set(around):
            before, after = flow[centre]
            around = [before, after, *sorted((a for a in around if a not in (before, after)), key=_rank(mol))]
            if tacticity != "atactic":
                coin = alternate if tacticity == "syndiotactic" else 0
                alternate = 1 - alternate
        set_tetrahedral(mol, centre, around, tags[coin])


def _backbone_flow(skeleton: Skeleton) -> dict[int, tuple[int, int]]:
    """Backbone atom, in chain order -> (previous, next) atom along the chain, end groups included."""
    flow = {}
    for i, path in enumerate(skeleton.backbone):
        first, last = star_indices(skeleton.pieces[i].mol)
        line = [skeleton.locate(i, first), *path, skeleton.locate(i, last)]
        flow.update({line[k]: (line[k - 1], line[k + 1]) for k in range(1, len(line) - 1)})
    return flow


def _rank(mol: Mol) -> Callable[[int], tuple[int, list[int]]]:
    """Sort key of substituents, highest first: heavier atom, then its heavier neighbours."""

    def key(i: int) -> tuple[int, list[int]]:
        atom = mol.GetAtomWithIdx(i)
        return -atom.GetAtomicNum(), sorted(-a.GetAtomicNum() for a in atom.GetNeighbors())

    return key


def _set_ring_units(
    skeleton: Skeleton, centres: list[int], tacticity: Tacticity, rng: np.random.Generator
) -> set[int]:
    """Set open centres of units that have two or more of them in rings; returns the centres it set."""
    from rdkit import Chem

    owner = {atom: (p, own) for p, piece in enumerate(skeleton.pieces) for own, atom in piece.index.items()}
    todo: dict[int, list[int]] = {}
    for centre in centres:
        piece, atom = owner[centre]
        rings = skeleton.pieces[piece].mol.GetRingInfo()
        if piece < len(skeleton.backbone) and rings.NumRings() and rings.NumAtomRings(atom):
            todo.setdefault(piece, []).append(atom)
    todo = {piece: own for piece, own in todo.items() if len(own) > 1}
    units = {id(mol): mol for mol in (skeleton.pieces[piece].mol for piece in todo)}
    found = {key: embedded_variants(mol, int(rng.integers(2**31 - 1))) for key, mol in units.items()}
    done = set()
    for piece, own in todo.items():
        unit = skeleton.pieces[piece].mol
        variants = found[id(unit)]
        if not variants:
            continue
        free = not any(a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED for a in unit.GetAtoms())
        number = int(rng.integers(len(variants))) if tacticity == "atactic" else 0
        mirror = free and (
            int(rng.integers(2)) if tacticity == "atactic" else (piece % 2) * (tacticity == "syndiotactic")
        )
        for atom in own:
            if atom not in variants[number]:  # flat in the unit alone, so left to the coin
                continue
            around, tag = variants[number][atom]
            centre = skeleton.pieces[piece].index[atom]
            set_tetrahedral(skeleton.mol, centre, [skeleton.locate(piece, a) for a in around], tag)
            if mirror:
                skeleton.mol.GetAtomWithIdx(centre).InvertChirality()
            done.add(centre)
    return done


def embedded_variants(unit: Mol, seed: int, count: int = 4) -> list[dict[int, tuple[list[int], ChiralType]]]:
    """Tags, and the neighbour order they refer to, of `unit` embedded with methyl groups as stars."""
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDistGeom

    capped = Chem.RWMol(unit)
    for star in star_indices(unit):
        capped.GetAtomWithIdx(star).SetAtomicNum(6)
        capped.GetAtomWithIdx(star).SetNoImplicit(False)
    with rdBase.BlockLogs():
        Chem.SanitizeMol(capped)
        full = Chem.AddHs(capped)
        parameters = rdDistGeom.ETKDGv3()
        parameters.randomSeed = seed  # type: ignore[assignment]
        parameters.useRandomCoords = True  # type: ignore[assignment]
        found = list(rdDistGeom.EmbedMultipleConfs(full, count, parameters))
    variants = []
    for number in found:
        Chem.AssignAtomChiralTagsFromStructure(full, number, replaceExistingTags=True)
        variants.append(
            {
                atom.GetIdx(): (
                    [b.GetOtherAtomIdx(atom.GetIdx()) for b in atom.GetBonds()],
                    atom.GetChiralTag(),
                )
                for atom in full.GetAtoms()
                if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED
                and atom.GetIdx() < unit.GetNumAtoms()
            }
        )
    return variants


def _set_double_bond(skeleton: Skeleton, bond_index: int, controlling: list[int]) -> None:
    """Trans along the backbone or between the higher substituents; cis inside a small ring."""
    from rdkit import Chem

    mol = skeleton.mol
    bond = mol.GetBondWithIdx(bond_index)
    rings = [
        set(ring)
        for ring in mol.GetRingInfo().AtomRings()
        if {bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()} <= set(ring)
    ]
    inside = set.union(*rings) if rings else set()
    flow = _backbone_flow(skeleton)
    rank = _rank(mol)
    sides = [[a for a in controlling[k : k + 2] if a != _NO_ATOM] for k in (0, 2)]
    left, right = (min(side, key=lambda a: (a not in inside, a not in flow, rank(a))) for side in sides)
    if mol.GetBondBetweenAtoms(left, bond.GetBeginAtomIdx()) is None:
        left, right = right, left
    small = bool(rings) and min(map(len, rings)) < _SMALLEST_TRANS_RING
    bond.SetStereoAtoms(left, right)
    bond.SetStereo(Chem.BondStereo.STEREOCIS if small else Chem.BondStereo.STEREOTRANS)
