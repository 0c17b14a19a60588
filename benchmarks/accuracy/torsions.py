"""Torsion scans of dimers of polyethylene, poly(ethylene oxide) and polystyrene, capped by methyl groups.

The last backbone torsion (O-C-C-O of PEO) of the extended chain is turned to every 15 degrees and held
while all else relaxes, by MMFF94 and then on the single AIMNet2 model. Every method then gives the energy
of the same geometries, kept in reference/torsions.npz. Curves are compared after a shift of their mean. PE
and PS are among the polymers that PolyGET trains on, PEO is not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.common import FOLDER, MODELS, read_result, write_result
from benchmarks.accuracy.flat import read_flat, write_flat
from benchmarks.accuracy.methods import ours, predictor, version
from benchmarks.accuracy.mmff import set_positions
from benchmarks.accuracy.teacher_calculator import TeacherCalculator
from polymd.datasets.frames import LabelledMolecule
from polymd.polymer import Polymer
from polymd.units import EV_KJ_MOL

FILE = FOLDER / "reference" / "torsions.npz"
DIMERS = {"PE": "*CC*", "PEO": "*CCO*", "PS": "*CC(*)c1ccccc1"}
STEP = 15
PEERS = ("aimnet2-single", "gfn2", "mmff94")
RELAXATION = 80  #: steps of L-BFGS at most, to 0.03 eV/Å


def torsion(polymer: Polymer) -> list[int]:
    """The last four backbone atoms."""
    return [int(i) for i in polymer.backbone[-4:]]


def scan(name: str) -> LabelledMolecule:
    """Geometries of a scan, -180 to 165 degrees, with the teacher's energies and forces."""
    from ase import Atoms

    from polymd.datasets.teachers import load_teacher

    polymer = Polymer(DIMERS[name], 2, end_groups=("C", "C"), tacticity="isotactic")
    start, calculator = extended(polymer), TeacherCalculator(load_teacher("aimnet2-single", MODELS))
    images = []
    for angle in range(-180, 180, STEP):
        atoms = Atoms(polymer.atomic_numbers, turned(polymer, start, angle), calculator=calculator)
        relax(atoms, torsion(polymer))
        images.append(atoms.positions.copy())
    labels = load_teacher("aimnet2", MODELS).label([(polymer.atomic_numbers, x) for x in images])
    return LabelledMolecule(
        numbers=polymer.atomic_numbers,
        positions=np.array(images, np.float32),
        energies=np.array([each.energy for each in labels]),
        forces=np.array([each.forces for each in labels], np.float32),
        temperatures=np.arange(-180.0, 180.0, STEP),
        id=capped_smiles(polymer),
        n_units=2,
        kind=name,
    )


def capped_smiles(polymer: Polymer) -> str:
    """SMILES of the molecule itself, for MMFF94's bond orders."""
    from rdkit import Chem

    return str(Chem.MolToSmiles(Chem.RemoveHs(polymer.to_rdkit()), isomericSmiles=False))


def extended(polymer: Polymer) -> NDArray[np.float64]:
    """A conformer whose main chain, caps included, is all trans, relaxed on MMFF94, (N, 3) Å."""
    from rdkit import Chem
    from rdkit.Chem import rdMolTransforms

    from polymd.conformations.etkdg import embed, minimise

    mol = polymer.to_rdkit()
    ends = [cap_of(mol, int(polymer.backbone[0])), cap_of(mol, int(polymer.backbone[-1]))]
    chain = list(Chem.GetShortestPath(mol, *ends))
    set_positions(mol, embed(mol, 1, 1)[0])
    for n in range(len(chain) - 3):
        rdMolTransforms.SetDihedralDeg(mol.GetConformer(), *chain[n : n + 4], 180.0)
    return minimise(mol, mol.GetConformer().GetPositions(), 1000)


def cap_of(mol: Any, end: int) -> int:
    """The methyl cap bonded to an end of the backbone."""
    for atom in mol.GetAtomWithIdx(end).GetNeighbors():
        if atom.GetAtomicNum() == 6 and atom.GetTotalNumHs(includeNeighbors=True) == 3:
            return int(atom.GetIdx())
    raise ValueError(f"atom {end} has no methyl cap")


def turned(polymer: Polymer, start: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    """The conformer with the torsion at an angle, relaxed by MMFF94 with the torsion held."""
    from rdkit.Chem import rdForceFieldHelpers, rdMolTransforms

    mol = polymer.to_rdkit()
    set_positions(mol, start)
    rdMolTransforms.SetDihedralDeg(mol.GetConformer(), *torsion(polymer), float(angle))
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(mol)
    field = rdForceFieldHelpers.MMFFGetMoleculeForceField(mol, properties)
    field.Initialize()
    field.MMFFAddTorsionConstraint(*torsion(polymer), False, angle, angle, 1000.0)
    field.Minimize(maxIts=500)
    return np.array(mol.GetConformer().GetPositions())


def relax(atoms: Any, dihedral: list[int]) -> None:
    """Relax all but the dihedral on the calculator of the atoms."""
    from ase.constraints import FixInternals
    from ase.optimize import LBFGS

    hold = [atoms.get_dihedral(*dihedral), dihedral]
    atoms.set_constraint(FixInternals(dihedrals_deg=[hold], epsilon=1e-5))
    LBFGS(atoms, logfile=None).run(fmax=0.03, steps=RELAXATION)


def scans() -> list[LabelledMolecule]:
    """All scans, made where their file is missing."""
    if not FILE.exists():
        write_flat(FILE, [scan(name) for name in DIMERS], {"level_of_theory": "AIMNet2 ensemble"})
    return read_flat(FILE)[0]


def relative(energies: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energies in kJ/mol with the mean of the reference, which counts from its lowest point."""
    against = reference - reference.min()
    return np.asarray((energies - energies.mean() + against.mean()) * EV_KJ_MOL)


def main() -> None:
    old = (read_result("torsions") or {}).get("scans", {})
    content: dict[str, Any] = {}
    for molecule in scans():
        teacher = relative(molecule.energies, molecule.energies)
        curves = {"teacher": teacher.round(3).tolist()}
        mae, versions = {}, {}
        for method in (*ours(), *PEERS):
            versions[method] = version(method)
            before = old.get(molecule.kind, {})
            if before.get("versions", {}).get(method) == versions[method]:
                curves[method], mae[method] = before["curves"][method], before["mae"][method]
                continue
            curve = relative(predictor(method)(molecule)[0], molecule.energies)
            curves[method] = curve.round(3).tolist()
            mae[method] = round(float(np.abs(curve - teacher).mean()), 3)
        content[molecule.kind] = {
            "smiles": molecule.id,
            "atoms": len(molecule.numbers),
            "angles": molecule.temperatures.tolist(),
            "curves": curves,
            "mae": mae,
            "versions": versions,
        }
    write_result(
        "torsions", {"scans": content}, level_of_theory="AIMNet2 ensemble, wB97M-D3/def2-TZVPP level"
    )


if __name__ == "__main__":
    main()
