"""Bookkeeping of replica exchange; whether it samples right is asked in tests/physics."""

import json
from typing import Any

import numpy as np
import pytest

from polymd.integrators import ReplicaExchange, ReplicaLangevin
from tests.physics.wells import Quartic

LADDER = np.geomspace(300.0, 600.0, 4)


def make(temperatures: Any = LADDER, interval: int = 10, sizes: tuple[int, ...] = (2, 2, 2, 2)) -> Any:
    masses = [np.full(size, 4.0) for size in sizes[: len(temperatures)]]
    positions = np.random.default_rng(0).normal(scale=0.1, size=(sum(map(len, masses)), 3))
    positions = positions.reshape(len(masses), -1, 3) if len(set(sizes)) == 1 else positions
    seeds = range(len(masses))
    dynamics = ReplicaLangevin(Quartic(), masses, positions, temperatures, 2.0, seeds, friction=20.0)
    return ReplicaExchange(dynamics, 7, interval=interval)


def test_a_run_goes_on_exactly() -> None:
    exchange, again = make(), make()
    exchange.run(505)
    saved = json.dumps(exchange.state())
    exchange.run(495)
    again.run(30)
    again.restore(json.loads(saved))
    again.run(495)
    assert np.array_equal(again.positions, exchange.positions)
    assert np.array_equal(again.dynamics.velocities, exchange.dynamics.velocities)
    assert np.array_equal(again.walkers, exchange.walkers)
    assert np.array_equal(again.accepted, exchange.accepted)
    assert exchange.attempted.tolist() == [50, 50, 50]
    assert 0 < exchange.accepted.min() <= exchange.accepted.max() < 50


def test_pieces_of_a_run_are_the_run() -> None:
    whole, pieces = make(), make()
    whole.run(100)
    for steps in (3, 17, 30, 49, 1):
        pieces.run(steps)
    assert np.array_equal(whole.positions, pieces.positions)


def test_walkers_are_where_their_temperatures_are() -> None:
    exchange = make()
    assert np.isnan(exchange.acceptance).all()
    exchange.run(300)
    assert not np.array_equal(exchange.walkers, np.arange(4))
    assert np.array_equal(exchange.dynamics.temperatures[exchange.walkers], LADDER)
    assert np.array_equal(exchange.positions[0], exchange.dynamics.positions[exchange.walkers[0]])
    energies = Quartic().evaluate(exchange.positions).energies
    np.testing.assert_allclose(exchange.potential_energies, energies)
    assert ((exchange.acceptance > 0.0) & (exchange.acceptance <= 1.0)).all()
    assert exchange.kinetic_temperatures.shape == (4,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperatures": [300.0]}, "give two or more, ascending"),
        ({"temperatures": [300.0, 300.0]}, "give two or more, ascending"),
        ({"interval": 0}, "interval 0 is less than one step"),
        ({"sizes": (2, 2, 2, 3)}, "not copies of one molecule"),
    ],
)
def test_bad_ladders_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)
