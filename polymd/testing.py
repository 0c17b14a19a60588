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
