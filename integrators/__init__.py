"""Everything that moves atoms: integrators and barostats for OpenMM and ASE, and thermal velocities."""

from polymd.integrators.ase import ase_dynamics, restore_dynamics, save_dynamics
from polymd.integrators.barostats import make_barostat
from polymd.integrators.masses import repartition_hydrogen_mass
from polymd.integrators.mts import mts_dynamics, mts_integrator
from polymd.integrators.openmm import openmm_integrator
from polymd.integrators.openmm_npt import BarostattedContext
from polymd.integrators.replica_exchange import ReplicaExchange
from polymd.integrators.replica_langevin import ReplicaLangevin
from polymd.integrators.velocities import degrees_of_freedom, maxwell_boltzmann

__all__ = [
    "BarostattedContext",
    "ReplicaExchange",
    "ReplicaLangevin",
    "ase_dynamics",
    "degrees_of_freedom",
    "make_barostat",
    "maxwell_boltzmann",
    "mts_dynamics",
    "mts_integrator",
    "openmm_integrator",
    "repartition_hydrogen_mass",
    "restore_dynamics",
    "save_dynamics",
]
