"""The middle unit of a chain of PEO on PolyGET, the rest on a classical force field, through OpenMM-ML.

python examples/mixed_system_openmmml.py
"""

from itertools import combinations

import numpy as np
import openmm
from openmm import unit
from openmmml import MLPotential
from rdkit.Chem import rdForceFieldHelpers as uff
from rdkit.Chem import rdPartialCharges

from polymd import Polymer, generate_conformations

KCAL = 4.184  # kJ/mol


def classical_system(polymer: Polymer) -> openmm.System:
    """UFF of an sp3 chain from RDKit, with harmonic angles and Gasteiger charges. It stands in for your own
    force field here: any System with one particle an atom, in the topology's order, will do.
    """
    mol = polymer.to_rdkit()
    rdPartialCharges.ComputeGasteigerCharges(mol)
    near = [[other.GetIdx() for other in atom.GetNeighbors()] for atom in mol.GetAtoms()]
    system = openmm.System()
    bonds, angles = openmm.HarmonicBondForce(), openmm.HarmonicAngleForce()
    torsions, pairs = openmm.PeriodicTorsionForce(), openmm.NonbondedForce()
    for j, atom in enumerate(mol.GetAtoms()):
        system.addParticle(atom.GetMass())
        distance, depth = uff.GetUFFVdWParams(mol, j, j)
        pairs.addParticle(atom.GetDoubleProp("_GasteigerCharge"), 0.1 * distance / 2 ** (1 / 6), depth * KCAL)
        for i, k in combinations(near[j], 2):
            constant, angle = uff.GetUFFAngleBendParams(mol, i, j, k)
            angles.addAngle(i, j, k, np.radians(angle), constant * KCAL)
    for j, k in polymer.bonds.tolist():
        constant, length = uff.GetUFFBondStretchParams(mol, j, k)
        bonds.addBond(j, k, 0.1 * length, 100 * constant * KCAL)
        around = [(i, m) for i in near[j] for m in near[k] if i != k and m != j]
        for i, m in around:
            height = uff.GetUFFTorsionParams(mol, i, j, k, m)
            torsions.addTorsion(i, j, k, m, 3, 0.0, 0.5 * height * KCAL / len(around))
    pairs.createExceptionsFromBonds(polymer.bonds.tolist(), 0.8333, 0.5)
    for force in (bonds, angles, torsions, pairs):
        system.addForce(force)
    return system


def main(units: int = 5, steps: int = 1000) -> list[float]:
    polymer = Polymer("*COC*", units, seed=1)  # PEO, cut between its carbons: the best bonds to cap
    atoms = polymer.unit_atoms(units // 2).tolist()
    mixed = MLPotential("polyget").createMixedSystem(
        polymer.to_openmm(), classical_system(polymer), atoms, interpolate=True, returnInfo=True
    )
    caps = mixed["topology"].getNumAtoms() - polymer.n_atoms  # hydrogens on the two bonds cut
    print(f"{len(atoms)} atoms and {caps} link atoms on PolyGET, {polymer.n_atoms - len(atoms)} on UFF")

    integrator = openmm.LangevinMiddleIntegrator(300 * unit.kelvin, 1 / unit.picosecond, 1 * unit.femtosecond)
    integrator.setRandomNumberSeed(1)
    context = openmm.Context(mixed["system"], integrator, openmm.Platform.getPlatformByName("CPU"))
    positions = generate_conformations(polymer, 1, seed=1)[0]
    context.setPositions(np.concatenate([positions, np.zeros((caps, 3))]) * unit.angstrom)
    context.computeVirtualSites()  # puts the link atoms in their places
    openmm.LocalEnergyMinimizer.minimize(context, maxIterations=100)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)

    gaps = []  # U(λ=1) - U(λ=0); its mean in a run at each λ is dF/dλ, here at λ = 1, the mixed system
    for _ in range(10):
        integrator.step(max(1, steps // 10))
        ends = []
        for value in (0.0, 1.0):
            context.setParameter("lambda_interpolate", value)
            ends.append(context.getState(energy=True).getPotentialEnergy()._value)
        gaps.append(ends[1] - ends[0])
    print(f"U(1) - U(0): {np.mean(gaps):.0f} kJ/mol, standard deviation {np.std(gaps):.0f}")
    return gaps


if __name__ == "__main__":
    main()
