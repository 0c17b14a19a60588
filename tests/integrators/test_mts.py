"""Multiple time steps on springs, where everything is known exactly."""

import json
from typing import Any

import numpy as np
import openmm
import pytest
from ase import Atoms, units
from ase.calculators.calculator import Calculator

from polymd import testing
from polymd.integrators import mts_dynamics, mts_integrator, restore_dynamics, save_dynamics
from polymd.integrators.mts import longest_step
from polymd.units import AMU_A2_FS2, EV_KJ_MOL, KB

MASS = 1.0  # amu
FREQUENCY = 3000.0  # 1/cm
OMEGA = 2.0 * np.pi * 2.99792458e-5 * FREQUENCY  # 1/fs
INNER = MASS * OMEGA**2 * AMU_A2_FS2  # eV/Å²
SOFTNESS = 0.05
QUARTIC = 40.0  # eV/Å⁴
TEMPERATURE = 300.0


class Springs(Calculator):
    """U = ½ k x² + ¼ q x⁴ for every coordinate."""

    implemented_properties = ("energy", "forces")

    def __init__(self, k: float, q: float = 0.0) -> None:
        super().__init__()
        self.k, self.q, self.calls = k, q, 0

    def calculate(self, atoms=None, properties=None, system_changes=()):  # type: ignore[no-untyped-def]
        super().calculate(atoms, properties, system_changes)
        x = self.atoms.positions
        self.calls += 1
        energy = (0.5 * self.k * x**2 + 0.25 * self.q * x**4).sum()
        self.results = {"energy": float(energy), "forces": -self.k * x - self.q * x**3}


def start(n: int) -> tuple[Any, Any]:
    """Positions (Å) and velocities (Å/fs) of 300 K."""
    rng = np.random.default_rng(1)
    kt = KB * TEMPERATURE
    positions = rng.normal(scale=np.sqrt(kt / INNER), size=(n, 3))
    return positions, rng.normal(scale=np.sqrt(kt / (MASS * AMU_A2_FS2)), size=(n, 3))


def springs(n: int = 20, k: float = INNER * (1.0 + SOFTNESS), q: float = QUARTIC) -> Atoms:
    positions, velocities = start(n)
    atoms = Atoms(numbers=[1] * n, positions=positions, masses=[MASS] * n)
    atoms.set_velocities(velocities / units.fs)
    atoms.calc = Springs(k, q)
    return atoms


def dynamics(
    atoms: Atoms, ensemble: Any, timestep: float, inner_steps: int, temperature: float = 300.0
) -> Any:
    rng = np.random.default_rng(3)
    inner = Springs(INNER)
    return mts_dynamics(atoms, inner, ensemble, temperature, timestep, inner_steps, rng, friction=20.0)


def context(n: int, integrator: openmm.Integrator, q: float = QUARTIC) -> openmm.Context:
    system = openmm.System()
    unit = EV_KJ_MOL * 100.0
    inner = openmm.CustomExternalForce(f"0.5*{INNER * unit}*(x^2+y^2+z^2)")
    outer = openmm.CustomExternalForce(
        f"0.5*{INNER * SOFTNESS * unit}*(x^2+y^2+z^2) + 0.25*{q * unit * 100.0}*(x^4+y^4+z^4)"
    )
    inner.setForceGroup(1)
    for _ in range(n):
        system.addParticle(MASS)
    for force in (inner, outer):
        for index in range(n):
            force.addParticle(index)
        system.addForce(force)
    made = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    positions, velocities = start(n)
    made.setPositions(0.1 * positions)
    made.setVelocities(100.0 * velocities)
    return made


def test_it_goes_back_the_way_it_came() -> None:
    atoms = springs()
    before = atoms.positions.copy()
    run = dynamics(atoms, "nve", 3.0, 4)
    run.run(300)
    assert np.abs(atoms.positions - before).max() > 0.05
    atoms.set_momenta(-atoms.get_momenta())
    run.run(300)
    np.testing.assert_allclose(atoms.positions, before, rtol=0.0, atol=testing.REVERSAL_ATOL)


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_openmm_and_ase_take_the_same_steps(ensemble: Any) -> None:
    """At 0 K, where Langevin dynamics is friction alone."""
    atoms, cold = springs(), 1e-30
    dynamics(atoms, ensemble, 3.0, 4, cold).run(50)
    integrator = mts_integrator(ensemble, cold, 3.0, 4, 1, friction=20.0)
    made = context(20, integrator)
    integrator.step(50)
    state = made.getState(positions=True, velocities=True)
    largest = np.abs(start(20)[0]).max()
    positions = 10.0 * state.getPositions(asNumpy=True)._value
    np.testing.assert_allclose(positions, atoms.positions, rtol=0.0, atol=testing.VERLET_RTOL * largest)
    velocities = 0.01 * state.getVelocities(asNumpy=True)._value
    expected = atoms.get_velocities() * units.fs
    atol = testing.VERLET_RTOL * np.abs(start(20)[1]).max()
    np.testing.assert_allclose(velocities, expected, rtol=0.0, atol=atol)


def energies(timestep: float, inner_steps: int, time: float) -> Any:
    """Total energy (eV) after every outer step."""
    atoms, values = springs(), []
    run = dynamics(atoms, "nve", timestep, inner_steps)
    run.attach(lambda: values.append(atoms.get_total_energy()))
    run.run(round(time / timestep))
    return np.array(values)


def test_energy_errs_with_the_square_of_the_step_and_does_not_drift() -> None:
    fine, coarse = energies(0.5, 2, 500.0), energies(1.0, 2, 500.0)
    order = np.log2(coarse.std() / fine.std())
    assert testing.VERLET_ORDER[0] < order < testing.VERLET_ORDER[1]
    long = energies(3.0, 4, 10_000.0)
    halves = [part.mean() for part in np.array_split(long, 2)]
    assert abs(halves[1] - halves[0]) < 0.05 * long.std()


