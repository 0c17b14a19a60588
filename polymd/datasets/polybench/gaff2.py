"""GAFF2 parameters of a repeat unit, from an oligomer, for chains of any length; kept in a file."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from polymd.datasets.polybench.ambertools import AmberToolsError, run_program

if TYPE_CHECKING:
    import openmm

    from polymd.polymer import Polymer

__all__ = ["Charges", "Gaff2Parameters", "gaff2_parameters"]

Charges = Literal["bcc", "gas"]
_KNOWN_CHARGES = ("bcc", "gas")
_FORMAT = 1
_MOST_ATOMS = 120
_SQM = "qm_theory='AM1',grms_tol=0.0005,scfconv=1.d-8,ndiis_attempts=700,maxcyc=0,"
# 2 is GAFF2; "gaff2" lets parmchk2 of AmberTools 26 look up GAFF's older types at random
_PARMCHK = ("-i", "oligomer.mol2", "-f", "mol2", "-o", "oligomer.frcmod", "-s", "2", "-a", "N")
_LEAP = """source leaprc.gaff2
loadamberparams oligomer.frcmod
chain = loadmol2 oligomer.mol2
saveamberparm chain oligomer.prmtop oligomer.inpcrd
quit
"""


@dataclass(frozen=True)
class Gaff2Parameters:
    """GAFF2 of a linear homopolymer in OpenMM's units (nm, kJ/mol, e, rad).

    Attributes
    ----------
    psmiles, charges
        Whose they are, and the charge model.
    units
        "head", "middle" and "tail": of every atom of the unit, in the order of `Polymer`, its type and
        charge. Every unit is neutral.
    particles
        Type -> (sigma, epsilon).
    bonds, angles
        Types joined by "-" -> (length or angle, force constant).
    torsions
        Types -> list of (periodicity, phase, force constant).
    impropers
        Types in Amber's order, the centre third -> list as of torsions.
    """

    psmiles: str
    charges: str
    units: dict[str, list[tuple[str, float]]]
    particles: dict[str, tuple[float, float]]
    bonds: dict[str, tuple[float, float]]
    angles: dict[str, tuple[float, float]]
    torsions: dict[str, list[tuple[int, float, float]]]
    impropers: dict[str, list[tuple[int, float, float]]]


def gaff2_parameters(psmiles: str, charges: Charges = "bcc") -> Gaff2Parameters:
    """GAFF2 parameters of a repeat unit, from the user's cache or from antechamber, parmchk2 and tleap.

    An isotactic oligomer (7 units for backbones of one atom a unit, 5 for two, else 3) is embedded,
    minimised on MMFF94 and parametrised; the first, middle and last unit become those of all chains. The
    remaining charge of each is spread over its atoms, so that every unit is neutral. GAFF2: J. Wang et al.,
    J. Comput. Chem. 25, 1157 (2004), version 2; AM1-BCC: A. Jakalian, D. B. Jack, C. I. Bayly, J. Comput.
    Chem. 23, 1623 (2002).

    Parameters
    ----------
    psmiles
        Repeat unit.
    charges
        "bcc": AM1-BCC; "gas": Gasteiger.

    Raises
    ------
    ValueError
        Unknown charge model or bad P-SMILES.
    AmberToolsError
        A program is missing or failed, or the atom types alternate from unit to unit.
    """
    if charges not in _KNOWN_CHARGES:
        raise ValueError(f"unknown charges {charges!r}; allowed: {', '.join(_KNOWN_CHARGES)}; fix: use 'bcc'")
    return _parameters(psmiles, charges)


@cache
def _parameters(psmiles: str, charges: Charges) -> Gaff2Parameters:
    path = parameter_file(psmiles, charges)
    if path.is_file():
        return _from_json(path.read_text(encoding="utf-8"))
    parameters = _parametrise(psmiles, charges)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(asdict(parameters), file)
    os.replace(file.name, path)
    return parameters


def parameter_file(psmiles: str, charges: Charges) -> Path:
    """Where parameters are kept: under `polymd/gaff2` in XDG_CACHE_HOME, by default ~/.cache."""
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path.home() / ".cache") / "polymd" / "gaff2"
    return folder / f"{hashlib.sha256(f'{psmiles}|{charges}|{_FORMAT}'.encode()).hexdigest()[:32]}.json"


def _from_json(text: str) -> Gaff2Parameters:
    content: dict[str, Any] = json.loads(text)
    for name in ("particles", "bonds", "angles"):
        content[name] = {key: tuple(value) for key, value in content[name].items()}
    for name in ("torsions", "impropers", "units"):
        content[name] = {key: [tuple(v) for v in values] for key, values in content[name].items()}
    return Gaff2Parameters(**content)


def _parametrise(psmiles: str, charges: Charges) -> Gaff2Parameters:
    """Run the programs on an oligomer and read the terms off OpenMM's system of it."""
    from openmm import app

    oligomer = _oligomer(psmiles)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_sdf(oligomer, folder / "oligomer.sdf")
        options = ["-i", "oligomer.sdf", "-fi", "sdf", "-o", "oligomer.mol2", "-fo", "mol2", "-at", "gaff2"]
        options += ["-c", charges, "-pf", "y", "-dr", "no", "-nc", "0"]
        run_program(folder, "antechamber", *options, *(["-ek", _SQM] if charges == "bcc" else []))
        run_program(folder, "parmchk2", *_PARMCHK)
        (folder / "leap.in").write_text(_LEAP, encoding="ascii")
        run_program(folder, "tleap", "-f", "leap.in")
        if not (folder / "oligomer.prmtop").is_file():
            raise AmberToolsError(f"tleap gave no parameters for {psmiles!r}; fix: leave this polymer out")
        types = [line.split()[5] for line in _section(folder / "oligomer.mol2", "ATOM")]
        prmtop = app.AmberPrmtopFile(str(folder / "oligomer.prmtop"))
        system = prmtop.createSystem(nonbondedMethod=app.NoCutoff, constraints=None)
    return _read(psmiles, charges, oligomer, types, system)


