"""Replicas side by side: the same motion as alone, and as ASE's."""

import json
from typing import Any

import numpy as np
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator

from polymd.benchmarking import threads
from polymd.integrators import ReplicaLangevin, ase_dynamics
from polymd.potentials import Replicas
from polymd.testing import VERLET_RTOL
from polymd.units import KB
from tests.physics.wells import Quartic

MASSES = np.array([1.0, 4.0, 12.0])
METHANE = np.array([6, 1, 1, 1, 1])
AMMONIUM_LIKE = np.array([6, 1, 1, 1])


def start(copies: int) -> np.ndarray:
    return np.random.default_rng(5).normal(scale=0.2, size=(copies, len(MASSES), 3))


def make(chosen: list[int], temperature: Any = 300.0) -> ReplicaLangevin:
    """Some of eight replicas."""
    return ReplicaLangevin(
        Quartic(), [MASSES] * len(chosen), start(8)[chosen], temperature, 2.0, chosen, friction=20.0
    )


class OneReplica(Calculator):
    """The quartic well for ASE."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = ()) -> None:
        super().calculate(atoms, properties, system_changes)
        result = Quartic().evaluate(atoms.positions[None])
        self.results = {"energy": float(result.energies[0]), "forces": result.forces[0]}


def test_a_replica_moves_as_in_ase() -> None:
    dynamics = make([3])
    atoms = Atoms("H3", start(8)[3], masses=MASSES, calculator=OneReplica())
    rng = np.random.default_rng(3)
    atoms.set_velocities(rng.standard_normal((3, 3)) * np.sqrt(units.kB * 300.0 / MASSES)[:, None])
    np.testing.assert_allclose(
        dynamics.velocities[0] / units.fs, atoms.get_velocities(), rtol=VERLET_RTOL, atol=1e-9
    )
    ase_dynamics(atoms, "nvt", 300.0, 2.0, rng, friction=20.0).run(200)
    dynamics.run(200)
    np.testing.assert_allclose(dynamics.positions[0], atoms.positions, rtol=VERLET_RTOL, atol=1e-5)
    assert dynamics.potential_energies[0] == pytest.approx(atoms.get_potential_energy(), rel=VERLET_RTOL)
    assert dynamics.kinetic_energies[0] == pytest.approx(atoms.get_kinetic_energy(), rel=VERLET_RTOL)


def test_company_changes_nothing() -> None:
    everybody, some = make(list(range(8))), make([6, 1])
    everybody.run(100)
    some.run(100)
    assert np.array_equal(some.positions, everybody.positions[[6, 1]])
    assert np.array_equal(some.velocities, everybody.velocities[[6, 1]])


@pytest.mark.parametrize("count", [1, 2])
def test_company_changes_nothing_on_polyget(count: int) -> None:
    """Nor does the number of threads."""
    molecules = [METHANE, AMMONIUM_LIKE, METHANE]
    tetrahedron = np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]]) * 0.63

    def dynamics(chosen: list[int]) -> ReplicaLangevin:
        numbers = [molecules[n] for n in chosen]
        positions = np.concatenate([tetrahedron[: len(each)] for each in numbers])
        masses = [np.where(each == 1, 1.008, 12.011) for each in numbers]
        return ReplicaLangevin(Replicas(numbers), masses, positions, 300.0, 0.5, chosen)

    alone, together = dynamics([2]), dynamics([0, 1, 2])
    alone.run(20)
    with threads(count):
        together.run(20)
    assert np.array_equal(alone.positions, together.positions[9:])
    assert together.kinetic_temperatures.shape == (3,)


def test_a_run_goes_on_exactly() -> None:
    dynamics, again = make([0, 1, 2], [300.0, 400.0, 500.0]), make([0, 1, 2])
    dynamics.run(500)
    saved = json.dumps(dynamics.state())
    dynamics.run(500)
    again.run(7)
    again.restore(json.loads(saved))
    again.run(500)
    assert np.array_equal(again.positions, dynamics.positions)
    assert np.array_equal(again.velocities, dynamics.velocities)
    assert np.array_equal(again.temperatures, [300.0, 400.0, 500.0])
    assert again.steps_done == 1000


def test_new_temperatures_scale_velocities_at_the_instant_of_the_positions() -> None:
    dynamics = make([0, 1])
    before, kick = dynamics.velocities, 0.5 * dynamics.timestep * dynamics._accelerations().reshape(2, 3, 3)
    dynamics.change_temperatures([300.0, 1200.0])
    assert np.array_equal(dynamics.velocities[0], before[0])
    np.testing.assert_allclose(dynamics.velocities[1] + kick[1], 2.0 * (before[1] + kick[1]), rtol=1e-12)


def test_positions_and_velocities_can_be_changed() -> None:
    dynamics = make([0, 1])
    energies = dynamics.potential_energies
    dynamics.positions = 2.0 * dynamics.positions
    assert (dynamics.potential_energies > energies).all()
    dynamics.velocities *= np.sqrt(2.0)
    expected = make([0, 1]).kinetic_energies * 2.0
    np.testing.assert_allclose(dynamics.kinetic_energies, expected)
    np.testing.assert_allclose(dynamics.kinetic_temperatures, expected * 2.0 / (9.0 * KB))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masses": []}, "at least one replica"),
        ({"masses": [MASSES, np.zeros(3)]}, "mass 0 amu"),
        ({"positions": np.zeros((2, 4, 3))}, r"shape \(2, 4, 3\); give \(6, 3\) or \(2, 3, 3\)"),
        ({"seeds": [1, 1]}, "give 2 different ones"),
        ({"temperature": [300.0, -1.0]}, "temperature -1.0 K is not positive"),
        ({"timestep": 0.0}, "timestep 0.0 fs"),
        ({"friction": 0.0}, "friction 0.0 1/ps"),
    ],
)
def test_bad_replicas_are_refused(changes: dict[str, Any], message: str) -> None:
    right: dict[str, Any] = {
        "potential": Quartic(),
        "masses": [MASSES] * 2,
        "positions": start(2),
        "temperature": 300.0,
        "timestep": 1.0,
        "seeds": [0, 1],
        "friction": 1.0,
    }
    with pytest.raises(ValueError, match=message):
        ReplicaLangevin(**right | changes)


def test_the_state_of_other_replicas_is_refused() -> None:
    with pytest.raises(ValueError, match="one of 3 replicas with 9 atoms, not of 2 with 6"):
        make([0, 1]).restore(make([0, 1, 2]).state())
    with pytest.raises(ValueError, match="temperature 0 K"):
        make([0]).change_temperatures(0.0)
