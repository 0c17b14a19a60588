"""PolyGET in OpenMM-ML: whole systems, mixed systems with link atoms, interpolation, serialisation."""

import subprocess
import sys
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import openmm
import pytest
from ase import Atoms
from openmm import app, unit
from openmmml import MLPotential

from polymd import Polymer, generate_conformations, testing
from polymd.diagnostics import torchforce_available
from polymd.potentials import PolyGETCalculator
from polymd.units import EV_KJ_MOL

from .classical import BOX, Counts, Model

CAPS = {6: 0.107, 8: 0.095}  # nm from C and from O, the sums of covalent radii that openmmml takes
LAMBDA = "lambda_interpolate"
PLATFORMS = [
    name
    for name in ("Reference", "CPU", "CUDA", "OpenCL")
    if name in {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
]
TORCH = pytest.param(
    "torch", marks=pytest.mark.skipif(not torchforce_available()[0], reason=torchforce_available()[1])
)
BOTH = [
    pytest.param(platform, implementation, marks=marks)
    for platform in PLATFORMS
    for implementation, marks in (("python", ()), ("torch", TORCH.marks))
    if (platform, implementation) != ("OpenCL", "torch")  # the process died with pocl
]
ARGUMENTS = {"python": {"backend": "torch"}, "torch": {"implementation": "torch"}}


@pytest.fixture(scope="module")
def chain() -> Model:
    """PEO, four units."""
    polymer = Polymer("*CCO*", 4, seed=1)
    return Model(polymer.to_openmm(), generate_conformations(polymer, 1, seed=1)[0] * 0.1)


@pytest.fixture(scope="module")
def pair() -> Model:
    """Chains of PEO and PE side by side, in a box whose face cuts them."""
    modeller = app.Modeller(app.Topology(), [] * unit.nanometer)
    for shift, psmiles in ((0.0, "*CCO*"), (0.6, "*CC*")):
        polymer = Polymer(psmiles, 2, seed=2)
        positions = generate_conformations(polymer, 1, seed=2)[0] * 0.1 + [0.0, 0.0, shift]
        modeller.add(polymer.to_openmm(), positions * unit.nanometer)
    modeller.topology.setPeriodicBoxVectors(BOX * unit.nanometer)
    return Model(modeller.topology, np.array(modeller.positions.value_in_unit(unit.nanometer)))


def context(system: Any, platform: str, positions: Any) -> Any:
    made = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform))
    caps = np.zeros((system.getNumParticles() - len(positions), 3))
    made.setPositions(np.concatenate([positions, caps]))
    made.computeVirtualSites()
    return made


def evaluate(made: Any) -> tuple[float, Any]:
    """Energy and forces in kJ/mol and nm."""
    state = made.getState(energy=True, forces=True)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def energy(system: Any, positions: Any, platform: str = "Reference") -> float:
    return evaluate(context(system, platform, positions))[0]


def polyget(model: Model, atoms: list[int], caps: list[tuple[int, int]], box: Any = None) -> float:
    """PolyGET's energy, kJ/mol, of some atoms and of hydrogens on the bonds from an ML to an MM atom."""
    x = model.positions
    numbers = [atom.element.atomic_number for atom in model.topology.atoms()]
    hydrogens = [x[i] + CAPS[numbers[i]] * (x[j] - x[i]) / np.linalg.norm(x[j] - x[i]) for i, j in caps]
    molecule = Atoms([numbers[i] for i in atoms] + [1] * len(caps), 10.0 * np.array([*x[atoms], *hydrogens]))
    if box is not None:
        molecule.set_cell(10.0 * box)
        molecule.pbc = True
    molecule.calc = PolyGETCalculator(backend="torch")
    return float(molecule.get_potential_energy() * EV_KJ_MOL)


def tolerance(implementation: str) -> float:
    return testing.MIXED_ENERGY_ATOL if implementation == "python" else testing.MIXED_ENERGY_ATOL32


def internal(atoms: list[int]) -> Counts:
    """What PolyGET replaces: pairs and bonds in the region, angles around its atoms, torsions around its
    bonds.
    """
    return lambda term: set(term if len(term) == 2 else term[1:-1]) <= set(atoms)


def unit_atoms(model: Model, number: int) -> list[int]:
    return [atom.index for atom in list(model.topology.residues())[number].atoms()]


def cut_bonds(model: Model, atoms: list[int]) -> list[tuple[int, int]]:
    both = [pair for bond in model.bonds for pair in permutations(bond)]
    return [(i, j) for i, j in both if i in atoms and j not in atoms]


