"""Multiple time steps: a cheap force often, what it lacks rarely (r-RESPA).

The force is split as F = F_in + (F - F_in): for PolyGET, F_in is a small, fast model and F the full one.
With n inner steps δt = Δt/n, Trotter's factorisation of the propagator gives (Tuckerman, Berne and Martyna,
J. Chem. Phys. 1992, 97, 1990, section II)

    e^(LΔt) = B(½Δt) [b(½δt) a(δt) b(½δt)]^n B(½Δt) + O(Δt³)

    B(t): v ← v + t (F - F_in)/m       b(t): v ← v + t F_in/m       a(t): x ← x + t v

It is reversible and symplectic. An outer step costs n inner forces and one full force, for kicks at one
position share theirs. With friction every a(δt) becomes a(½δt) o(δt) a(½δt),

    o(t): v ← e^(-γt) v + sqrt((1 - e^(-2γt)) k_B T/m) ξ

(BAOAB-RESPA: Lagardère, Aviat and Piquemal, J. Phys. Chem. Lett. 2019, 10, 2593). B and b move only
velocities and commute, so both half kicks before a step can be joined with those after the step before:
positions stay the same, and the velocities at the end of a step are then those right after o, whose kinetic
energy is exact for vibrations that F_in knows exactly (the "middle" scheme of Zhang et al., J. Phys. Chem.
A 2019, 123, 6056; with n = 1 this is it). `openmm.MTSLangevinIntegrator` ends with the half kicks: at the
same positions its kinetic temperature is too low by (ωδt)²/4, 8 % for C-H bonds at 1 fs.

| symbol | code                   | unit here |
|--------|------------------------|-----------|
| Δt     | `timestep`             | fs        |
| n      | `inner_steps`          | 1         |
| γ      | `friction`             | 1/ps      |
| T      | `temperature`          | K         |

**How long the outer step may be.** For a vibration that the inner force sees with frequency ω, and the full
force with ω² + κ, in the limit of small δt one outer step is a rotation by θ = ωΔt between two half kicks.
Its matrix has the trace

    2 cos θ - (κΔt/ω) sin θ

and is stable while that lies between -2 and 2. If the inner force is too soft (κ > 0) this ends at

    cot(θ/2) = κΔt/(2ω)

just below θ = π, and if it is too stiff, in a window just above: the outer kicks resonate with the
vibration at every half period, 5.5 fs for C-H (3000 cm⁻¹) and 4.6 fs for O-H bonds. `longest_step` solves
this. Anharmonic vibrations resonate at a third of their period too, more weakly (Ma, Izaguirre and Skeel,
SIAM J. Sci. Comput. 2003, 24, 1951): 3.7 fs for C-H. Friction damps that one. So 3 to 4 fs, and less the
worse the inner model: a C-H bond that it makes 5 % too soft fluctuates, at δt = 1 fs and Δt = 2, 3 and 4
fs, 1, 3 and 8 % too much (variance), and is 0, 1 and 4 % too cold; in proportion to the 5 %. Heavier
hydrogens (`repartition_hydrogen_mass`) lengthen the periods, by 1.6 with 3 amu.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polymd.integrators.velocities import Ensemble, check_choice
from polymd.units import EV_KJ_MOL, KB

if TYPE_CHECKING:
    import openmm
    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from polymd.integrators.ase_mts import MultipleTimeStep


def _check(ensemble: str, temperature: float, timestep: float, inner_steps: int, friction: float) -> None:
    check_choice(ensemble, "langevin", temperature, timestep, friction)
    if ensemble == "npt":
        raise ValueError("multiple time steps have no barostat; allowed: nve, nvt")
    if inner_steps < 1:
        raise ValueError(f"inner_steps {inner_steps} is less than 1; 3 inner steps of 1 fs are a start")


def longest_step(frequency: float, softness: float) -> float:
    """Outer step at which a vibration begins to resonate, the first root of cot(θ/2) = κΔt/(2ω), see above.

    Parameters
    ----------
    frequency
        1/cm, by the inner force: about 3000 for C-H, 3600 for O-H.
    softness
        κ/ω²: by how much the full force is stiffer than the inner one, relative; negative if it is softer.

    Returns
    -------
    float
        fs. Half a period for `softness` of zero and below.
    """
    from scipy.optimize import brentq

    omega = 2.0 * np.pi * 2.99792458e-5 * frequency  # 1/fs
    if softness <= 0.0:
        return float(np.pi / omega)
    theta = brentq(lambda angle: np.cos(angle / 2) - 0.5 * softness * angle * np.sin(angle / 2), 0.0, np.pi)
    return float(theta / omega)


def mts_integrator(
    ensemble: Ensemble,
    temperature: float,
    timestep: float,
    inner_steps: int,
    seed: int,
    *,
    friction: float = 1.0,
    outer_group: int = 0,
    inner_group: int = 1,
) -> openmm.CustomIntegrator:
    """OpenMM integrator of r-RESPA over two force groups, as in this module's text.

    `nve` is `openmm.MTSIntegrator`, with velocities at the positions' instant; `nvt` Langevin dynamics with
    velocities after o. Forces: `polymd.potentials.mts_forces`.

    Parameters
    ----------
    ensemble
        `nve` or `nvt`.
    temperature
        K, not used by `nve`.
    timestep
        Outer step, fs.
    inner_steps
        Inner steps in an outer one.
    seed
        0 or more.
    friction
        1/ps, not used by `nve`.
    outer_group, inner_group
        Force groups of F - F_in and of F_in.

    Raises
    ------
    ValueError
        For another ensemble, a step, temperature or friction that is not positive, and no inner step.
    """
    from openmm import CustomIntegrator, MTSIntegrator, unit

    from polymd.integrators.openmm import openmm_seed

    _check(ensemble, temperature, timestep, inner_steps, friction)
    step = timestep * unit.femtosecond
    if ensemble == "nve":
        return MTSIntegrator(step, [(outer_group, 1), (inner_group, inner_steps)])
    keep = np.exp(-friction * 1e-3 * timestep / inner_steps)
    integrator = CustomIntegrator(step)
    integrator.setRandomNumberSeed(openmm_seed(seed))
    integrator.addGlobalVariable("h", 1e-3 * timestep / inner_steps)
    integrator.addGlobalVariable("keep", keep)
    integrator.addGlobalVariable("noise", np.sqrt((1.0 - keep**2) * KB * temperature * EV_KJ_MOL))
    integrator.addPerDofVariable("free", 0.0)
    integrator.addUpdateContextState()
    integrator.addComputePerDof("v", f"v + dt*f{outer_group}/m")
    for _ in range(inner_steps):
        integrator.addComputePerDof("v", f"v + h*f{inner_group}/m")
        integrator.addConstrainVelocities()
        integrator.addComputePerDof("x", "x + 0.5*h*v")
        integrator.addComputePerDof("v", "keep*v + noise*gaussian/sqrt(m)")
        integrator.addComputePerDof("x", "x + 0.5*h*v")
        integrator.addComputePerDof("free", "x")
        integrator.addConstrainPositions()
        integrator.addComputePerDof("v", "v + (x - free)/h")
    return integrator


def mts_dynamics(
    atoms: Atoms,
    inner: Calculator,
    ensemble: Ensemble,
    temperature: float,
    timestep: float,
    inner_steps: int,
    rng: np.random.Generator,
    *,
    friction: float = 1.0,
) -> MultipleTimeStep:
    """ASE dynamics of r-RESPA, as in this module's text.

    Parameters
    ----------
    atoms
        With the calculator of the full force; moved in place.
    inner
        The calculator of F_in.
    ensemble, temperature, timestep, inner_steps, friction
        As for `mts_integrator`.
    rng
        Its state, with positions and momenta, is all that is needed to go on exactly: see `save_dynamics`.

    Raises
    ------
    ValueError
        As `mts_integrator`.
    """
    from ase import units

    from polymd.integrators.ase_mts import MultipleTimeStep

    _check(ensemble, temperature, timestep, inner_steps, friction)
    return MultipleTimeStep(
        atoms,
        timestep * units.fs,
        inner=inner,
        inner_steps=inner_steps,
        temperature_K=temperature,
        friction=None if ensemble == "nve" else friction / (1000.0 * units.fs),
        rng=rng,
    )
