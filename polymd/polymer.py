"""A polymer chain or ring of repeat units, with one atom order for RDKit, OpenMM, ASE and mdtraj."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from polymd.assembly import assemble, set_tetrahedral
from polymd.psmiles import PSmilesError
from polymd.stereo import Tacticity, choose_open_stereo

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ase
    import mdtraj
    import openmm.app
    from rdkit.Chem import Mol

__all__ = ["Polymer"]


class Polymer:
    """A chain of `n_units` repeat units with two end groups, or a ring of them.

    Parameters
    ----------
    psmiles
        Repeat unit, see `polymd.psmiles.parse`. The first star is the head, the second the tail. Of a
        copolymer the sequence of its units, such as ["*CC*", "*CCO*"], taken again and again until there are
        n_units.
    n_units
        Number of repeat units, 1 or more (a ring needs three backbone atoms in all).
    tacticity
        "atactic" (random by `seed`), "isotactic" or "syndiotactic": what becomes of backbone stereo-centres
        that the P-SMILES leaves open. Isotactic means equal handedness of (previous backbone atom, next
        backbone atom, higher substituent, lower substituent) along the chain, syndiotactic alternating.
        Stereo given in the string is kept in every unit. Side-group centres left open are random by
        `seed`, open double bonds are trans (see `polymd.stereo.choose_open_stereo`), so that a `Polymer`
        is always one definite stereoisomer.
    end_groups
        SMILES of what caps the head of the first and the tail of the last unit, with or without its star
        ("[H]", "C", "*OC"); "[H]" caps a bond of any order. Unused in rings.
    ring
        Close the units to a ring.
    seed
        Of every random choice.

    Attributes
    ----------
    psmiles : str
        Repeat unit; of a copolymer all strings with hyphens between.
    unit_types : (n_units,) int64
        Which of the given repeat units each unit is.
    n_atoms : int
        N, hydrogens included.
    atomic_numbers : (N,) int64
    masses : (N,) float64, amu
    unit_index : (N,) int64
        Unit of each atom; end groups belong to the first and last unit. Non-decreasing; in a unit the
        hydrogens follow all other atoms.
    backbone : (B,) int64
        Atoms along the shortest path from the first to the last backbone atom, in chain order.
    bonds : (M, 2) int64
        Smaller index first, sorted.
    name : str
        P-SMILES and number of units.

    Raises
    ------
    PSmilesError
        (a ValueError) Bad P-SMILES or end group, n_units < 1, a ring too small, a net charge, a chain
        without sound valences or with unpaired electrons.
    """

    def __init__(
        self,
        psmiles: str | Sequence[str],
        n_units: int,
        *,
        tacticity: Tacticity = "atactic",
        end_groups: tuple[str, str] = ("[H]", "[H]"),
        ring: bool = False,
        seed: int = 0,
    ) -> None:
        sequence = list(psmiles) if isinstance(psmiles, list | tuple) and psmiles else [str(psmiles)]
        self._sequence = sequence
        self.psmiles = "-".join(sequence)
        self.n_units = _count(self.psmiles, n_units)
        self.unit_types: NDArray[np.int64] = np.arange(self.n_units, dtype=np.int64) % len(sequence)
        if tacticity not in get_args(Tacticity):
            known = ", ".join(get_args(Tacticity))
            raise ValueError(f"unknown tacticity {tacticity!r}; allowed: {known}; fix: choose one of them")
        if isinstance(end_groups, str) or len(end_groups) != 2:
            raise ValueError(
                f"bad end_groups {end_groups!r}; allowed: two SMILES; fix: such as ('[H]', '*OC')"
            )
        self.tacticity = tacticity
        self.end_groups = (end_groups[0], end_groups[1])
        self.ring = ring
        self.seed = seed
        skeleton = assemble(sequence, self.n_units, self.end_groups, ring)
        _check_closed_shell(self.psmiles, skeleton.mol)
        choose_open_stereo(skeleton, tacticity, seed)
        self._mol: Mol = skeleton.mol.GetMol()
        atoms = list(self._mol.GetAtoms())
        self.n_atoms = len(atoms)
        self.atomic_numbers: NDArray[np.int64] = np.array([a.GetAtomicNum() for a in atoms], dtype=np.int64)
        self.masses: NDArray[np.float64] = np.array([a.GetMass() for a in atoms], dtype=np.float64)
        self.unit_index: NDArray[np.int64] = np.empty(self.n_atoms, dtype=np.int64)
        for piece in skeleton.pieces:
            self.unit_index[list(piece.index.values())] = piece.unit
        self.backbone: NDArray[np.int64] = np.concatenate(skeleton.backbone).astype(np.int64)
        pairs = sorted(sorted((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in self._mol.GetBonds())
        self.bonds: NDArray[np.int64] = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        self.name = f"{self.psmiles} x {self.n_units}{' ring' if ring else ''}"

    def __repr__(self) -> str:
        return f"Polymer({self.psmiles!r}, {self.n_units}, tacticity={self.tacticity!r}, ring={self.ring})"

    def unit_atoms(self, i: int) -> NDArray[np.int64]:
        """Indices (n,) of the atoms of unit `i`, end group included; IndexError outside 0..n_units-1."""
        if not 0 <= i < self.n_units:
            raise IndexError(f"no unit {i}; allowed: 0 to {self.n_units - 1}; fix: count units from 0")
        return np.flatnonzero(self.unit_index == i)

    def opened(self) -> Polymer:
        """The chain that a ring is when the bond from its last to its first unit is cut, same stereo.

        Both ends get a hydrogen, the last atom of its unit; all others keep their order. The units must be
        joined by single bonds.
        """
        from rdkit import Chem

        chain = Polymer(self._sequence, self.n_units, tacticity=self.tacticity, seed=self.seed)
        caps = [int(chain.unit_atoms(unit)[-1]) for unit in (0, self.n_units - 1)]
        kept = np.delete(np.arange(chain.n_atoms), caps).tolist()
        ends = int(self.backbone[0]), int(self.backbone[-1])
        mol = Chem.RWMol(chain._mol)
        for atom in mol.GetAtoms():
            atom.SetChiralTag(Chem.ChiralType.CHI_UNSPECIFIED)
        for atom in self._mol.GetAtoms():
            if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED:
                i = atom.GetIdx()
                around = [bond.GetOtherAtomIdx(i) for bond in atom.GetBonds()]
                new = [caps[ends.index(i)] if {i, j} == set(ends) else kept[j] for j in around]
                set_tetrahedral(mol, kept[i], new, atom.GetChiralTag())
        chain._mol = mol.GetMol()
        return chain

    def to_rdkit(self) -> Mol:
        """RDKit molecule with explicit hydrogens, bond orders and stereo; a copy, without conformers."""
        from rdkit import Chem

        return Chem.Mol(self._mol)

    def to_openmm(self) -> openmm.app.Topology:
        """OpenMM topology: one chain, one residue "UNT" a unit, bonds with their type and order."""
        from openmm import app

        kinds = {1.0: app.Single, 1.5: app.Aromatic, 2.0: app.Double, 3.0: app.Triple}
        topology = app.Topology()
        chain = topology.addChain("A")
        residues = [topology.addResidue("UNT", chain) for _ in range(self.n_units)]
        atoms = [
            topology.addAtom(name, app.Element.getByAtomicNumber(int(number)), residues[unit])
            for name, number, unit in zip(
                self._atom_names(), self.atomic_numbers, self.unit_index, strict=True
            )
        ]
        for i, j in self.bonds:
            order = self._mol.GetBondBetweenAtoms(int(i), int(j)).GetBondTypeAsDouble()
            topology.addBond(atoms[i], atoms[j], kinds[order], int(order))
        return topology

    def to_ase(self, positions: NDArray[np.floating] | None = None) -> ase.Atoms:
        """ASE Atoms with `positions` (N, 3) in Å (all zero when not given) and the masses of this polymer."""
        from ase import Atoms

        return Atoms(numbers=self.atomic_numbers, positions=positions, masses=self.masses)

    def to_mdtraj(self) -> mdtraj.Topology:
        """mdtraj topology with the same chain, residues, atoms and bonds as `to_openmm`."""
        import mdtraj

        return mdtraj.Topology.from_openmm(self.to_openmm())

    def _atom_names(self) -> list[str]:
        """Names unique in their unit: element and a running number."""
        counts: dict[tuple[int, str], int] = {}
        names = []
        for atom, unit in zip(self._mol.GetAtoms(), self.unit_index.tolist(), strict=True):
            key = (unit, atom.GetSymbol())
            counts[key] = counts.get(key, 0) + 1
            names.append(f"{key[1]}{counts[key]}")
        return names


def _count(psmiles: str, n_units: int) -> int:
    try:
        number = operator.index(n_units)
    except TypeError:
        number = 0
    if number < 1 or isinstance(n_units, bool):
        raise PSmilesError.of(
            psmiles,
            f"n_units is {n_units!r}",
            allowed="a whole number of units, 1 or more",
            fix="ask for at least one unit, such as n_units=10",
        )
    return number


def _check_closed_shell(psmiles: str, mol: Mol) -> None:
    """Neutral, no radical, an even number of electrons: what every consumer of a Polymer computes with."""
    charge = sum(atom.GetFormalCharge() for atom in mol.GetAtoms())
    if charge:
        raise PSmilesError.of(
            psmiles,
            f"the chain has the total charge {charge:+d}",
            allowed="neutral molecules (zwitterions and nitro groups are fine)",
            fix="write the neutral form, or bind the counter-charge to the same unit",
        )
    electrons = sum(atom.GetAtomicNum() for atom in mol.GetAtoms())
    if electrons % 2 or any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        raise PSmilesError.of(
            psmiles,
            f"the chain has unpaired electrons ({electrons} electrons)",
            allowed="closed-shell molecules",
            fix="check the hydrogens of the unit and of the end groups",
        )
