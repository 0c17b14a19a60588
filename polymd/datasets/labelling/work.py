"""The work on one task, block by block: move molecules, label them, keep what is sound."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from polymd.conformations.etkdg import ConformationError
from polymd.datasets.labelling.plan import Task
from polymd.datasets.labelling.settings import LARGE_FORCE, MAX_FORCE, STEPS, STRAINS, TEMPERATURES, Settings
from polymd.datasets.labelling.shards import Frame, Identity, Shard, read_shard, shard_path, write_shard
from polymd.datasets.sampling.distortion import distort
from polymd.datasets.sampling.langevin import Replica, propagate
from polymd.datasets.sampling.starts import forms, make_start
from polymd.datasets.teachers import Labels, Teacher
from polymd.datasets.teachers.base import Molecule


class Worker:
    """Teachers and a folder of shards; `do` works on a task, from where its shards end.

    `dynamics` moves the molecules, `student` picks the frames to label by its `forces_std`.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        teacher: Teacher,
        dynamics: Teacher | None,
        student: Teacher | None = None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._teacher = teacher
        self._dynamics = dynamics
        self._student = student

    def do(self, task: Task, stop: Callable[[], bool], report: Callable[[Shard], None]) -> None:
        """Label the blocks of a task that have no shard yet; `stop` is asked before each."""
        paths = [shard_path(self._folder, task.number, b) for b in range(self._settings.blocks)]
        done = sum(path.exists() for path in paths)
        if done == len(paths) or stop():
            return
        if task.frames:
            started = time.process_time()
            shard = self._relabel(task)
            shard.cpu_seconds = time.process_time() - started
            write_shard(paths[0], shard)
            report(shard)
            return
        started = time.process_time()
        shard = Shard()
        replicas = self._replicas(task, shard)
        if done:
            _restore(replicas, read_shard(paths[done - 1]))
            shard = Shard()
        for block in range(done, len(paths)):
            if stop():
                return
            self._block(replicas, block, shard)
            shard.state = _state(replicas)
            shard.cpu_seconds = time.process_time() - started
            write_shard(paths[block], shard)
            report(shard)
            started, shard = time.process_time(), Shard()

    def _relabel(self, task: Task) -> Shard:
        shard = Shard()
        frames = task.frames
        if self._settings.sampler == "distort":
            frames = tuple(self._distorted(task, n) for n in range(len(frames)))
        molecules = [(np.array(f.molecule.numbers), f.positions.astype(float)) for f in frames]
        picked = self._pick(molecules, shard)
        chosen = [frames[n] for n in picked]
        all_labels = label_each(self._teacher, [molecules[n] for n in picked])
        for frame, labels in zip(chosen, all_labels, strict=True):
            self._keep(shard, frame.molecule, frame.positions, frame.temperature, labels)
        return shard

    def _distorted(self, task: Task, n: int) -> Frame:
        frame, rng = task.frames[n], np.random.default_rng((self._settings.seed, task.number, n))
        positions = distort(np.array(frame.molecule.numbers), frame.positions.astype(float), rng)
        return replace(frame, positions=positions.astype(np.float32))

    def _replicas(self, task: Task, shard: Shard) -> list[Replica]:
        """Four replicas of a start of each polymer."""
        settings, replicas = self._settings, []
        for n, psmiles in enumerate(task.polymers):
            seed = int(np.random.default_rng((settings.seed, task.number, n)).integers(2**31 - 1000))
            try:
                choice = forms(psmiles, settings.max_units, settings.max_atoms)
                start = make_start(psmiles, choice[int(task.quantile * len(choice))], seed)
            except (ValueError, ConformationError) as error:
                shard.failures.append((psmiles, "", "", str(error)))
                continue
            for k, kelvin in enumerate(TEMPERATURES):
                strain = STRAINS[(k + task.round) % len(STRAINS)]
                strain = "" if start.form.kind == "pair" and strain == "stretched" else strain
                replicas.append(Replica(start, kelvin, strain, (settings.seed, task.number, n, k)))
        return replicas

    def _block(self, replicas: list[Replica], block: int, shard: Shard) -> None:
        """Move the replicas that are alive and label where they arrive, if need be."""
        assert self._dynamics is not None
        alive = [replica for replica in replicas if replica.alive]
        before = [(replica.positions.copy(), replica.velocities.copy()) for replica in alive]
        try:
            propagate(alive, self._dynamics, STEPS, block)
        except RuntimeError:  # one of them: find out which
            for replica, (positions, velocities) in zip(alive, before, strict=True):
                replica.positions, replica.velocities = positions, velocities
                self._move_alone(replica, block, shard)
        for replica in alive:
            if replica.alive and not np.isfinite(replica.positions).all():
                _kill(replica, shard, "dynamics diverged")
        alive = [replica for replica in alive if replica.alive]
        picked = self._pick([(r.start.numbers, r.positions) for r in alive], shard)
        unsure = [alive[n] for n in picked]
        labels = label_each(self._teacher, [(r.start.numbers, r.positions) for r in unsure])
        for replica, label in zip(unsure, labels, strict=True):
            positions = (replica.positions - replica.positions.mean(axis=0)).astype(np.float32)
            replica.alive = self._keep(shard, identity(replica), positions, replica.temperature, label)

    def _pick(self, molecules: Sequence[Molecule], shard: Shard) -> list[int]:
        """Indices of the geometries to label: all, or those that the student is unsure of or fails on."""
        limit = self._settings.min_uncertainty
        if self._student is None or limit is None or not molecules:
            return list(range(len(molecules)))
        opinions = label_each(self._student, molecules)
        picked = [n for n, opinion in enumerate(opinions) if not _is_sure(opinion, limit)]
        shard.confident += len(molecules) - len(picked)
        return picked

    def _move_alone(self, replica: Replica, block: int, shard: Shard) -> None:
        assert self._dynamics is not None
        try:
            propagate([replica], self._dynamics, STEPS, block)
        except RuntimeError as error:
            _kill(replica, shard, f"dynamics: {error}")

    def _keep(
        self,
        shard: Shard,
        molecule: Identity,
        positions: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
        temperature: float,
        labels: Labels | str,
    ) -> bool:
        """Put a sound frame into the shard and others on its list of failures."""
        reason = labels if isinstance(labels, str) else unsound(labels, self._settings.max_force_std)
        if reason or isinstance(labels, str):
            shard.failures.append((molecule.psmiles, molecule.id, f"{temperature:g}", reason))
            return False
        std = float("nan") if labels.forces_std is None else float(labels.forces_std.max())
        forces = labels.forces.astype(np.float32)
        shard.frames.append(Frame(molecule, positions, labels.energy, forces, std, temperature))
        return True


