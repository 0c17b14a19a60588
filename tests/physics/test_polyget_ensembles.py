"""physical_validation on PolyGET: ethane in a box, by every thermostat and barostat."""

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms, units
from ase.optimize import LBFGS

import polymd
from polymd.integrators import ase_dynamics, make_barostat, maxwell_boltzmann, repartition_hydrogen_mass
from polymd.potentials import PolyGETCalculator
from polymd.simulation.packing import box_length, place_chains
from polymd.testing import ENSEMBLE_SIGMAS, EQUIPARTITION_SIGMAS, KINETIC_P
from polymd.units import BAR

from .ensembles import Samples, State, ensemble_sigmas, equipartition_sigmas, kinetic_p

MOLECULES, DENSITY, TIMESTEP = 4, 0.4, 0.5  # g/cm³, fs
FRAMES, EVERY = 600, 40  # steps


def ethane() -> tuple[Atoms, np.ndarray]:
    """Minimised molecules with hydrogens of 3 amu, and the molecule of each atom."""
    chain = polymd.Polymer("*CC*", 1)
    edge = box_length(MOLECULES * float(chain.masses.sum()), DENSITY)
    conformations = list(polymd.generate_conformations(chain, MOLECULES, seed=1))
    positions = place_chains(conformations, edge, seed=3)
    masses = repartition_hydrogen_mass(chain.masses, chain.atomic_numbers, chain.bonds, 3.0)
    atoms = Atoms(np.tile(chain.atomic_numbers, MOLECULES), positions, cell=[edge] * 3, pbc=True)
    atoms.set_masses(np.tile(masses, MOLECULES))
    atoms.calc = PolyGETCalculator()
    LBFGS(atoms, logfile=None).run(fmax=0.2, steps=100)
    return atoms, np.repeat(np.arange(MOLECULES), chain.n_atoms)


def sample(state: State, seed: int) -> Samples:
    """Frames of 12 ps, after 2.4 ps."""
    atoms, molecules = ethane()
    rng = np.random.default_rng(seed)
    velocities = maxwell_boltzmann(atoms.get_masses(), 2.0 * state.temperature, seed=seed)
    atoms.set_velocities(velocities / units.fs)
    barostat = None
    if state.barostat:
        barostat = make_barostat(
            state.barostat, state.pressure, state.temperature, TIMESTEP, rng, molecules=molecules
        )
    dynamics = ase_dynamics(
        atoms,
        "npt" if barostat else "nvt",
        state.temperature,
        TIMESTEP,
        rng,
        thermostat=state.thermostat,
        friction=20.0,
        barostat=barostat,
    )
    samples = Samples(atoms.get_masses())
    dynamics.run(FRAMES // 5 * EVERY)
    for _ in range(FRAMES):
        dynamics.run(EVERY)
        samples.add(atoms.get_potential_energy(), atoms.get_volume(), atoms.get_velocities() * units.fs)
    return samples


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        State(300.0, "langevin"),
        State(300.0, "bussi"),
        State(300.0, "nose-hoover"),
        State(300.0, "langevin", "scr", 1000.0 * BAR),
        State(300.0, "langevin", "mc", 1000.0 * BAR),
    ],
    ids=lambda state: f"{state.thermostat}-{state.barostat}",
)
def test_polyget_samples_the_ensemble(state: State) -> None:
    warm = replace(state, temperature=360.0)
    first, second = sample(state, 11), sample(warm, 12)
    assert kinetic_p(first, state) > KINETIC_P
    assert kinetic_p(second, warm) > KINETIC_P
    assert ensemble_sigmas(first, state, second, warm) < ENSEMBLE_SIGMAS
    assert equipartition_sigmas(first, state) < EQUIPARTITION_SIGMAS
