"""Constants of the unit system used everywhere: Å, eV, fs, K, amu, g/cm³.

From the exact SI values of e, k_B and N_A (CODATA 2018, doi:10.1103/RevModPhys.93.025010), with the
convention of OpenMM and most MD codes that 1 amu is exactly 1 g/mol.
"""

EV_KJ_MOL = 96.48533212331001  #: 1 eV in kJ/mol
KB = 8.617333262145179e-05  #: Boltzmann constant, eV/K
AMU_A2_FS2 = 1.0e4 / EV_KJ_MOL  #: 1 amu Å²/fs² in eV
BAR = 1.0e5 * 1.0e-30 / 1.602176634e-19  #: 1 bar in eV/Å³
G_CM3 = 0.602214076  #: 1 g/cm³ in amu/Å³
