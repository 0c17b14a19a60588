"""One run, from a checked config to a folder of results."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from polymd.integrators import degrees_of_freedom, maxwell_boltzmann
from polymd.integrators.cell_rescaling import CellChangeError
from polymd.simulation.analysis import write_properties
from polymd.simulation.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from polymd.simulation.config import Config
from polymd.simulation.durations import parse_duration
from polymd.simulation.engine import Engine
from polymd.simulation.engines import make_engine, resolve_engine
from polymd.simulation.errors import Interrupted, SimulationError
from polymd.simulation.folder import create_folder, read_settings, write_settings, write_topology
from polymd.simulation.interrupts import StopFlag, stop_on_signal
from polymd.simulation.log import LogWriter
from polymd.simulation.progress import RunProgress
from polymd.simulation.recorder import FlightRecorder
from polymd.simulation.run import Run
from polymd.simulation.system import MolecularSystem, build_system
from polymd.simulation.trajectory import TrajectoryWriter
from polymd.simulation.uncertainty import UncertaintyMonitor

_MINIMISATION_ITERATIONS = 500
_SECONDS_BETWEEN_LOOKS = 0.5  # at signals, the progress bar and the flight recorder


def simulate(config: Config, *, progress: bool | None = None) -> Run:
    """Run molecular dynamics of a polymer as the config says.

    Builds the chain, minimises it, draws velocities from the seed and integrates. The folder `config.out`
    then holds run.yaml, topology.pdb, trajectory.dcd, log.csv, checkpoint/, properties.json and report.html.

    Parameters
    ----------
    config
        The run.
    progress
        Show the progress bar; by default when stderr is a terminal.

    Raises
    ------
    ValueError
        When the chain cannot be built, the engine does not work here or the folder holds a run already.
    SimulationError
        When the flight recorder or the committee stops the run; the last frames are in flight_recorder.dcd.
    Interrupted
        On Ctrl-C or SIGTERM, after a checkpoint; a KeyboardInterrupt.
    """
    config = resolve_engine(config.resolved())
    system = build_system(config)
    create_folder(config)
    return _perform(config, system, None, progress)


def resume(path: Path | str, *, time: str | float | None = None, progress: bool | None = None) -> Run:
    """Go on with a stopped run, exactly as if it had not stopped, or make a finished one longer.

    Parameters
    ----------
    path
        The run folder.
    time
        A new total time, `4ps` or fs; by default that of run.yaml.
    progress
        Show the progress bar; by default when stderr is a terminal.

    Raises
    ------
    ValueError
        When the folder holds no run, its engine does not work here, or `time` is before its checkpoint.
    SimulationError, Interrupted
        As in `simulate`.
    """
    config = read_settings(Path(path))
    checkpoint = read_checkpoint(config.out / "checkpoint")
    if time is not None:
        config = config.model_copy(update={"time": parse_duration(time)})
        if checkpoint is not None and config.n_steps < checkpoint.step:
            done = checkpoint.step * config.timestep
            raise ValueError(f"time {config.time:g} fs is over, the run is at {done:g} fs; give a longer one")
    config = resolve_engine(config)
    system = build_system(config)
    if time is not None:
        write_settings(config)
    return _perform(config, system, checkpoint, progress)


def _perform(
    config: Config, system: MolecularSystem, checkpoint: Checkpoint | None, progress: bool | None
) -> Run:
    """Prepare the engine, do the dynamics, write results."""
    done = checkpoint.step if checkpoint else 0
    with (
        stop_on_signal() as stop,
        RunProgress(total=config.n_steps, done=done, timestep=config.timestep, enabled=progress) as bar,
    ):
        engine = make_engine(system, config)
        if checkpoint is None:
            _prepare(engine, system, config, stop)
        else:
            engine.restore(checkpoint.state, checkpoint.step)
        _Dynamics(config, system, engine, checkpoint, bar, stop).run()
    run = Run(config.out)
    write_properties(run, config)
    _write_report(run)
    return run


def _prepare(engine: Engine, system: MolecularSystem, config: Config, stop: StopFlag) -> None:
    """Minimise, write the topology at the minimum and draw velocities.

    The velocities are those of twice the temperature: in a minimum half of the kinetic energy turns into
    potential energy within some vibrations (equipartition of harmonic modes), which leaves the temperature
    asked for. Without this `nve` would stay at half of it, and `nvt` would take some 1/friction to recover.
    """
    engine.minimise(_MINIMISATION_ITERATIONS, lambda: stop.requested)
    if stop.requested:
        raise Interrupted(config.out, 0.0)
    minimum = engine.snapshot()
    if not np.isfinite(minimum.potential_energy) or not np.isfinite(minimum.positions).all():
        raise SimulationError(
            f"energy or positions are no longer numbers after minimisation with potential "
            f"{config.potential!r}; try another seed or another potential"
        )
    write_topology(system, minimum.positions, config.out / "topology.pdb")
    engine.set_velocities(maxwell_boltzmann(system.masses, 2.0 * config.temperature, seed=config.seed))


def _write_report(run: Run) -> None:
    from polymd.report import write_report

    write_report(run.path)


class _Dynamics:
    """The loop of a run: step, look, report, checkpoint."""

    def __init__(
        self,
        config: Config,
        system: MolecularSystem,
        engine: Engine,
        checkpoint: Checkpoint | None,
        bar: RunProgress,
        stop: StopFlag,
    ) -> None:
        frames = checkpoint.frames if checkpoint else 0
        self._config, self._system, self._engine = config, system, engine
        self._bar, self._stop = bar, stop
        self._dof = degrees_of_freedom(system.n_atoms, config.ensemble, config.thermostat)
        self._recorder = FlightRecorder(system, config)
        self._monitor = None
        if config.max_uncertainty is not None:
            self._monitor = UncertaintyMonitor(system, config, engine.step_count, bar.warn)
        self._log = LogWriter(
            config.out / "log.csv",
            periodic=system.box is not None,
            uncertain=self._monitor is not None,
            rows=frames,
        )
        self._trajectory = TrajectoryWriter(
            config.out / "trajectory.dcd",
            system.topology,
            timestep=config.timestep,
            interval=config.report_steps,
            frames=frames,
        )

    def run(self) -> None:
        """Go to the last step, or stop with `Interrupted` or `SimulationError`."""
        try:
            self._loop()
        except (SimulationError, CellChangeError) as error:
            kept = self._recorder.dump(self._config.out / "flight_recorder.dcd")
            where = self._config.out / "flight_recorder.dcd"
            raise SimulationError(f"{error}. The last {kept} frames are in {where}") from error
        finally:
            self._trajectory.close()
            self._log.close()

    def _loop(self) -> None:
        engine, total, every = self._engine, self._config.n_steps, self._config.report_steps
        if self._trajectory.frames == 0:
            self._report()
        self._bar.start()
        chunk = 1
        while engine.step_count < total:
            if self._stop.requested:
                self._checkpoint()
                raise Interrupted(self._config.out, engine.step_count * self._config.timestep)
            steps = min(chunk, every - engine.step_count % every, total - engine.step_count)
            if self._monitor is not None:
                steps = min(steps, self._monitor.steps_to_next(engine.step_count))
            started = time.perf_counter()
            engine.advance(steps)
            seconds = max(time.perf_counter() - started, 1e-6)
            chunk = max(1, min(every, int(_SECONDS_BETWEEN_LOOKS * steps / seconds)))
            due = engine.step_count % every == 0
            temperature = self._report() if due else self._look()
            self._bar.update(steps, temperature)
        self._checkpoint()

    def _look(self) -> float:
        """Let the flight recorder and the committee check the present state; its temperature in K."""
        snapshot = self._engine.snapshot()
        self._recorder.check(snapshot)
        if self._monitor is not None and self._monitor.is_due(snapshot.step):
            self._monitor.check(snapshot)
        return snapshot.temperature(self._dof)

    def _report(self) -> float:
        """Check, then write a frame, a log row and a checkpoint; the temperature in K."""
        snapshot = self._engine.snapshot()
        self._recorder.check(snapshot)
        uncertainty = None if self._monitor is None else self._monitor.check(snapshot)
        temperature = snapshot.temperature(self._dof)
        self._trajectory.write(snapshot.positions, snapshot.cell)
        self._log.write(
            {
                "step": snapshot.step,
                "time_fs": snapshot.step * self._config.timestep,
                "potential_energy_eV": snapshot.potential_energy,
                "kinetic_energy_eV": snapshot.kinetic_energy,
                "temperature_K": temperature,
                "density_g_cm3": self._system.density(snapshot.cell),
                "forces_std_eV_A": uncertainty,
                "speed_ns_day": self._bar.speed,
            }
        )
        self._checkpoint()
        return temperature

    def _checkpoint(self) -> None:
        write_checkpoint(
            self._config.out / "checkpoint",
            Checkpoint(self._engine.step_count, self._trajectory.frames, self._engine.save()),
        )
