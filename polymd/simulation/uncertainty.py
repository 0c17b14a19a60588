"""The committee's eye on a run: reads the uncertainty of the forces, keeps the frames above the limit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from polymd.simulation.config import Config
from polymd.simulation.engine import Snapshot
from polymd.simulation.errors import SimulationError
from polymd.simulation.system import MolecularSystem

CHECK_STEPS = 50  #: steps between two readings, beside those of every frame
MOST_FRAMES = 200  #: kept in uncertain.xyz; a run that goes on astray would fill the disk
_NAME = "uncertain.xyz"


class UncertaintyMonitor:
    """Warns or stops when `forces_std` of an atom exceeds `config.max_uncertainty`.

    A reading evaluates the potential and its committee apart from the engine, so the run stays what it would
    be without. Frames above the limit go to `uncertain.xyz` in the run folder, in the form that `polymd label
    uncertain.xyz --sampler none` takes.

    Parameters
    ----------
    system, config
        The run, with `max_uncertainty` and `on_uncertainty`.
    step
        Steps done already; later frames in an old `uncertain.xyz` are dropped.
    warn
        Takes the line to show at the first reading above the limit.
    """

    def __init__(
        self, system: MolecularSystem, config: Config, step: int, warn: Callable[[str], None]
    ) -> None:
        from polymd.potentials import UncertaintyGuard

        assert config.max_uncertainty is not None
        self._guard = UncertaintyGuard(system.atomic_numbers, config.potential, limit=config.max_uncertainty)
        self._config, self._warn = config, warn
        self._path = config.out / _NAME
        self._kept = _keep_until(self._path, step)

    @staticmethod
    def steps_to_next(step: int) -> int:
        """Steps until the next reading between frames."""
        return CHECK_STEPS - step % CHECK_STEPS

    @staticmethod
    def is_due(step: int) -> bool:
        """Whether there is a reading at a step, be there a frame or not."""
        return step % CHECK_STEPS == 0

    def check(self, snapshot: Snapshot) -> float:
        """The largest uncertainty of an atom's force, eV/Å.

        Raises
        ------
        SimulationError
            Above the limit, where the config says `stop`.
        """
        reading = self._guard.read(snapshot.positions, snapshot.cell)
        problem = self._guard.exceeded(reading)
        if problem:
            self._keep(snapshot, reading)
            problem = f"{problem}, at {snapshot.step * self._config.timestep:g} fs"
            if self._config.on_uncertainty == "stop":
                raise SimulationError(
                    f"{problem}; the potential does not know this geometry, which is the last of "
                    f"{self._path}: lower the temperature, label such frames and train on, or only warn"
                )
            if self._kept == 1:
                self._warn(f"{problem}; such frames go to {self._path}")
        return reading.largest

    def _keep(self, snapshot: Snapshot, reading: Any) -> None:
        if self._kept >= MOST_FRAMES:
            return
        from ase import Atoms
        from ase.calculators.singlepoint import SinglePointCalculator
        from ase.io import write

        config, cell = self._config, snapshot.cell
        atoms = Atoms(self._guard.numbers, snapshot.positions, cell=cell, pbc=cell is not None)
        atoms.calc = SinglePointCalculator(atoms, energy=reading.energy, forces=reading.forces)
        atoms.arrays["forces_std"] = reading.forces_std
        atoms.info |= {
            "psmiles": "-".join(config.sequence),
            "id": f"{'-'.join(config.sequence)} x {config.units} run",
            "n_units": config.units,
            "kind": "linear" if config.chains == 1 else "box",
            "temperature": config.temperature,
            "step": snapshot.step,
        }
        write(self._path, atoms, format="extxyz", append=True)
        self._kept += 1


def _keep_until(path: Path, step: int) -> int:
    """Drop frames after a step; how many are left."""
    if not path.exists():
        return 0
    from ase.io import read, write

    frames = read(path, index=":", format="extxyz")
    kept = [atoms for atoms in frames if atoms.info["step"] <= step]
    if kept:
        write(path, kept, format="extxyz")
    else:
        path.unlink()
    return len(kept)
