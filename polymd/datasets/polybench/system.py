"""OpenMM systems of chains on GAFF2, atoms in the order of `polymd.Polymer`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.polybench.ambertools import AmberToolsError
from polymd.datasets.polybench.gaff2 import Charges, Gaff2Parameters, gaff2_parameters

if TYPE_CHECKING:
    import openmm

    from polymd.polymer import Polymer

__all__ = ["gaff2_energy", "gaff2_system"]

_COULOMB_14, _LENNARD_JONES_14 = 1 / 1.2, 0.5


def gaff2_system(
    polymer: Polymer,
    *,
    charges: Charges = "bcc",
    constraints: bool = True,
    hydrogen_mass: float = 3.0,
    cutoff: float | None = None,
) -> openmm.System:
    """OpenMM system of one linear chain in vacuum on GAFF2.

        E = sum 1/2 k_b (r - r_0)^2 + sum 1/2 k_a (θ - θ_0)^2 + sum k_t [1 + cos(n φ - φ_0)]
            + sum 4 ε [(σ/r)^12 - (σ/r)^6] + sum q_i q_j / (4 π ε_0 r)

    with the k of OpenMM; Lennard-Jones and Coulomb of atoms three bonds apart
    scaled by 1/2 and 1/1.2; J. Wang et al., J. Comput. Chem. 25, 1157 (2004), eq. 1.

    Parameters
    ----------
    polymer
        Chain of two or more units with hydrogens as end groups.
    charges
        "bcc" or "gas", see `gaff2_parameters`.
    constraints
        Keep the lengths of bonds to hydrogen.
    hydrogen_mass
        amu; what hydrogens gain their neighbour loses. With 3 and `constraints`, steps of 4 fs.
    cutoff
        Å; None: all pairs.

    Raises
    ------
    ValueError
        A ring, other end groups, fewer than two units.
    AmberToolsError
        No parameters, see `gaff2_parameters`.
    """
    import openmm

    if polymer.ring or polymer.n_units < 2 or set(polymer.end_groups) != {"[H]"}:
        raise ValueError(
            f"GAFF2 of {polymer!r} with ends {polymer.end_groups}; allowed: linear chains of two or more"
            " units with hydrogens as ends; fix: ring=False, n_units=2 or more, end_groups=('[H]', '[H]')"
        )
    parameters = gaff2_parameters(polymer.psmiles, charges)
    types, q = _atoms(polymer, parameters)
    neighbors: list[list[int]] = [[] for _ in types]
    for i, j in polymer.bonds.tolist():
        neighbors[i].append(j)
        neighbors[j].append(i)
    system = openmm.System()
    for mass in _masses(polymer, hydrogen_mass):
        system.addParticle(mass)
    try:
        _add_bonds(system, polymer, parameters, types, constraints)
        _add_angles(system, parameters, types, neighbors)
        _add_torsions(system, polymer, parameters, types, neighbors)
    except KeyError as error:
        raise AmberToolsError(
            f"GAFF2 of {polymer.name} lacks the term {error}, which its oligomer does not have; fix: leave"
            " this polymer out"
        ) from error
    _add_nonbonded(system, polymer, parameters, types, q, cutoff)
    return system


def gaff2_energy(
    polymer: Polymer, positions: NDArray[np.floating], *, charges: Charges = "bcc"
) -> NDArray[np.float64]:
    """GAFF2 energies (F,) in eV of conformations `positions` (F, N, 3) in Å, all pairs, nothing constrained.

    Raises as `gaff2_system`.
    """
    import openmm
    from openmm import unit

    from polymd.units import EV_KJ_MOL

    system = gaff2_system(polymer, charges=charges, constraints=False)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), platform, {"Threads": "1"})
    energies = []
    for frame in np.asarray(positions, dtype=np.float64):
        context.setPositions(frame * 0.1)
        energy = context.getState(getEnergy=True).getPotentialEnergy()
        energies.append(energy.value_in_unit(unit.kilojoule_per_mole) / EV_KJ_MOL)
    return np.array(energies, dtype=np.float64)


def _atoms(polymer: Polymer, parameters: Gaff2Parameters) -> tuple[list[str], NDArray[np.float64]]:
    """Type and charge of every atom of the chain."""
    kinds = ["head", *["middle"] * (polymer.n_units - 2), "tail"]
    rows = [row for kind in kinds for row in parameters.units[kind]]
    return [name for name, _ in rows], np.array([charge for _, charge in rows])


def _masses(polymer: Polymer, hydrogen_mass: float) -> NDArray[np.float64]:
    masses = polymer.masses.copy()
    z = polymer.atomic_numbers
    for i, j in polymer.bonds.tolist():
        heavy, light = (i, j) if z[j] == 1 else (j, i)
        if z[light] == 1 and z[heavy] > 1:
            masses[heavy] -= hydrogen_mass - masses[light]
            masses[light] = hydrogen_mass
    return masses


def _key(types: list[str], atoms: tuple[int, ...]) -> str:
    names = [types[a] for a in atoms]
    return "-".join(min(names, names[::-1]))


def _add_bonds(
    system: openmm.System, polymer: Polymer, parameters: Gaff2Parameters, types: list[str], constraints: bool
) -> None:
    import openmm

    force = openmm.HarmonicBondForce()
    for i, j in polymer.bonds.tolist():
        length, k = parameters.bonds[_key(types, (i, j))]
        if constraints and 1 in polymer.atomic_numbers[[i, j]]:
            system.addConstraint(i, j, length)
        else:
            force.addBond(i, j, length, k)
    system.addForce(force)


def _add_angles(
    system: openmm.System, parameters: Gaff2Parameters, types: list[str], neighbors: list[list[int]]
) -> None:
    import openmm

    force = openmm.HarmonicAngleForce()
    for j, around in enumerate(neighbors):
        for n, i in enumerate(around):
            for k in around[n + 1 :]:
                force.addAngle(i, j, k, *parameters.angles[_key(types, (i, j, k))])
    system.addForce(force)


def _add_torsions(
    system: openmm.System,
    polymer: Polymer,
    parameters: Gaff2Parameters,
    types: list[str],
    neighbors: list[list[int]],
) -> None:
    """Proper torsions over every bond, impropers at every atom with three neighbours that has one."""
    import openmm

    force = openmm.PeriodicTorsionForce()
    for j, k in polymer.bonds.tolist():
        for i in neighbors[j]:
            for m in neighbors[k]:
                if i != k and m not in (j, i):
                    for term in parameters.torsions[_key(types, (i, j, k, m))]:
                        force.addTorsion(i, j, k, m, *term)
    impropers = {
        _centred(key.split("-")): (key.split("-"), terms) for key, terms in parameters.impropers.items()
    }
    for centre, around in enumerate(neighbors):
        found = impropers.get(_centred([types[a] for a in (*around[:2], centre, *around[2:])]))
        if len(around) != 3 or found is None:
            continue
        names, terms = found
        left, order = sorted(around), []
        for name in (names[0], names[1], names[3]):
            order.append(next(a for a in left if types[a] == name))
            left.remove(order[-1])
        for term in terms:
            force.addTorsion(order[0], order[1], centre, order[2], *term)
    system.addForce(force)


def _centred(types: list[str]) -> tuple[str, ...]:
    """Key of an improper whose centre is the third: the centre, then the others in alphabetical order."""
    return (types[2], *sorted(types[:2] + types[3:])) if len(types) == 4 else ()


def _add_nonbonded(
    system: openmm.System,
    polymer: Polymer,
    parameters: Gaff2Parameters,
    types: list[str],
    q: NDArray[np.float64],
    cutoff: float | None,
) -> None:
    import openmm

    force = openmm.NonbondedForce()
    for name, charge in zip(types, q.tolist(), strict=True):
        force.addParticle(charge, *parameters.particles[name])
    force.createExceptionsFromBonds(polymer.bonds.tolist(), _COULOMB_14, _LENNARD_JONES_14)
    if cutoff is not None:
        force.setNonbondedMethod(openmm.NonbondedForce.CutoffNonPeriodic)
        force.setCutoffDistance(0.1 * cutoff)
        force.setReactionFieldDielectric(1.0)
    system.addForce(force)