def test_forces_are_shared_between_steps() -> None:
    """An outer step costs one full and n inner forces."""
    atoms = springs()
    run = dynamics(atoms, "nve", 3.0, 4)
    run.run(1)
    atoms.calc.calls = run.inner.calls = 0
    run.run(10)
    assert (atoms.calc.calls, run.inner.calls) == (10, 40)


def exact_variances(timestep: float, n: int) -> tuple[float, float]:
    """<x²> (Å²) and <v²> (Å²/fs²) of a harmonic spring, from the linear map that a step is."""
    h, kt = timestep / n, KB * TEMPERATURE / (MASS * AMU_A2_FS2)
    keep = np.exp(-0.02 * h)
    outer = np.array([[1.0, 0.0], [-SOFTNESS * OMEGA**2 * timestep, 1.0]])
    inner = np.array([[1.0, 0.0], [-(OMEGA**2) * h, 1.0]])
    half, friction = np.array([[1.0, 0.5 * h], [0.0, 1.0]]), np.diag([1.0, keep])
    noise = np.diag([0.0, (1.0 - keep**2) * kt])
    covariance = np.diag([kt / OMEGA**2, kt])
    for _ in range(2000):
        covariance = outer @ covariance @ outer.T
        for _ in range(n):
            before = half @ inner @ covariance @ inner.T @ half.T
            covariance = half @ (friction @ before @ friction.T + noise) @ half.T
    return covariance[0, 0], covariance[1, 1]


def sample_ase(steps: int, n: int) -> Any:
    atoms = springs(n, q=0.0)
    run = dynamics(atoms, "nvt", 3.0, 3)
    for _ in range(steps):
        run.run(20)
        yield atoms.get_positions(), atoms.get_velocities() * units.fs


def sample_openmm(steps: int, n: int) -> Any:
    integrator = mts_integrator("nvt", TEMPERATURE, 3.0, 3, 1, friction=20.0)
    made = context(n, integrator, q=0.0)
    for _ in range(steps):
        integrator.step(20)
        state = made.getState(positions=True, velocities=True)
        parts = state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value
        yield 10.0 * parts[0], 0.01 * parts[1]


@pytest.mark.parametrize("sample", [sample_ase, sample_openmm])
def test_positions_and_velocities_have_the_variances_of_theory(sample: Any) -> None:
    """3 % and 1 % from those of Boltzmann, with an inner spring 5 % too soft and steps of 3 fs."""
    frames = list(sample(100, 500))[5:]
    for part, exact in zip((0, 1), exact_variances(3.0, 3), strict=True):
        squares = np.array([frame[part] ** 2 for frame in frames]).mean(axis=0).ravel()
        error = squares.std() / np.sqrt(squares.size)
        assert error < 0.006 * exact
        assert abs(squares.mean() - exact) < testing.STATISTICAL_SIGMAS * error


@pytest.mark.parametrize("softness", [0.05, 0.3])
def test_the_outer_step_resonates_where_theory_says(softness: float) -> None:
    limit = longest_step(FREQUENCY, softness)
    assert 0.7 * np.pi / OMEGA < limit < np.pi / OMEGA
    for timestep, stable in ((0.97 * limit, True), (1.01 * limit, False)):
        atoms = springs(2, k=INNER * (1.0 + softness), q=0.0)
        size = np.abs(atoms.positions).max()
        dynamics(atoms, "nve", timestep, 40).run(150)
        assert (np.abs(atoms.positions).max() < 30.0 * size) == stable


def test_too_stiff_an_inner_force_lasts_half_a_period() -> None:
    assert longest_step(FREQUENCY, -0.1) == pytest.approx(np.pi / OMEGA)
    assert longest_step(FREQUENCY, 1e-9) == pytest.approx(np.pi / OMEGA, rel=1e-6)


def test_a_checkpoint_goes_on_to_the_last_bit() -> None:
    """Contexts one after the other: those of the Reference platform share their random numbers."""

    def make() -> tuple[openmm.Context, Any]:
        integrator = mts_integrator("nvt", TEMPERATURE, 3.0, 3, 1)
        return context(20, integrator), integrator

    def end(made: openmm.Context) -> Any:
        state = made.getState(positions=True, velocities=True)
        return [state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value]

    made, integrator = make()
    integrator.step(50)
    saved = made.createCheckpoint()
    integrator.step(50)
    expected = end(made)
    del made, integrator
    made, integrator = make()
    made.loadCheckpoint(saved)
    integrator.step(50)
    assert np.array_equal(end(made), expected)


def test_a_saved_run_goes_on_to_the_last_bit() -> None:
    atoms, again = springs(), springs()
    run, other = dynamics(atoms, "nvt", 3.0, 3), dynamics(again, "nvt", 3.0, 3)
    run.run(50)
    saved = json.dumps(save_dynamics(run, run.rng))
    run.run(50)
    restore_dynamics(other, other.rng, json.loads(saved))
    other.run(50)
    assert np.array_equal(atoms.positions, again.positions)
    assert np.array_equal(atoms.get_momenta(), again.get_momenta())


def test_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match="inner_steps 0 is less than 1"):
        mts_integrator("nvt", 300.0, 3.0, 0, 1)
    with pytest.raises(ValueError, match="have no barostat; allowed: nve, nvt"):
        mts_integrator("npt", 300.0, 3.0, 3, 1)
    with pytest.raises(ValueError, match=r"timestep 0\.0 fs is not positive"):
        dynamics(springs(1), "nve", 0.0, 3)
