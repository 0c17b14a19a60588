"""Langevin dynamics of many molecules side by side, with one evaluation of all their forces a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polymd.integrators.velocities import check_choice
from polymd.units import AMU_A2_FS2, KB

Float = NDArray[np.float64]


class ReplicaForces(Protocol):
    """What `ReplicaPotential.evaluate` gives: energies (M,) eV, and forces, eV/Å, shaped as the positions."""

    @property
    def energies(self) -> Float: ...

    @property
    def forces(self) -> Float: ...


class ReplicaPotential(Protocol):
    """Energies and forces of M molecules that do not see each other, such as `polymd.potentials.Replicas`."""

    def evaluate(self, positions: Float) -> ReplicaForces: ...


class ReplicaLangevin:
    """Langevin dynamics of M replicas: copies of one molecule or different ones, each at its own temperature.

        v ← v + Δt F/m
        x ← x + ½ Δt v,   v ← e^(-γΔt) v + sqrt((1 - e^(-2γΔt)) k_B T / m) ξ,   x ← x + ½ Δt v

    This is `LangevinMiddle`: positions are those of BAOAB (Leimkuhler and Matthews, J. Chem. Phys. 2013, 138,
    174102), velocities those right after its O (Zhang et al., J. Phys. Chem. A 2019, 123, 6056, section II).
    Every replica draws ξ from a stream of its own: with a potential whose results do not depend on company,
    as those of `Replicas`, its trajectory is the same bits whichever replicas run beside it.

    | symbol | code           | unit |
    |--------|----------------|------|
    | Δt     | `timestep`     | fs   |
    | γ      | `friction`     | 1/ps |
    | T      | `temperatures` | K    |
    | m      | `masses`       | amu  |
    | ξ      | `noise`        | 1    |

    Parameters
    ----------
    potential
        Gives energies and forces of all replicas.
    masses
        M arrays (N_m,) amu.
    positions
        Å; (M, N, 3), or (A, 3), one replica after the other, where sizes differ.
    temperature
        K; one for all, or (M,).
    timestep
        fs.
    seeds
        (M,) integers of 0 or more, one a replica. The first numbers of a stream are the initial velocities,
        thermal at the replica's temperature; start from a minimised molecule with those of twice the
        temperature (`velocities *= 2**0.5`), half of which turns into potential energy.
    friction
        1/ps.

    Attributes
    ----------
    positions, velocities
        Å and Å/fs, shaped as the positions given; assign to them to change them.
    steps_done
        Steps since the start.

    Raises
    ------
    ValueError
        For shapes that do not fit, a seed that comes twice, and a step, temperature, friction or mass that is
        not positive.
    """

    def __init__(
        self,
        potential: ReplicaPotential,
        masses: Sequence[ArrayLike],
        positions: ArrayLike,
        temperature: ArrayLike,
        timestep: float,
        seeds: Sequence[int],
        *,
        friction: float = 1.0,
    ) -> None:
        parts = [np.asarray(each, dtype=np.float64).reshape(-1) for each in masses]
        x, self.sizes = np.array(positions, dtype=np.float64), [len(each) for each in parts]
        _check_shapes(self.sizes, x.shape, seeds)
        self.masses = np.concatenate(parts)
        if not (self.masses > 0).all():
            raise ValueError(f"mass {self.masses.min():g} amu is not positive; every atom needs one")
        self._shape, self._x = x.shape, x.reshape(-1, 3)
        self._inertia = self.masses[:, None] * AMU_A2_FS2  # eV fs²/Å²
        self.potential, self.timestep = potential, timestep
        self._keep = float(np.exp(-1e-3 * friction * timestep))
        self._streams = [np.random.default_rng(seed) for seed in seeds]
        self._result: ReplicaForces | None = None
        self.steps_done = 0
        kelvin = np.broadcast_to(np.asarray(temperature, dtype=np.float64), (len(seeds),))
        check_choice("nvt", "langevin", float(kelvin.min()), timestep, friction)
        self._set_temperatures(kelvin)
        self._v = self._thermal_speeds * self._noise()

    @property
    def temperatures(self) -> Float:
        """(M,) K of the thermostats; `change_temperatures` changes them."""
        return self._temperatures.copy()

    @property
    def positions(self) -> Float:
        return self._x.reshape(self._shape).copy()

    @positions.setter
    def positions(self, value: ArrayLike) -> None:
        self._x = np.array(value, dtype=np.float64).reshape(self._x.shape)
        self._result = None

    @property
    def velocities(self) -> Float:
        return self._v.reshape(self._shape).copy()

    @velocities.setter
    def velocities(self, value: ArrayLike) -> None:
        self._v = np.array(value, dtype=np.float64).reshape(self._v.shape)

    @property
    def potential_energies(self) -> Float:
        """(M,) eV at the present positions."""
        return np.array(self._evaluate().energies)

    @property
    def kinetic_energies(self) -> Float:
        """(M,) eV."""
        return self._by_replica(0.5 * (self._inertia * self._v**2).sum(axis=1))

    @property
    def kinetic_temperatures(self) -> Float:
        """(M,) K, 2 E_kin / (3 N k_B): the centre of mass is thermostatted too."""
        return 2.0 * self.kinetic_energies / (3.0 * KB * np.array(self.sizes))

    def run(self, steps: int) -> None:
        """Do this many steps."""
        half = 0.5 * self.timestep
        noise_size = np.sqrt(1.0 - self._keep**2) * self._thermal_speeds
        for _ in range(steps):
            v = self._v + self.timestep * self._accelerations()
            x = self._x + half * v
            self._v = self._keep * v + noise_size * self._noise()
            self._x, self._result = x + half * self._v, None
            self.steps_done += 1

    def change_temperatures(self, temperatures: ArrayLike) -> None:
        """Set new thermostats (M,) K and scale velocities with sqrt(T_new / T_old).

        Scaled are the velocities v + ½ Δt F/m that belong to the positions' instant: those are independent of
        the positions to first order of the step, which the ones kept here, of half a kick before, are not.
        """
        old = self._temperatures
        self._set_temperatures(np.broadcast_to(np.asarray(temperatures, dtype=np.float64), old.shape))
        factor = self._by_atom(np.sqrt(self._temperatures / old))
        self._v = factor * self._v + (factor - 1.0) * (0.5 * self.timestep * self._accelerations())

    def state(self) -> dict[str, Any]:
        """All that is needed to go on exactly, ready for JSON, whose numbers read back to the last bit."""
        return {
            "positions": self._x.tolist(),
            "velocities": self._v.tolist(),
            "temperatures": self._temperatures.tolist(),
            "steps_done": self.steps_done,
            "random": [stream.bit_generator.state for stream in self._streams],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Load what `state` gave into dynamics made in the same way. Raises ValueError for other replicas."""
        if np.shape(state["positions"]) != self._x.shape or len(state["random"]) != len(self._streams):
            raise ValueError(
                f"the state is one of {len(state['random'])} replicas with {len(state['positions'])} atoms, "
                f"not of {len(self._streams)} with {len(self._x)}; make the dynamics as it was made then"
            )
        self.positions, self.velocities = state["positions"], state["velocities"]
        self._set_temperatures(np.array(state["temperatures"]))
        self.steps_done = state["steps_done"]
        for stream, saved in zip(self._streams, state["random"], strict=True):
            stream.bit_generator.state = saved

    def _evaluate(self) -> ReplicaForces:
        if self._result is None:
            self._result = self.potential.evaluate(self._x.reshape(self._shape))
        return self._result

    def _accelerations(self) -> Float:
        """(A, 3) Å/fs²."""
        return np.asarray(self._evaluate().forces, dtype=np.float64).reshape(-1, 3) / self._inertia

    def _noise(self) -> Float:
        """(A, 3), each replica's from its own stream."""
        pairs = zip(self._streams, self.sizes, strict=True)
        return np.concatenate([stream.standard_normal((size, 3)) for stream, size in pairs])

    def _set_temperatures(self, temperatures: Float) -> None:
        if not (temperatures > 0).all():
            raise ValueError(
                f"temperature {temperatures.min():g} K is not positive; 300 K is room temperature"
            )
        self._temperatures = np.array(temperatures)
        self._thermal_speeds = np.sqrt(KB * self._by_atom(self._temperatures) / self._inertia)

    def _by_atom(self, values: Float) -> Float:
        return np.repeat(values, self.sizes)[:, None]

    def _by_replica(self, values: Float) -> Float:
        return np.add.reduceat(values, np.cumsum([0, *self.sizes[:-1]]))


def _check_shapes(sizes: list[int], shape: tuple[int, ...], seeds: Sequence[int]) -> None:
    if not sizes or min(sizes) == 0:
        raise ValueError(f"replicas have {sizes} atoms; give at least one replica, each with atoms")
    allowed = [(sum(sizes), 3)] + [(len(sizes), sizes[0], 3)] * (len(set(sizes)) == 1)
    if shape not in allowed:
        raise ValueError(f"positions have shape {shape}; give {' or '.join(map(str, allowed))}")
    if len(seeds) != len(sizes) or len(set(seeds)) < len(seeds):
        raise ValueError(f"seeds {list(seeds)}; give {len(sizes)} different ones, one a replica")
