"""Batched Langevin dynamics and replica exchange sample Boltzmann's distribution, and broken ones do not."""

import numpy as np
import pytest

from polymd.integrators import ReplicaExchange, ReplicaLangevin
from polymd.observables import mean_with_error
from polymd.testing import ENSEMBLE_SIGMAS, EQUIPARTITION_SIGMAS, KINETIC_P, STATISTICAL_SIGMAS

from .ensembles import Samples, State, ensemble_sigmas, equipartition_sigmas, kinetic_p
from .wells import DoubleWell, Quartic

MASSES = np.array([1.0, 1.0, 4.0, 12.0, 12.0])
COLD, WARM = State(300.0), State(390.0)
LADDER = np.array([300.0, 420.0, 600.0, 850.0, 1200.0])


def sample_replicas(state: State, seed: int, thermostat: float | None = None) -> Samples:
    """Frames of 200 replicas of five atoms in quartic wells; `thermostat` is that of a broken one (K)."""
    kelvin = thermostat or state.temperature
    dynamics = ReplicaLangevin(
        Quartic(), [MASSES] * 200, np.zeros((200, 5, 3)), kelvin, 2.0, range(seed, seed + 200), friction=50.0
    )
    samples = Samples(MASSES)
    dynamics.run(150)
    for _ in range(20):
        dynamics.run(30)
        for energy, velocities in zip(dynamics.potential_energies, dynamics.velocities, strict=True):
            samples.add(float(energy), 1.0, velocities)
    return samples


def test_replicas_sample_the_canonical_ensemble() -> None:
    cold, warm = sample_replicas(COLD, 1), sample_replicas(WARM, 1001)
    assert kinetic_p(cold, COLD) > KINETIC_P
    assert kinetic_p(warm, WARM) > KINETIC_P
    assert ensemble_sigmas(cold, COLD, warm, WARM) < ENSEMBLE_SIGMAS
    assert equipartition_sigmas(cold, COLD) < EQUIPARTITION_SIGMAS


def test_replicas_that_are_3_percent_hot_are_found() -> None:
    assert kinetic_p(sample_replicas(COLD, 2001, 1.03 * COLD.temperature), COLD) < KINETIC_P


class AlwaysAccept(ReplicaExchange):
    """Broken: no criterion."""

    def accept(self, log_ratio: float) -> bool:
        return True


class WrongSign(ReplicaExchange):
    """Broken: the criterion upside down."""

    def accept(self, log_ratio: float) -> bool:
        return super().accept(-log_ratio)


def worst_sigmas(kind: type[ReplicaExchange], steps: int) -> float:
    """How far populations and mean energies of the double well are off at any temperature, in standard
    errors; all walkers start in the shallower well.
    """
    well, start = DoubleWell(), np.zeros((len(LADDER), 1, 3))
    start[:, 0, 0] = -1.0
    dynamics = ReplicaLangevin(
        well, [[12.0]] * len(LADDER), start, LADDER, 6.0, range(len(LADDER)), friction=5.0
    )
    exchange = kind(dynamics, 3, interval=5)
    exchange.run(steps // 10)
    left, energies = [], []
    for _ in range(steps // 20):
        exchange.run(20)
        left.append(exchange.positions[:, 0, 0] < 0.0)
        energies.append(exchange.potential_energies)
    worst = 0.0
    for k, temperature in enumerate(LADDER):
        for series, expected in zip((left, energies), well.exact(temperature), strict=True):
            estimate = mean_with_error(np.array(series)[:, k].astype(float))
            worst = max(worst, abs(estimate.value - expected) / estimate.error)
    return worst


def test_exchange_samples_a_double_well_at_every_temperature() -> None:
    """At 300 K the barrier is ten times the thermal energy: only exchange crosses it."""
    assert worst_sigmas(ReplicaExchange, 60_000) < STATISTICAL_SIGMAS


@pytest.mark.parametrize("broken", [AlwaysAccept, WrongSign])
def test_a_broken_criterion_is_found(broken: type[ReplicaExchange]) -> None:
    assert worst_sigmas(broken, 20_000) > 2 * STATISTICAL_SIGMAS
