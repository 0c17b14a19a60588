"""Labelling with several processes, and the file at the end."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from polymd.datasets.frames import write_frames
from polymd.datasets.labelling.plan import Plan, Task, make_plan
from polymd.datasets.labelling.progress import LabelProgress
from polymd.datasets.labelling.settings import Settings
from polymd.datasets.labelling.shards import Shard, group_frames, read_shards
from polymd.datasets.labelling.work import Worker
from polymd.datasets.teachers import Teacher, load_student, load_teacher


class LabellingError(RuntimeError):
    """A worker died, or no frame could be labelled."""


@dataclass(frozen=True)
class Summary:
    """What the written file holds: counts, CPU seconds of all work, force std quantiles in eV/Å.

    `force_std` is the largest of a frame's atoms; it is empty for teachers without one. `finished` is false
    when time ran out before the work did. `confident` counts frames that `min_uncertainty` left unlabelled.
    """

    path: str
    frames: int
    molecules: int
    polymers: int
    failures: int
    cpu_seconds: float
    force_std: dict[str, float]
    finished: bool
    confident: int = 0


def label(
    settings: Settings,
    out: Path,
    *,
    processes: int = 1,
    minutes: float | None = None,
    progress: bool | None = None,
) -> Summary:
    """Label frames and write them to `out` (HDF5), and what failed to `<out>.failures.csv`.

    Work is kept in the folder `<out>.parts` as it is done; the same call goes on from there after a kill or
    when `minutes` ran out, with the same frames in the end.

    Parameters
    ----------
    settings
        What to label and how.
    out
        File to write, .h5 or .hdf5.
    processes
        Worker processes, of one thread each.
    minutes
        Stop after that much time, at the end of the steps under way.
    progress
        Show a bar; by default when stderr is a terminal.

    Raises
    ------
    ValueError
        Bad settings, a missing package or model, parts of other settings in the way.
    LabellingError
        A worker died (what it labelled is kept), or nothing could be labelled.
    """
    if out.suffix.lower() not in (".h5", ".hdf5"):
        raise ValueError(f"{str(out)!r} ends in {out.suffix!r}; labelled frames are written as .h5 or .hdf5")
    if not 1 <= processes <= 1024:
        raise ValueError(f"processes is {processes}; allowed: 1 to 1024")
    if minutes is not None and not 0 < minutes < math.inf:
        raise ValueError(f"minutes is {minutes}; allowed: above 0")
    deadline = time.time() + 60 * minutes if minutes is not None else math.inf
    folder = out.with_suffix(".parts")
    teacher = load_teacher(settings.teacher, settings.models)  # fails here rather than in a worker
    _student(settings)
    plan = make_plan(settings)
    _claim(folder, out, settings)
    total = len(plan.tasks) * settings.blocks
    done = len(list(folder.glob("task-*.npz")))
    with LabelProgress(total, done, progress) as bar:
        if processes == 1:
            _work_here(settings, plan, folder, deadline, bar.add)
        else:
            _work_apart(settings, plan, folder, deadline, processes, bar.add)
    return _merge(settings, plan, folder, out, teacher.level_of_theory, total)


def _claim(folder: Path, out: Path, settings: Settings) -> None:
    """Make the folder of parts, or check that it is of these settings."""
    facts: dict[str, Any] = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(settings).items()}
    for name in ("source", "exclude"):
        path = getattr(settings, name)
        facts[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path else None
    facts.pop("models")
    file = folder / "settings.json"
    if file.exists():
        old = json.loads(file.read_text(encoding="utf-8"))
        changed = [name for name in facts if old.get(name) != facts[name]]
        if changed:
            raise ValueError(
                f"{str(folder)!r} was begun with another {changed[0]} ({old.get(changed[0])!r}, now "
                f"{facts[changed[0]]!r}); use the same settings, another --out, or remove that folder"
            )
    elif out.exists():
        raise ValueError(f"{str(out)!r} exists; choose another --out or remove it")
    else:
        folder.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(facts, indent=2), encoding="utf-8")
        partial.replace(file)


def _worker(settings: Settings, folder: Path) -> Worker:
    import torch
    from rdkit import rdBase

    torch.set_num_threads(1)
    rdBase.DisableLog("rdApp.*")
    teacher = load_teacher(settings.teacher, settings.models)
    dynamics = load_teacher(settings.dynamics, settings.models) if settings.sampler == "md" else None
    return Worker(settings, folder, teacher, dynamics, _student(settings))


def _student(settings: Settings) -> Teacher | None:
    """What picks the frames to label, or None when all are labelled."""
    if settings.min_uncertainty is None:
        return None
    return load_student(settings.dynamics, settings.models)


def _work_here(
    settings: Settings, plan: Plan, folder: Path, deadline: float, report: Callable[[Shard], None]
) -> None:
    import torch

    threads = torch.get_num_threads()
    worker = _worker(settings, folder)
    try:
        for task in plan.tasks:
            worker.do(task, lambda: time.time() > deadline, report)
    finally:
        torch.set_num_threads(threads)


def _work_apart(
    settings: Settings,
    plan: Plan,
    folder: Path,
    deadline: float,
    processes: int,
    report: Callable[[Shard], None],
) -> None:
    """Each worker has its share of the tasks and a pipe of its own: one that dies blocks no other."""
    context = multiprocessing.get_context("spawn")
    workers, pipes = [], []
    for n in range(min(processes, len(plan.tasks))):
        receiver, sender = context.Pipe(duplex=False)
        arguments = (settings, plan.tasks[n::processes], folder, deadline, sender)
        workers.append(context.Process(target=_process, args=arguments, daemon=True))
        pipes.append((receiver, sender))
    try:
        for worker, (_, sender) in zip(workers, pipes, strict=True):
            worker.start()
            sender.close()
        listening = [receiver for receiver, _ in pipes]
        while listening:
            ready = wait(listening)
            for receiver in [pipe for pipe in listening if pipe in ready]:
                try:
                    report(receiver.recv())
                except EOFError:
                    listening.remove(receiver)
    except BaseException:
        for worker in workers:
            if worker.is_alive():
                worker.terminate()
        raise
    finally:
        for worker in workers:
            if worker.pid is not None:
                worker.join()
    codes = [worker.exitcode for worker in workers if worker.exitcode]
    if codes:
        raise LabellingError(
            f"{len(codes)} of {processes} worker processes died (exit code {codes[0]}); what is done is in "
            f"{str(folder)!r}: the same command goes on from there"
        )


def _process(
    settings: Settings, tasks: Sequence[Task], folder: Path, deadline: float, pipe: Connection
) -> None:
    """A worker process; it ends when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    worker = _worker(settings, folder)

    def stop() -> bool:
        return time.time() > deadline or os.getppid() != parent

    def report(shard: Shard) -> None:
        if not stop():
            bare = [replace(f, **_BARE) for f in shard.frames]
            pipe.send(Shard(bare, shard.failures, confident=shard.confident))

    for task in tasks:
        worker.do(task, stop, report)


