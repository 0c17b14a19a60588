"""ETKDG's time and failures against the length of the chain, beside growth: CPU seconds of one core.

    python -m benchmarks.conformations.etkdg_length polybench.h5 > etkdg_length.json

One conformation for each of some test polymers at each length, in a process of its own that gets `LIMIT`
seconds; a polymer that fails is tried at no greater length, and is counted as failed there.
"""

import json
import multiprocessing as mp
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polymd import Polymer
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.generate import generate_conformations
from polymd.datasets.polybench.storage import read_chains

LENGTHS = (50, 100, 200, 320)  # atoms, about
LIMIT = 60  # s
POLYMERS = 8
BUDGET = 480.0  # s, of all: the polymers after it are left out


def of_length(psmiles: str, n_atoms: int) -> Polymer:
    """The chain of about so many atoms."""
    unit = Polymer(psmiles, 4).n_atoms - Polymer(psmiles, 3).n_atoms
    return Polymer(psmiles, max(2, round(n_atoms / unit)), seed=1)


def _embed(pipe: Any, polymer: Polymer) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT + 5, LIMIT + 5))
    begin = time.process_time()
    try:
        generate_conformations(polymer, 1, method="etkdg", seed=1)
        pipe.send(time.process_time() - begin)
    except ConformationError:
        pipe.send(None)


def seconds(polymer: Polymer) -> float | None:
    """CPU seconds of one conformation, None if there was none in time."""
    mine, theirs = mp.Pipe(duplex=False)
    worker = mp.get_context("fork").Process(target=_embed, args=(theirs, polymer))
    worker.start()
    theirs.close()
    try:
        found: float | None = mine.recv()
    except EOFError:  # ended by its limit
        found = None
    worker.join()
    return found if found is not None and found <= LIMIT else None


def measured(psmiles: list[str], show: Callable[[str], None]) -> list[dict[str, Any]]:
    """Rows of polymers and lengths."""
    rows: list[dict[str, Any]] = []
    for one in psmiles:
        for n_atoms in LENGTHS:
            polymer = of_length(one, n_atoms)
            took = seconds(polymer)
            rows.append({"psmiles": one, "length": n_atoms, "n_atoms": polymer.n_atoms, "seconds": took})
            show(f"{one} {polymer.n_atoms}: {took}")
            if took is None:
                break
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if used.ru_utime + used.ru_stime > BUDGET:
            break
    return rows


def main(data: Path) -> None:
    chains = read_chains(data, split="test", kind="reference")
    names = list(dict.fromkeys(chain.psmiles for chain in chains))
    step = max(1, len(names) // POLYMERS)
    rows = measured(names[::step][:POLYMERS], lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps({"limit": LIMIT, "rows": rows}, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