@pytest.mark.parametrize(("platform", "implementation"), BOTH)
def test_whole_system(chain: Model, pair: Model, platform: str, implementation: str) -> None:
    for model, box in ((chain, None), (pair, BOX)):
        system = MLPotential("polyget").createSystem(model.topology, **ARGUMENTS[implementation])
        assert system.usesPeriodicBoundaryConditions() == (box is not None)
        wanted = polyget(model, list(range(model.n_atoms)), [], box)
        found = energy(system, model.positions, platform)
        assert found == pytest.approx(wanted, abs=tolerance(implementation))


def test_molecules_stay_whole_for_barostats_and_reporters(pair: Model, chain: Model) -> None:
    potential = MLPotential("polyget")
    made = context(potential.createSystem(pair.topology), "Reference", pair.positions)
    assert len(made.getMolecules()) == 2
    mixed = potential.createMixedSystem(chain.topology, chain.system(), unit_atoms(chain, 1))
    assert len(context(mixed, "Reference", chain.positions).getMolecules()) == 1


@pytest.mark.parametrize(("platform", "implementation"), BOTH)
def test_one_chain_in_a_periodic_system(pair: Model, platform: str, implementation: str) -> None:
    atoms = [atom.index for atom in next(iter(pair.topology.chains())).atoms()]
    classical = pair.system(method=openmm.NonbondedForce.PME)
    mixed = MLPotential("polyget").createMixedSystem(
        pair.topology, classical, atoms, **ARGUMENTS[implementation]
    )
    wanted = (
        energy(classical, pair.positions, platform)
        - energy(pair.system(internal(atoms)), pair.positions)
        + polyget(pair, atoms, [], BOX)
    )
    found = energy(mixed, pair.positions, platform)
    assert found == pytest.approx(wanted, abs=tolerance(implementation))


@pytest.mark.parametrize("units", [[1], [0, 1], [2]])
@pytest.mark.parametrize("implementation", ["python", TORCH])
def test_a_residue_range_with_link_atoms(chain: Model, units: list[int], implementation: str) -> None:
    atoms = [atom for number in units for atom in unit_atoms(chain, number)]
    mixed = MLPotential("polyget").createMixedSystem(
        chain.topology, chain.system(), atoms, **ARGUMENTS[implementation]
    )
    cuts = cut_bonds(chain, atoms)
    assert mixed.getNumParticles() == chain.n_atoms + len(cuts)
    wanted = (
        energy(chain.system(), chain.positions)
        - energy(chain.system(internal(atoms)), chain.positions)
        + polyget(chain, atoms, cuts)
    )
    assert energy(mixed, chain.positions) == pytest.approx(wanted, abs=tolerance(implementation))


