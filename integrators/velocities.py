"""Thermal velocities and the degrees of freedom that define a temperature."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from polymd.units import AMU_A2_FS2, KB

Ensemble = Literal["nve", "nvt", "npt"]
Thermostat = Literal["langevin", "bussi", "nose-hoover"]
ENSEMBLES = ("nve", "nvt", "npt")
THERMOSTATS = ("langevin", "bussi", "nose-hoover")


def maxwell_boltzmann(masses: NDArray[np.float64], temperature: float, *, seed: int) -> NDArray[np.float64]:
    """Velocities of a Maxwell-Boltzmann distribution with the centre of mass at rest.

    v_i = sqrt(k_B T / m_i) ξ_i, then v_i ← v_i - Σ_j m_j v_j / Σ_j m_j

    | symbol | code          | unit |
    |--------|---------------|------|
    | m_i    | `masses`      | amu  |
    | T      | `temperature` | K    |
    | ξ_i    | `noise`       | 1    |

    Source: Frenkel and Smit, Understanding Molecular Simulation, 2nd ed., section 4.1.1.

    Parameters
    ----------
    masses
        (N,) amu.
    temperature
        K, not negative.
    seed
        Of the random numbers.

    Returns
    -------
    numpy.ndarray
        (N, 3) velocities in Å/fs.

    Raises
    ------
    ValueError
        For a negative temperature.
    """
    if temperature < 0:
        raise ValueError(f"temperature {temperature} K is negative; give 0 K or more")
    noise = np.random.default_rng(seed).standard_normal((len(masses), 3))
    velocities = np.sqrt(KB * temperature / (masses * AMU_A2_FS2))[:, None] * noise
    drift = masses @ velocities / masses.sum()
    return np.asarray(velocities - drift, dtype=np.float64)


def degrees_of_freedom(n_atoms: int, ensemble: Ensemble, thermostat: Thermostat | None = None) -> int:
    """Degrees of freedom that share the kinetic energy.

    Newton's equations keep the total momentum at zero, and so do the thermostats that scale all velocities
    alike (`bussi`, `nose-hoover`): that leaves 3N - 3. Langevin dynamics heats the centre of mass too, which
    leaves all 3N; it is meant where no thermostat is named. A single atom keeps its 3.
    """
    moves_centre = ensemble != "nve" and thermostat in ("langevin", None)
    return 3 * n_atoms if moves_centre or n_atoms == 1 else 3 * n_atoms - 3


def check_choice(
    ensemble: str, thermostat: str, temperature: float, timestep: float, friction: float
) -> None:
    """Raise a ValueError for what no integrator here can do."""
    if ensemble not in ENSEMBLES:
        raise ValueError(f"unknown ensemble {ensemble!r}; known: {', '.join(ENSEMBLES)}")
    if thermostat not in THERMOSTATS:
        raise ValueError(f"unknown thermostat {thermostat!r}; known: {', '.join(THERMOSTATS)}")
    if not timestep > 0:
        raise ValueError(f"timestep {timestep} fs is not positive; 1 fs is right for flexible C-H bonds")
    if ensemble != "nve" and not temperature > 0:
        raise ValueError(f"temperature {temperature} K is not positive; 300 K is room temperature")
    if ensemble != "nve" and not friction > 0:
        raise ValueError(f"friction {friction} 1/ps is not positive; 1 1/ps is usual")
