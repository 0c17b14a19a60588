"""1,000 steps are 500, a saved state, and 500 more, to the last bit."""

import json
from typing import Any, Literal

import numpy as np
import openmm
import pytest
from ase import Atoms, units

from polymd.integrators import (
    BarostattedContext,
    ase_dynamics,
    make_barostat,
    maxwell_boltzmann,
    openmm_integrator,
    restore_dynamics,
    save_dynamics,
)

from . import fluid

STEPS, TIMESTEP = 500, 3.0
SETTINGS = [
    ("nve", "langevin", None),
    ("nvt", "langevin", None),
    ("nvt", "bussi", None),
    ("nvt", "nose-hoover", None),
    ("npt", "langevin", "scr"),
    ("npt", "bussi", "mc"),
    ("npt", "nose-hoover", "scr"),
]
Name = Literal["nve", "nvt", "npt"]


def barostat_of(name: Any, rng: np.random.Generator) -> Any:
    """With 7 steps between moves, which do not divide the 500."""
    barostat = make_barostat(name, fluid.PRESSURE, 300.0, TIMESTEP, rng) if name else None
    if barostat is not None:
        barostat.interval = 7
    return barostat


@pytest.mark.parametrize(("ensemble", "thermostat", "barostat"), SETTINGS)
def test_ase(ensemble: Name, thermostat: Any, barostat: Any) -> None:
    def make(velocities: Any) -> tuple[Atoms, Any, np.random.Generator]:
        atoms, rng = fluid.atoms(), np.random.default_rng(4)
        atoms.set_velocities(velocities / units.fs)
        pressure = barostat_of(barostat, rng)
        options: Any = {"thermostat": thermostat, "friction": 10.0, "barostat": pressure}
        return atoms, ase_dynamics(atoms, ensemble, 300.0, TIMESTEP, rng, **options), rng

    velocities = maxwell_boltzmann(fluid.MASSES, 300.0, seed=3)
    atoms, dynamics, rng = make(velocities)
    dynamics.run(STEPS)
    saved = json.dumps(save_dynamics(dynamics, rng))
    dynamics.run(STEPS)
    again, other, other_rng = make(-velocities)
    restore_dynamics(other, other_rng, json.loads(saved))
    other.run(STEPS)
    assert np.array_equal(again.positions, atoms.positions)
    assert np.array_equal(again.get_momenta(), atoms.get_momenta())
    assert np.array_equal(again.cell.array, atoms.cell.array)
    assert (ensemble == "npt") == (atoms.cell.array[0, 0] != fluid.EDGE)


@pytest.mark.parametrize(("ensemble", "thermostat", "barostat"), SETTINGS)
def test_openmm(ensemble: Name, thermostat: Any, barostat: Any) -> None:
    """Contexts one after the other: those of the Reference platform share their random numbers."""

    def make() -> tuple[openmm.Context, Any, list[np.random.Generator]]:
        integrator = openmm_integrator(
            ensemble, 300.0, TIMESTEP, 4, thermostat=thermostat, friction=10.0, n_atoms=fluid.N
        )
        context = fluid.context(integrator, openmm.CMMotionRemover(100))
        context.setVelocities(100.0 * maxwell_boltzmann(fluid.MASSES, 300.0, seed=3))
        own = [np.random.default_rng(4)]
        run = integrator
        if barostat:
            run = BarostattedContext(context, integrator, barostat_of(barostat, own[0]), fluid.stress)
        return context, run, own + ([integrator.rng] if thermostat == "bussi" else [])

    def end(context: openmm.Context) -> Any:
        state = context.getState(positions=True, velocities=True)
        parts = (state.getPositions, state.getVelocities, state.getPeriodicBoxVectors)
        return np.concatenate([part(asNumpy=True)._value for part in parts])

    context, run, generators = make()
    run.step(STEPS)
    saved = context.createCheckpoint()
    random = [rng.bit_generator.state for rng in generators]
    own = run.barostat.state() if barostat else None
    run.step(STEPS)
    expected = end(context)
    del context, run
    context, run, generators = make()
    context.loadCheckpoint(saved)
    for rng, state in zip(generators, random, strict=True):
        rng.bit_generator.state = state
    if barostat:
        run.steps_done = STEPS
        run.barostat.restore(json.loads(json.dumps(own)))
    run.step(STEPS)
    assert np.array_equal(end(context), expected)


def test_looking_at_a_run_does_not_change_it() -> None:
    """OpenMM's kinetic energy draws from the random numbers of a CustomIntegrator."""
    ends = []
    for looks in (0, 5):
        integrator = openmm_integrator("nvt", 300.0, TIMESTEP, 4, thermostat="bussi", n_atoms=fluid.N)
        context = fluid.context(integrator)
        context.setVelocities(100.0 * maxwell_boltzmann(fluid.MASSES, 300.0, seed=3))
        for _ in range(20):
            for _ in range(looks):
                context.getState(energy=True)
            integrator.step(5)
        ends.append(context.getState(positions=True).getPositions(asNumpy=True)._value)
    assert np.array_equal(*ends)
