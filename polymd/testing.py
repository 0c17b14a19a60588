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
REVERSAL_ATOL = 1e-10  #: Å, 300 outer steps forward and back again

# Runs
LOG_RTOL = 1e-9  #: numbers written to the log with 12 digits
PDB_ATOL = 1e-3  #: Å, the last digit of a PDB file

# Potentials; a float64 reference and a float32 engine
FORCE_RTOL64 = 1e-6  #: of the largest force or stress, central differences of float64 energies
FORCE_RTOL32 = 6e-4  #: the same with float32 energies and steps of 0.003 Å
SYMMETRY_ATOL64 = 1e-9  #: eV and eV/Å under rotation, translation, permutation, images, float64
SYMMETRY_ATOL32 = 1e-4  #: the same, float32
CUTOFF_ATOL = 1e-6  #: eV/Å, change of a force when a pair crosses the cutoff by 1e-4 Å; a jump is larger
ENGINE_FORCE_RTOL = 1e-5  #: float32 engine against the float64 reference, norm of all forces
ADAPTER_ENERGY_RTOL = 1e-6  #: energies of ASE, TorchForce and PythonForce
ADAPTER_FORCE_ATOL = 5e-5  #: eV/Å, their forces
ADAPTER_FORCE_RTOL = 1e-5  #: and of the largest force, what float32 leaves when forces are tens of eV/Å
MIXED_ENERGY_ATOL = 0.005  #: kJ/mol of 8e5, PolyGET in float64 beside classical terms, some in float32
MIXED_ENERGY_ATOL32 = 0.5  #: the same with PolyGET in float32
TABLE_ATOL = 1e-6  #: a Hermite table of 1,024 knots against its filter, values of order 1
GRADIENT_RTOL = 0.02  #: force matching's finite difference against a double backward, all parameters
SOAP_RTOL = 1e-3  #: ends of a problem and of the same problem rotated
SHARED_GRADIENT_RTOL = 1e-3  #: gradients of one float32 batch, in one process and shared out over two
NVE_DRIFT = 0.005  #: kJ/mol/ps/atom
ENGINES_EV = 1e-3  #: eV, two engines after 10 fs from two minimisations of float32 and float64 energies

# Ensembles
KINETIC_P = 0.01  #: least p of a Kolmogorov-Smirnov test of kinetic energies
ENSEMBLE_SIGMAS = 3.0  #: the ratio of two sampled distributions against their Boltzmann factors
EQUIPARTITION_SIGMAS = 4.0  #: the temperature of a group of atoms
VERLET_ORDER = (1.8, 2.2)  #: fitted power of the step in the energy error of velocity Verlet
EDGE_RTOL = 0.01  #: mean and width of the edges of a box under a barostat, 20,000 moves, exact reference
STRESS_RTOL64 = 1e-8  #: analytic stress against finite strain, of the largest component, float64
STRESS_RTOL32 = 3e-6  #: the same for the float32 engine, finite strain in float64

# Properties
SPELLING_RTOL = 1e-5  #: predictions for repeats and shifts of the same infinite chain
