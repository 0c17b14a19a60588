"""physical_validation on PolyGET: butane by batched Langevin dynamics, many short independent runs.

All thermostats and barostats are held to the same on a fluid that costs microseconds, in
`test_thermostats.py` and `test_barostats.py`.
"""

import numpy as np
import pytest

import polymd
from polymd.integrators import ReplicaLangevin, repartition_hydrogen_mass
from polymd.potentials import Replicas
from polymd.testing import ENSEMBLE_SIGMAS, EQUIPARTITION_SIGMAS, KINETIC_P

from .ensembles import Samples, State, ensemble_sigmas, equipartition_sigmas, kinetic_p

COLD, WARM = State(300.0), State(350.0)
REPLICAS, FRAMES, EVERY, SETTLING = 16, 16, 50, 400  # of each temperature; steps of 1 fs


def sample() -> tuple[Samples, Samples]:
    """Frames at both temperatures, one replica's after the other's; all replicas in one batch."""
    chain = polymd.Polymer("*CC*", 2)
    masses = repartition_hydrogen_mass(chain.masses, chain.atomic_numbers, chain.bonds, 3.0)
    dynamics = ReplicaLangevin(
        Replicas([chain.atomic_numbers] * (2 * REPLICAS)),
        [masses] * (2 * REPLICAS),
        polymd.generate_conformations(chain, 2 * REPLICAS, seed=1),
        np.repeat([COLD.temperature, WARM.temperature], REPLICAS),
        timestep=1.0,
        seeds=range(2 * REPLICAS),
        friction=20.0,
    )
    dynamics.run(SETTLING)
    energies, velocities = [], []
    for _ in range(FRAMES):
        dynamics.run(EVERY)
        energies.append(dynamics.potential_energies)
        velocities.append(dynamics.velocities)
    both = Samples(masses), Samples(masses)
    for replica in range(2 * REPLICAS):
        for frame in range(FRAMES):
            both[replica // REPLICAS].add(energies[frame][replica], 1.0, velocities[frame][replica])
    return both


@pytest.mark.slow
def test_polyget_samples_the_canonical_ensemble() -> None:
    cold, warm = sample()
    assert kinetic_p(cold, COLD) > KINETIC_P
    assert kinetic_p(warm, WARM) > KINETIC_P
    assert ensemble_sigmas(cold, COLD, warm, WARM) < ENSEMBLE_SIGMAS
    assert equipartition_sigmas(cold, COLD) < EQUIPARTITION_SIGMAS
    assert equipartition_sigmas(warm, WARM) < EQUIPARTITION_SIGMAS
