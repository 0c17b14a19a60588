"""Making the reference data: several processes, one part a polymer, resumable."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from polymd.datasets.polybench.ambertools import AmberToolsError
from polymd.datasets.polybench.annealing import Schedule, anneal
from polymd.datasets.polybench.plan import GROWING, Settings, Task, make_plan
from polymd.datasets.polybench.storage import ReferenceChain, merge, write_chains
from polymd.datasets.sampling.exclusion import Exclusion
from polymd.progress import StatusBar

__all__ = ["Summary", "build"]

_LEAST_UNITS = 4
_LONG_CUTOFF = 12.0  # Å
_MERGE_SECONDS = 120


@dataclass(frozen=True)
class Summary:
    """What was made: polymers with parts, chains in the file, failures, seconds of CPU time of all parts."""

    polymers: int
    chains: int
    failures: int
    cpu_seconds: float
    finished: bool


class _Bar(StatusBar):
    def add(self, psmiles: str, seconds: float) -> None:
        """Count a part, with its CPU seconds."""
        self._bar.update(self._task, advance=1, status=f"{psmiles} {seconds:.0f} s")


def build(
    settings: Settings,
    tables: Path,
    out: Path,
    *,
    exclude: Exclusion | None = None,
    more_test: Iterable[str] = (),
    processes: int = 1,
    minutes: float | None = None,
    progress: bool | None = None,
) -> Summary:
    """Make the reference data and write them to `out` (HDF5), and what failed to `<out>.failures.csv`.

    Parts are kept in the folder `<out>.parts`; the same call goes on from there after a kill or when
    `minutes` ran out. `out` is renewed every two minutes, so that it can be used before the end.

    Raises
    ------
    ValueError
        The folder holds parts of other settings, or the tables are missing.
    """
    parts = _open_folder(out, settings)
    tasks = make_plan(settings, tables, exclude or Exclusion(), more_test)
    todo = [task for task in tasks if not _done(parts, task)]
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    merged = 0.0
    with _Bar("reference chains", total=len(tasks), done=len(tasks) - len(todo), enabled=progress) as bar:
        for task, seconds in _work(todo, settings, parts, processes, deadline):
            bar.add(task.psmiles, seconds)
            if time.monotonic() - merged > _MERGE_SECONDS:
                merge(parts, out, charges=settings.charges)
                merged = time.monotonic()
    chains = merge(parts, out, charges=settings.charges)
    return _summary(parts, out, chains, tasks)


def _open_folder(out: Path, settings: Settings) -> Path:
    parts = out.with_name(out.name + ".parts")
    parts.mkdir(parents=True, exist_ok=True)
    note = parts / "settings.json"
    wanted = json.loads(json.dumps(asdict(settings)))
    if note.is_file():
        found = asdict(Settings()) | json.loads(note.read_text(encoding="utf-8"))
        differing = sorted(key for key in wanted if found[key] != wanted[key] and key not in GROWING)
        if differing:
            raise ValueError(
                f"{parts} was made with other {', '.join(differing)}; fix: the same settings or another file"
            )
    note.write_text(json.dumps(wanted, indent=2), encoding="utf-8")
    return parts


def _done(parts: Path, task: Task) -> bool:
    return (parts / f"{task.name}.json").is_file()


def _work(
    todo: list[Task], settings: Settings, parts: Path, processes: int, deadline: float | None
) -> Iterator[tuple[Task, float]]:
    """Tasks as they are done, with their CPU seconds; none is begun after the deadline."""
    if processes == 1:
        for task in todo:
            if deadline is not None and time.monotonic() > deadline:
                return
            yield task, make_part(task, settings, parts)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = iter(todo)
        running: dict[Future[float], Task] = {}
        while True:
            for task in waiting:
                if deadline is not None and time.monotonic() > deadline:
                    break
                running[pool.submit(make_part, task, settings, parts)] = task
                if len(running) > processes:
                    break
            if not running:
                return
            future = next(as_completed(running))
            yield running.pop(future), future.result()


def make_part(task: Task, settings: Settings, parts: Path) -> float:
    """Make the chains of one task and write its part, or why there is none; returns CPU seconds."""
    from polymd.conformations import ConformationError

    begin = time.process_time()
    failure = None
    try:
        chains = make_chains(task, settings)
        write_chains(parts / f"{task.name}.h5", chains)
    except (AmberToolsError, ConformationError, ValueError) as error:
        failure = f"{type(error).__name__}: {error}"
    seconds = time.process_time() - begin
    note = {"psmiles": task.psmiles, "split": task.split, "kind": task.kind, "seconds": seconds}
    text = json.dumps(note | {"failure": failure})
    (parts / f"{task.name}.json").write_text(text, encoding="utf-8")
    return seconds


def make_chains(task: Task, settings: Settings) -> list[ReferenceChain]:
    """Build, parametrise, anneal and sample the chains of one task.

    Raises
    ------
    AmberToolsError, ConformationError, ValueError
        GAFF2 or the builder fails on the polymer, or every start was lost.
    """
    from polymd.conformations import generate_conformations
    from polymd.datasets.polybench.system import gaff2_energy, gaff2_system
    from polymd.polymer import Polymer

    unit = Polymer(task.psmiles, 1).n_atoms - 2
    atoms, n_chains, n_starts = settings.sizes[task.kind]
    n_units = max(_LEAST_UNITS, round(atoms / unit))
    library, long = task.kind == "library", task.kind == "long"
    times = settings.library_times if library else settings.reference_times
    frames = settings.library_frames if library else settings.reference_frames
    schedule = Schedule(settings.hot, settings.temperature, *times, frames)
    chains = []
    for number in range(n_chains):
        seed = 1000 * settings.seed + number
        polymer = Polymer(task.psmiles, n_units, seed=seed)
        system = gaff2_system(polymer, charges=settings.charges, cutoff=_LONG_CUTOFF if long else None)
        starts = generate_conformations(polymer, n_starts, method="growth", seed=seed)
        found = anneal(polymer, system, starts, schedule, seed=seed + 1)
        if len(found.energies):
            if long:  # the energies of all pairs, as those of the others
                energies = gaff2_energy(polymer, found.positions, charges=settings.charges)
                found = found._replace(energies=energies)
            chains.append(
                ReferenceChain(
                    task.psmiles, n_units, "atactic", seed, task.split, task.kind, settings.charges, *found
                )
            )
    if not chains:
        raise ValueError(f"no start of {task.psmiles!r} stayed sound")
    return chains


def _summary(parts: Path, out: Path, chains: int, tasks: list[Task]) -> Summary:
    notes = [
        json.loads((parts / f"{task.name}.json").read_text(encoding="utf-8"))
        for task in tasks
        if _done(parts, task)
    ]
    failures = [note for note in notes if note["failure"]]
    with out.with_name(out.name + ".failures.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["psmiles", "split", "kind", "seconds", "failure"])
        writer.writeheader()
        writer.writerows(failures)
    return Summary(
        len({note["psmiles"] for note in notes if not note["failure"]}),
        chains,
        len(failures),
        sum(note["seconds"] for note in notes),
        len(notes) == len(tasks),
    )