_BARE: dict[str, Any] = {"positions": np.zeros((0, 3)), "forces": np.zeros((0, 3))}  # all that a bar needs


def _merge(settings: Settings, plan: Plan, folder: Path, out: Path, theory: str, total: int) -> Summary:
    """One file of all shards, written whole or not at all."""
    shards = list(read_shards(folder))
    frames = [frame for shard in shards for frame in shard.frames]
    failures = plan.refused + [failure for shard in shards for failure in shard.failures]
    rows = out.with_suffix(".failures.csv")
    with rows.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("psmiles", "id", "temperature_K", "reason"))
        writer.writerows(failures)
    confident = sum(shard.confident for shard in shards)
    if not frames and confident:
        raise LabellingError(
            f"no frame was labelled: {settings.dynamics} is sure of {confident} to "
            f"{settings.min_uncertainty:g} eV/Å; lower min_uncertainty, or give other polymers"
        )
    if not frames:
        raise LabellingError(f"no frame was labelled; the reasons are in {str(rows)!r}")
    molecules = group_frames(frames)
    partial = out.with_suffix(".partial")
    write_frames(partial, molecules, level_of_theory=theory, sampler=settings.description)
    partial.replace(out)
    std = np.array([frame.force_std for frame in frames])
    std = std[np.isfinite(std)]
    quantiles = {f"{q}%": float(np.percentile(std, q)) for q in (50, 90, 99)} if len(std) else {}
    return Summary(
        path=str(out),
        frames=len(frames),
        molecules=len(molecules),
        polymers=len({m.psmiles or m.id for m in molecules}),
        failures=len(failures),
        cpu_seconds=sum(shard.cpu_seconds for shard in shards),
        force_std=quantiles,
        finished=len(shards) == total,
        confident=confident,
    )
