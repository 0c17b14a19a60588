"""Two models as the outer and the inner force of multiple time stepping."""

from typing import Any

import numpy as np
import openmm
import pytest
from openmm import app

from polymd import Polymer, generate_conformations, testing
from polymd.integrators import mts_integrator
from polymd.potentials import mts_forces, python_force, registry
from polymd.potentials.backends import NumbaBackend
from polymd.potentials.polyget import storage
from polymd.units import EV_KJ_MOL

OUTER = "polyget"
FORCE = EV_KJ_MOL * 10.0  # eV/Å in kJ/mol/nm


@pytest.fixture(scope="module")
def inner_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The shipped model with noise on its weights; its forces are then 0.2 eV/Å off."""
    path = tmp_path_factory.mktemp("models") / "inner.safetensors"
    weights, architecture, card = storage.read(registry.find(OUTER))
    rng = np.random.default_rng(1)
    noisy = {
        name: array * (1.0 + 0.005 * rng.normal(size=array.shape)).astype(array.dtype)
        for name, array in weights.items()
    }
    storage.save(path, noisy, architecture, card)
    return str(path)


@pytest.fixture(scope="module")
def chain() -> tuple[app.Topology, Any]:
    polymer = Polymer("*CC*", 3, seed=1)
    return polymer.to_openmm(), 0.1 * generate_conformations(polymer, 1, seed=1)[0]


def context(topology: app.Topology, positions: Any, integrator: Any, *forces: openmm.Force) -> openmm.Context:
    system = openmm.System()
    for atom in topology.atoms():
        system.addParticle(atom.element.mass)
    for force in forces:
        system.addForce(force)
    made = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    made.setPositions(positions)
    return made


def evaluate(made: openmm.Context, groups: set[int]) -> tuple[float, Any]:
    state = made.getState(energy=True, forces=True, groups=groups)
    return state.getPotentialEnergy()._value, state.getForces(asNumpy=True)._value


def test_together_they_are_the_full_model(inner_model: str, chain: tuple[app.Topology, Any]) -> None:
    topology, positions = chain
    alone = [
        evaluate(context(*chain, openmm.VerletIntegrator(0.001), python_force(topology, model)), {0})
        for model in (OUTER, inner_model)
    ]
    made = context(
        topology, positions, openmm.VerletIntegrator(0.001), *mts_forces(topology, OUTER, inner_model)
    )
    for groups, wanted in (({0, 1}, alone[0]), ({1}, alone[1])):
        energy, forces = evaluate(made, groups)
        assert energy == pytest.approx(wanted[0], rel=testing.ADAPTER_ENERGY_RTOL)
        np.testing.assert_allclose(forces, wanted[1], rtol=0.0, atol=testing.ADAPTER_FORCE_ATOL * FORCE)


def test_an_outer_step_costs_one_full_and_n_inner_forces(
    inner_model: str, chain: tuple[app.Topology, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[int, int] = {}
    evaluate = NumbaBackend.evaluate

    def counted(self: NumbaBackend, *arguments: Any) -> Any:
        calls[id(self)] = calls.get(id(self), 0) + 1
        return evaluate(self, *arguments)

    monkeypatch.setattr(NumbaBackend, "evaluate", counted)
    for ensemble in ("nve", "nvt"):
        integrator = mts_integrator(ensemble, 300.0, 3.0, 3, 1)
        made = context(*chain, integrator, *mts_forces(chain[0], OUTER, inner_model))
        integrator.step(1)
        calls.clear()
        integrator.step(10)
        assert sorted(calls.values()) == [10, 30]
        del made


def test_total_energy_stays(inner_model: str, chain: tuple[app.Topology, Any]) -> None:
    integrator = mts_integrator("nve", 300.0, 2.0, 4, 1)
    made = context(*chain, integrator, *mts_forces(chain[0], OUTER, inner_model))
    openmm.LocalEnergyMinimizer.minimize(made, maxIterations=30)
    made.setVelocitiesToTemperature(300.0, 1)
    kinetic = made.getState(energy=True).getKineticEnergy()._value
    totals = []
    for _ in range(50):
        integrator.step(1)
        state = made.getState(energy=True)
        totals.append((state.getPotentialEnergy() + state.getKineticEnergy())._value)
    assert np.std(totals) < 0.02 * kinetic


def test_the_outer_force_serialises(inner_model: str, chain: tuple[app.Topology, Any]) -> None:
    outer, _ = mts_forces(chain[0], OUTER, inner_model)
    text = openmm.XmlSerializer.serialize(outer)
    before = evaluate(context(*chain, openmm.VerletIntegrator(0.001), outer), {0})
    again = openmm.XmlSerializer.deserialize(text)
    after = evaluate(context(*chain, openmm.VerletIntegrator(0.001), again), {0})
    assert after[0] == before[0]
    np.testing.assert_array_equal(after[1], before[1])


def test_bad_arguments(chain: tuple[app.Topology, Any]) -> None:
    with pytest.raises(ValueError, match="unknown potential"):
        mts_forces(chain[0], "polyget", "nothing")
    with pytest.raises(ValueError, match="unknown backend"):
        mts_forces(chain[0], "polyget", "polyget", backend="cuda")