def identity(replica: Replica) -> Identity:
    """The molecule of a replica, for its frames."""
    start = replica.start
    numbers = tuple(start.numbers.tolist())
    return Identity(start.psmiles, start.id, start.form.kind, start.form.n_units, numbers)


def label_each(teacher: Teacher, molecules: Sequence[Molecule]) -> list[Labels | str]:
    """Labels, or the reason why there are none; a batch that fails is tried one by one."""
    try:
        return list(teacher.label(molecules))
    except RuntimeError as error:
        if len(molecules) == 1:
            return [f"teacher: {error}"]
    return [label_each(teacher, [molecule])[0] for molecule in molecules]


def _is_sure(opinion: Labels | str, limit: float) -> bool:
    """Whether a student's forces are certain to the limit on every atom, and none is too large."""
    if isinstance(opinion, str) or opinion.forces_std is None:
        return False
    force = float(np.linalg.norm(opinion.forces, axis=1).max())
    return bool(opinion.forces_std.max() <= limit) and force <= LARGE_FORCE


def unsound(labels: Labels, max_force_std: float) -> str:
    """Why labels are not to be trained on, or nothing."""
    if not (np.isfinite(labels.energy) and np.isfinite(labels.forces).all()):
        return "energy or forces are not finite"
    force = float(np.linalg.norm(labels.forces, axis=1).max())
    if force > MAX_FORCE:
        return f"force of {force:.1f} eV/Å, above {MAX_FORCE:g}"
    std = 0.0 if labels.forces_std is None else float(labels.forces_std.max())
    return f"force std of {std:.3f} eV/Å, above {max_force_std:g}" if std > max_force_std else ""


def _kill(replica: Replica, shard: Shard, reason: str) -> None:
    replica.alive = False
    start = replica.start
    shard.failures.append((start.psmiles, start.id, f"{replica.temperature:g}", reason))


def _state(replicas: list[Replica]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    empty = np.zeros((0, 3))
    return {
        "positions": np.concatenate([empty, *(r.positions for r in replicas)]),
        "velocities": np.concatenate([empty, *(r.velocities for r in replicas)]),
        "alive": np.array([r.alive for r in replicas], np.float64),
    }


def _restore(replicas: list[Replica], shard: Shard) -> None:
    """Put replicas where a shard left them."""
    ends = np.cumsum([len(r.positions) for r in replicas])[:-1]
    positions = np.split(shard.state["positions"], ends) if replicas else []
    velocities = np.split(shard.state["velocities"], ends) if replicas else []
    alive = shard.state["alive"].astype(bool).tolist()
    for replica, x, v, lives in zip(replicas, positions, velocities, alive, strict=True):
        replica.positions, replica.velocities, replica.alive = x.copy(), v.copy(), lives
