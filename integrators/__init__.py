"""Everything that moves atoms: integrators for OpenMM and ASE, and thermal velocities."""

from polymd.integrators.ase import ase_dynamics
from polymd.integrators.openmm import openmm_integrator
from polymd.integrators.velocities import degrees_of_freedom, maxwell_boltzmann

__all__ = ["ase_dynamics", "degrees_of_freedom", "maxwell_boltzmann", "openmm_integrator"]