def _oligomer(psmiles: str) -> Polymer:
    from polymd.polymer import Polymer

    one = Polymer(psmiles, 1)
    units = {1: 7, 2: 5}.get(len(one.backbone), 3)
    while units > 3 and units * (one.n_atoms - 2) > _MOST_ATOMS:
        units -= 2
    return Polymer(psmiles, units, tacticity="isotactic")


def _write_sdf(oligomer: Polymer, path: Path) -> None:
    from rdkit import Chem
    from rdkit.Geometry import Point3D

    from polymd.conformations.etkdg import embed, minimise

    mol = oligomer.to_rdkit()
    conformer = Chem.Conformer(mol.GetNumAtoms())
    for i, (x, y, z) in enumerate(minimise(mol, embed(mol, 1, 0)[0], 500).tolist()):
        conformer.SetAtomPosition(i, Point3D(x, y, z))
    mol.AddConformer(conformer)
    Chem.MolToMolFile(mol, str(path), kekulize=True)


def _section(path: Path, name: str) -> list[str]:
    """Lines of a section of a mol2 file."""
    text = path.read_text(encoding="utf-8").split(f"@<TRIPOS>{name}\n")[1].split("@<TRIPOS>")[0]
    return [line for line in text.splitlines() if line.strip()]


def _read(
    psmiles: str, charges: str, oligomer: Polymer, types: list[str], system: openmm.System
) -> Gaff2Parameters:
    """Terms of the oligomer's system by atom types."""
    import openmm
    from openmm import unit

    forces = {type(force): force for force in system.getForces()}
    nonbonded = forces[openmm.NonbondedForce]
    bonds, angles, particles = {}, {}, {}
    q = np.zeros(oligomer.n_atoms)
    for i in range(oligomer.n_atoms):
        charge, sigma, epsilon = (
            value.value_in_unit_system(unit.md_unit_system) for value in nonbonded.getParticleParameters(i)
        )
        q[i], particles[types[i]] = charge, (sigma, epsilon)
    force = forces[openmm.HarmonicBondForce]
    for index in range(force.getNumBonds()):
        *atoms, length, k = force.getBondParameters(index)
        bonds[_key([types[a] for a in atoms])] = (length._value, k._value)
    force = forces[openmm.HarmonicAngleForce]
    for index in range(force.getNumAngles()):
        *atoms, angle, k = force.getAngleParameters(index)
        angles[_key([types[a] for a in atoms])] = (angle._value, k._value)
    torsions, impropers = _torsions(oligomer, types, forces[openmm.PeriodicTorsionForce])
    units = _units(oligomer, types, q)
    return Gaff2Parameters(psmiles, charges, units, particles, bonds, angles, torsions, impropers)


def _key(types: list[str]) -> str:
    """Types joined, in the order that comes first in the alphabet."""
    return "-".join(min(types, types[::-1]))


def _torsions(
    oligomer: Polymer, types: list[str], force: openmm.PeriodicTorsionForce
) -> tuple[dict[str, list[tuple[int, float, float]]], dict[str, list[tuple[int, float, float]]]]:
    """Proper torsions, whose atoms follow one another, and impropers, by types."""
    bonded = {(int(i), int(j)) for i, j in oligomer.bonds} | {(int(j), int(i)) for i, j in oligomer.bonds}
    by_atoms: dict[tuple[int, ...], list[tuple[int, float, float]]] = {}
    for index in range(force.getNumTorsions()):
        *atoms, periodicity, phase, k = force.getTorsionParameters(index)
        by_atoms.setdefault(tuple(atoms), []).append((periodicity, phase._value, k._value))
    torsions, impropers = {}, {}
    for atoms, terms in by_atoms.items():
        names = [types[a] for a in atoms]
        if all(pair in bonded for pair in pairwise(atoms)):
            torsions[_key(names)] = terms
        else:
            impropers["-".join(names)] = terms
    return torsions, impropers


def _units(oligomer: Polymer, types: list[str], q: np.ndarray) -> dict[str, list[tuple[str, float]]]:
    """Types and charges of the first, middle and last unit, each made neutral."""
    middle = oligomer.n_units // 2
    if oligomer.n_units > 3:
        kinds = {tuple(types[a] for a in oligomer.unit_atoms(i)) for i in (middle - 1, middle)}
        if len(kinds) > 1:
            raise AmberToolsError(
                f"GAFF2's atom types of {oligomer.psmiles!r} alternate from unit to unit; allowed: the same"
                " in each; fix: leave this polymer out"
            )
    units = {}
    for name, i in (("head", 0), ("middle", middle), ("tail", oligomer.n_units - 1)):
        atoms = oligomer.unit_atoms(i)
        charge = q[atoms] - q[atoms].mean()
        units[name] = [(types[a], float(c)) for a, c in zip(atoms, charge, strict=True)]
    return units
