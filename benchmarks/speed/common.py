"""What the comparisons of speed share: environments of their processes, result files, tables."""

import json
import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from polymd.benchmarking import machine

RESULTS = Path(__file__).parent / "results"
# glibc gives large blocks back to the system at each step of eager torch, which costs it a factor of 2.5
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}
PEERS = ("torch", "torchmd-net", "mace-torch", "e3nn", "Auto3D", "vesin", "matscipy", "ase", "torch-cluster")


def worker(script: str, threads: int, *arguments: str) -> Any:
    """Run a script in a process of its own with so many threads for everybody; its last line is JSON."""
    names = ("OMP", "MKL", "OPENBLAS", "NUMBA")
    trusted = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}  # e3nn's table of constants, without which no MACE
    env = os.environ | MALLOC | trusted | {f"{name}_NUM_THREADS": str(threads) for name in names}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, *arguments],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"{Path(script).name} {' '.join(arguments)} failed with {done.returncode}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def save(name: str, results: Any) -> None:
    """Write results/NAME.json with the machine and all versions."""
    facts = machine()
    for package in PEERS:
        try:
            facts["versions"][package] = version(package)
        except PackageNotFoundError:
            facts["versions"][package] = None
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": facts, "results": results}, indent=1) + "\n")
    print(f"written: {path}", file=sys.stderr)


def show(rows: list[dict[str, Any]]) -> None:
    """Print rows of the same keys as a plain table."""
    cells = [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()] for row in rows]
    table = [list(rows[0]), *cells]
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    for line in table:
        print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
