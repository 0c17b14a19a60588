"""Energy conservation: velocity Verlet on PolyGET keeps the total energy of a chain."""

import numpy as np
import pytest
from ase import units
from ase.md.verlet import VelocityVerlet
from ase.optimize import LBFGS

import polymd
from polymd import testing
from polymd.integrators.velocities import maxwell_boltzmann
from polymd.potentials import PolyGETCalculator

STEPS, EVERY = 20_000, 20


@pytest.mark.slow
def test_drift_over_20_ps_of_a_98_atom_chain() -> None:
    chain = polymd.Polymer("*CC(*)c1ccccc1", 6, seed=1)
    atoms = chain.to_ase(polymd.generate_conformations(chain, 1, seed=1)[0])
    atoms.calc = PolyGETCalculator()
    LBFGS(atoms, logfile=None).run(fmax=0.2, steps=200)
    atoms.set_velocities(maxwell_boltzmann(atoms.get_masses(), 600.0, seed=1) / units.fs)
    energies = []
    dynamics = VelocityVerlet(atoms, timestep=1.0 * units.fs)
    dynamics.attach(lambda: energies.append(atoms.get_total_energy()), interval=EVERY)
    dynamics.run(STEPS)
    per_atom = np.array(energies) / (units.kJ / units.mol) / len(atoms)
    picoseconds = np.arange(len(per_atom)) * EVERY * 1e-3
    drift = np.polyfit(picoseconds, per_atom, 1)[0]
    print(f"drift {drift:.2e} kJ/mol/ps/atom, spread {per_atom.std():.2e} kJ/mol/atom")
    assert abs(drift) < testing.NVE_DRIFT
    assert 150 < atoms.get_temperature() < 500