@pytest.mark.parametrize("interpolate", [False, True])
def test_forces_with_link_atoms_are_the_gradient(chain: Model, interpolate: bool) -> None:
    atoms = unit_atoms(chain, 1)
    mixed = MLPotential("polyget").createMixedSystem(
        chain.topology, chain.system(), atoms, interpolate=interpolate, backend="torch"
    )
    made = context(mixed, "Reference", chain.positions)
    if interpolate:
        made.setParameter(LAMBDA, 0.4)
    forces = evaluate(made)[1][: chain.n_atoms]
    step = 1e-5
    around = sorted({*atoms, *(j for _, j in cut_bonds(chain, atoms))})
    numerical = np.zeros((len(around), 3))
    x = made.getState(positions=True).getPositions(asNumpy=True)._value.copy()
    for row, atom in enumerate(around):
        for axis in range(3):
            for sign in (1, -1):
                moved = x.copy()
                moved[atom, axis] += sign * step
                made.setPositions(moved)
                made.computeVirtualSites()
                numerical[row, axis] -= sign * evaluate(made)[0] / (2 * step)
    np.testing.assert_allclose(
        forces[around], numerical, rtol=0.0, atol=testing.FORCE_RTOL64 * np.abs(forces).max()
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_interpolation_goes_from_mm_to_mixed(chain: Model, platform: str) -> None:
    potential, atoms = MLPotential("polyget"), unit_atoms(chain, 2)
    arguments = (chain.topology, chain.system(), atoms)
    system = potential.createMixedSystem(*arguments, interpolate=True, backend="torch")
    made = context(system, platform, chain.positions)
    values = []
    for value in (0.0, 0.25, 1.0):
        made.setParameter(LAMBDA, value)
        values.append(evaluate(made)[0])
    classical = energy(chain.system(), chain.positions)
    mixed = energy(potential.createMixedSystem(*arguments, backend="torch"), chain.positions)
    wanted = [classical, 0.75 * classical + 0.25 * mixed, mixed]
    assert values == pytest.approx(wanted, abs=testing.MIXED_ENERGY_ATOL)


@pytest.mark.skipif(not torchforce_available()[0], reason=torchforce_available()[1])
def test_a_torch_force_does_not_interpolate(chain: Model) -> None:
    """OpenMM-ML copies forces by way of XML, which kills the process in openmmtorch 1.5."""
    with pytest.raises(ValueError, match="cannot be copied"):
        MLPotential("polyget").createMixedSystem(
            chain.topology, chain.system(), [0], interpolate=True, implementation="torch"
        )


@pytest.mark.parametrize("interpolate", [False, True])
def test_systems_serialise(chain: Model, interpolate: bool) -> None:
    mixed = MLPotential("polyget").createMixedSystem(
        chain.topology, chain.system(), unit_atoms(chain, 1), interpolate=interpolate
    )
    wanted = evaluate(context(mixed, "Reference", chain.positions))
    text = openmm.XmlSerializer.serialize(mixed)
    found = evaluate(context(openmm.XmlSerializer.deserialize(text), "Reference", chain.positions))
    assert found[0] == wanted[0]
    np.testing.assert_array_equal(found[1], wanted[1])


def test_another_process_reads_a_system(chain: Model, tmp_path: Path) -> None:
    system = MLPotential("polyget").createSystem(chain.topology)
    (tmp_path / "system.xml").write_text(openmm.XmlSerializer.serialize(system))
    np.save(tmp_path / "positions.npy", chain.positions)
    code = (
        "import numpy, openmm\n"
        "system = openmm.XmlSerializer.deserialize(open('system.xml').read())\n"
        "context = openmm.Context(system, openmm.VerletIntegrator(0.001),\n"
        "                         openmm.Platform.getPlatformByName('Reference'))\n"
        "context.setPositions(numpy.load('positions.npy'))\n"
        "print(repr(context.getState(energy=True).getPotentialEnergy()._value))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) == energy(system, chain.positions)


def test_force_group(chain: Model) -> None:
    atoms = unit_atoms(chain, 0)
    mixed = MLPotential("polyget").createMixedSystem(chain.topology, chain.system(), atoms, forceGroup=3)
    (force,) = [force for force in mixed.getForces() if isinstance(force, openmm.PythonForce)]
    assert force.getForceGroup() == 3
    assert list(force.getParticles())[: len(atoms)] == atoms


def test_import_is_light_in_any_order() -> None:
    for first in ("openmmml", "polymd.potentials.openmmml"):
        code = (
            f"import sys, {first}, openmmml\n"
            "openmmml.MLPotential('polyget')\n"
            "assert not {'torch', 'numba', 'rdkit'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_bad_arguments(chain: Model, pair: Model) -> None:
    with pytest.raises(ValueError, match='did you mean "polyget"'):
        MLPotential("polyget", model="polygte")
    potential = MLPotential("polyget")
    with pytest.raises(ValueError, match='unknown implementation "c"; known: python, torch'):
        potential.createSystem(chain.topology, implementation="c")
    with pytest.raises(ValueError, match="unknown backend"):
        potential.createSystem(chain.topology, backend="c")
    with pytest.raises(ValueError, match="unknown argument backed; known: implementation, backend"):
        potential.createSystem(chain.topology, backed="numba")
    top = app.Topology()
    top.addAtom("Br", app.element.bromine, top.addResidue("X", top.addChain()))
    with pytest.raises(ValueError, match="does not know the element Br"):
        potential.createSystem(top)


def test_bad_regions(chain: Model) -> None:
    potential, classical = MLPotential("polyget"), chain.system()
    with pytest.raises(ValueError, match="no atoms chosen"):
        potential.createMixedSystem(chain.topology, classical, [])
    periodic = chain.system(method=openmm.NonbondedForce.PME)
    with pytest.raises(ValueError, match="the topology has no box"):
        potential.createMixedSystem(chain.topology, periodic, unit_atoms(chain, 0))
    polymer = Polymer("*CC(*)c1ccccc1", 1)
    styrene = Model(polymer.to_openmm(), np.zeros((polymer.n_atoms, 3)))
    carbons = [atom.index for atom in styrene.topology.atoms() if atom.element.symbol == "C"]
    with pytest.raises(ValueError, match="cuts the aromatic bond"):
        potential.createMixedSystem(styrene.topology, styrene.system(), carbons[:4])
