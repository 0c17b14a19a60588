"""ASE, TorchForce and PythonForce give one potential."""

import pickle
from typing import Any

import numpy as np
import openmm
import pytest
from ase import Atoms
from openmm import app, unit

from polymd import testing
from polymd.diagnostics import torchforce_available
from polymd.potentials import PolyGETCalculator, python_force, torch_force
from polymd.potentials.openmm import Computation
from polymd.units import EV_KJ_MOL

BOX = np.array([[14.0, 0.0, 0.0], [2.0, 13.0, 0.0], [-1.0, 1.5, 12.0]])


def topology(atoms: Atoms) -> app.Topology:
    top = app.Topology()
    residue = top.addResidue("MOL", top.addChain())
    for index, number in enumerate(atoms.numbers):
        top.addAtom(f"A{index}", app.Element.getByAtomicNumber(int(number)), residue)
    if atoms.pbc.any():
        top.setPeriodicBoxVectors(np.asarray(atoms.cell) * unit.angstrom)
    return top


def evaluate(force: openmm.Force, atoms: Atoms, platform: str) -> tuple[float, Any]:
    """Energy in eV and forces in eV/Å of a Context."""
    system = openmm.System()
    for mass in atoms.get_masses():
        system.addParticle(mass)
    if atoms.pbc.any():
        system.setDefaultPeriodicBoxVectors(*(np.asarray(atoms.cell) * 0.1))
    system.addForce(force)
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(platform)
    )
    context.setPositions(atoms.positions * 0.1)
    state = context.getState(getEnergy=True, getForces=True)
    energy = state.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole) / EV_KJ_MOL
    forces = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.angstrom)
    return energy, forces / EV_KJ_MOL


@pytest.fixture(params=["open", "periodic"])
def system(request: pytest.FixtureRequest, molecule: Atoms) -> Atoms:
    if request.param == "periodic":
        molecule.set_cell(BOX)
        molecule.pbc = True
        molecule.positions[3] += BOX[1]
    return molecule


def check(force: openmm.Force, atoms: Atoms, platform: str) -> None:
    energy, forces = evaluate(force, atoms, platform)
    atoms.calc = PolyGETCalculator()
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=testing.ADAPTER_ENERGY_RTOL)
    expected = atoms.get_forces()
    rounding = testing.ADAPTER_FORCE_RTOL * np.abs(expected).max()  # forces are 21 eV/Å here
    np.testing.assert_allclose(forces, expected, atol=testing.ADAPTER_FORCE_ATOL + rounding)


@pytest.mark.parametrize("platform", ["Reference", "CPU"])
@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_python_force_is_the_calculator(system: Atoms, platform: str, backend: str) -> None:
    check(python_force(topology(system), backend=backend), system, platform)


@pytest.mark.skipif(not torchforce_available()[0], reason=torchforce_available()[1])
@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_torch_force_is_the_calculator(system: Atoms, platform: str) -> None:
    force = torch_force(topology(system))
    assert force.usesPeriodicBoundaryConditions() == bool(system.pbc.any())
    check(force, system, platform)


def test_python_force_serialises(system: Atoms) -> None:
    text = openmm.XmlSerializer.serialize(python_force(topology(system)))
    check(openmm.XmlSerializer.deserialize(text), system, "Reference")


def test_the_computation_survives_pickling() -> None:
    computation = pickle.loads(pickle.dumps(Computation([6, 1], "polyget", False, "auto")))
    assert computation.numbers == [6, 1]


def test_bad_arguments(molecule: Atoms) -> None:
    with pytest.raises(ValueError, match="unknown potential"):
        python_force(topology(molecule), "nothing")
    with pytest.raises(ValueError, match="unknown backend"):
        python_force(topology(molecule), backend="cuda")
    with pytest.raises(ValueError, match="does not know the element Br"):
        python_force(topology(Atoms("Br2", [[0, 0, 0], [0, 0, 2.3]])))
    top = app.Topology()
    top.addAtom("V", None, top.addResidue("X", top.addChain()))
    with pytest.raises(ValueError, match="has no element"):
        python_force(top)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        ([], "no atoms chosen"),
        ([0, 1, 0], "atom 0 is chosen more than once"),
        ([0, 24], "no atom 24; the topology has atoms 0 to 23"),
    ],
)
def test_atoms_that_cannot_be_chosen(molecule: Atoms, atoms: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        python_force(topology(molecule), atoms=atoms)


def test_the_path_of_gpus_is_the_calculator(system: Atoms) -> None:
    """On the CPU here, through TorchScript, as TorchForce calls it."""
    import torch

    from polymd.potentials import load
    from polymd.potentials.polyget.scripted import OpenMMModule

    periodic = bool(system.pbc.all())
    module = torch.jit.script(OpenMMModule(load("polyget"), "polyget", system.numbers.tolist(), periodic))
    x, cell = (torch.tensor(a, dtype=torch.float32) for a in (system.positions, np.array(system.cell)))
    energy, forces = module.differentiate(x, cell)
    system.calc = PolyGETCalculator()
    assert float(energy) == pytest.approx(system.get_potential_energy(), rel=testing.ADAPTER_ENERGY_RTOL)
    np.testing.assert_allclose(forces, system.get_forces(), atol=testing.FORCE_RTOL32)
