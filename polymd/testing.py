"""Tolerances of polymd's tests, by name and with their reason.

They are public so that a new potential, sampler or observable can be held to the same limits.
"""

# Rounding and statistics
FLOAT32_RTOL = 1e-5  #: results computed from positions stored in single precision
STATISTICAL_SIGMAS = 4.0  #: a sampled mean lies within this many of its standard errors (1 in 16,000)
ERROR_BAR_RTOL = 0.10  #: an average of some hundred standard errors against the exact one

# Integrators
VERLET_RTOL = 1e-4  #: 200 steps against the exact discrete solution; ASE's amu and OpenMM's differ by 1e-8
VERLET_ORDER_RTOL = 0.05  #: the energy error of velocity Verlet grows with Δt², to leading order

# Runs
LOG_RTOL = 1e-9  #: numbers written to the log with 12 digits
PDB_ATOL = 1e-3  #: Å, the last digit of a PDB file

# Potentials; a float64 reference and a float32 engine
FORCE_RTOL64 = 1e-6  #: of the largest force or stress, central differences of float64 energies
FORCE_RTOL32 = 3e-4  #: the same with float32 energies and steps of 0.003 Å
SYMMETRY_ATOL64 = 1e-9  #: eV and eV/Å under rotation, translation, permutation, images, float64
SYMMETRY_ATOL32 = 1e-4  #: the same, float32
CUTOFF_ATOL = 1e-7  #: eV/Å, jump of a force when a pair crosses the cutoff by 1e-4 Å
ENGINE_FORCE_RTOL = 1e-5  #: float32 engine against the float64 reference, norm of all forces
ADAPTER_ENERGY_RTOL = 1e-6  #: energies of ASE, TorchForce and PythonForce
ADAPTER_FORCE_ATOL = 5e-5  #: eV/Å, their forces
TABLE_ATOL = 1e-6  #: a Hermite table of 1,024 knots against its filter, values of order 1
GRADIENT_RTOL = 0.02  #: force matching's finite difference against a double backward, all parameters
SOAP_RTOL = 1e-3  #: ends of a problem and of the same problem rotated
SHARED_GRADIENT_RTOL = 1e-3  #: gradients of one float32 batch, in one process and shared out over two
NVE_DRIFT = 0.005  #: kJ/mol/ps/atom
ENGINES_EV = 1e-3  #: eV, two engines after 10 fs from two minimisations of float32 and float64 energies
