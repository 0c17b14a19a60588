"""The repeat units of a trajectory as they are in the chain, with the atoms beyond their stars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mdtraj import Topology, Trajectory
    from numpy.typing import NDArray
    from rdkit.Chem import Mol

__all__ = ["UnitFrames", "unit_frames"]

_NM = 10.0  # Å


@dataclass(frozen=True)
class UnitFrames:
    """U inner units of a chain, or of several, in F frames."""

    psmiles: str  #: of a unit, as the chain is cut
    numbers: NDArray[np.int64]  #: (A,), atomic numbers in the order of the P-SMILES, stars as what is there
    positions: NDArray[np.float32]  #: (F, U, A, 3), Å


def unit_frames(trajectory: Trajectory) -> UnitFrames:
    """Read the units that have a neighbour on both sides.

    Parameters
    ----------
    trajectory
        Of a topology with one residue a unit, hydrogens and bonds, as `Polymer.to_mdtraj` writes it;
        molecules whole. Bond orders are worked out where the topology has none.

    Raises
    ------
    ValueError
        No frames; no unit with two neighbours; units of several kinds; atoms without bonds.
    """
    from rdkit import Chem

    if not trajectory.n_frames:
        raise ValueError("the trajectory has no frames; allowed: 1 or more; fix: load some")
    topology = trajectory.topology
    neighbours = _neighbours(topology)
    places: list[list[int]] = []
    kinds: dict[str, None] = {}
    for residue in topology.residues:
        unit = _unit(topology, {atom.index for atom in residue.atoms}, neighbours)
        if unit is None:
            continue
        mol, atoms = unit
        text = Chem.MolToSmiles(mol)
        order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        places.append([atoms[i] for i in order])
        kinds[text] = None
    if len(kinds) != 1:
        raise ValueError(
            f"the trajectory has inner units {list(kinds)!r}; allowed: one kind of unit with a neighbour on "
            "both sides, so chains of 3 units or more; fix: give one of a homopolymer of polymd.Polymer"
        )
    rows = np.array(places, dtype=np.int64)
    numbers = np.array([topology.atom(i).element.number for i in rows[0]], dtype=np.int64)
    positions = (_NM * trajectory.xyz[:, rows]).astype(np.float32)
    return UnitFrames(next(iter(kinds)), numbers, positions)


def _neighbours(topology: Topology) -> dict[int, dict[int, float]]:
    """Bonded atoms of every atom, with the order of the bond, 0 where it is not known."""
    found: dict[int, dict[int, float]] = {atom.index: {} for atom in topology.atoms}
    for bond in topology.bonds:
        kind = getattr(bond, "type", None)
        order = 1.5 if str(kind) == "Aromatic" else float(bond.order or 0)
        found[bond[0].index][bond[1].index] = found[bond[1].index][bond[0].index] = order
    return found


def _unit(
    topology: Topology, inside: set[int], neighbours: dict[int, dict[int, float]]
) -> tuple[Mol, list[int]] | None:
    """The molecule of a unit, stars for its two neighbours, and the atoms of the topology; or None."""
    from rdkit import Chem
    from rdkit.Chem import rdDetermineBonds

    links = [(i, j) for i in sorted(inside) for j in neighbours[i] if j not in inside]
    if len(links) != 2:
        return None
    mol, place = Chem.RWMol(), {}
    for i in sorted(inside):
        atom = Chem.Atom(topology.atom(i).element.number)
        atom.SetNoImplicit(True)
        place[i] = mol.AddAtom(atom)
    stars = [mol.AddAtom(Chem.Atom(1)) for _ in links]  # hydrogens while bond orders are worked out
    kinds = {1.0: Chem.BondType.SINGLE, 1.5: Chem.BondType.AROMATIC, 2.0: Chem.BondType.DOUBLE}
    kinds[3.0] = Chem.BondType.TRIPLE
    orders = []
    for i in sorted(inside):
        for j, order in neighbours[i].items():
            if j in inside and i < j:
                mol.AddBond(place[i], place[j], kinds.get(order, Chem.BondType.SINGLE))
                orders.append(order)
    for star, (i, j) in zip(stars, links, strict=True):
        mol.AddBond(place[i], star, kinds.get(neighbours[i][j], Chem.BondType.SINGLE))
    if not all(orders):
        mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))  # RDKit asks for one and does not look at it
        rdDetermineBonds.DetermineBondOrders(mol, charge=0, embedChiral=False)
    for bond in mol.GetBonds():
        aromatic = bond.GetBondType() == Chem.BondType.AROMATIC
        for atom in (bond.GetBeginAtom(), bond.GetEndAtom()) if aromatic else ():
            atom.SetIsAromatic(True)
        bond.SetIsAromatic(aromatic)
    for star in stars:
        mol.GetAtomWithIdx(star).SetAtomicNum(0)
    atoms = [*sorted(inside), *(j for _, j in links)]
    for number, index in enumerate(atoms):
        mol.GetAtomWithIdx(number).SetIntProp("place", index)
    Chem.SanitizeMol(mol)
    bare = Chem.RemoveHs(mol)
    Chem.RemoveStereochemistry(bare)
    return bare, [atom.GetIntProp("place") for atom in bare.GetAtoms()]
