"""Peak memory of an evaluation beyond what the process held before: PolyGET's engine and other codes.

    python benchmarks/speed/memory.py [ATOMS]              by default 360; Linux

Each code runs in a process of its own, which first evaluates a box of 100 atoms: compiled code, weights and
tables are loaded by then, and the peak is that of the larger system alone.
"""

import ctypes
import gc
import json
import sys
from pathlib import Path
from typing import Any

from common import save, show, worker

CODES = ("polymd", "torchmd-net ET", "torchmd-net TensorNet", "mace-torch 96x0e")
WARM_UP_ATOMS = 100


def status(name: str) -> float:
    """A field of /proc/self/status in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return float(line.split()[1]) / 1024
    raise KeyError(name)


def evaluation(code: str, n_atoms: int) -> Any:
    if code == "polymd":
        from polymd.benchmarking import evaluation

        return evaluation(n_atoms)
    import peers

    if code.startswith("mace"):
        return peers.mace(n_atoms)
    return peers.torchmdnet(n_atoms, "tensornet" if "TensorNet" in code else "equivariant-transformer")


def measure(code: str, n_atoms: int) -> dict[str, float]:
    for _ in range(2):
        evaluation(code, WARM_UP_ATOMS)()
    larger = evaluation(code, n_atoms)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what lies free would hide a part of the peak
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    for _ in range(3):
        larger()
    return {"before_MB": before, "peak_MB": status("VmHWM"), "added_MB": status("VmHWM") - before}


def main(n_atoms: str = "360") -> None:
    rows = []
    for code in CODES:
        found = worker(__file__, 1, "--worker", code, n_atoms)
        if found:
            rows.append({"code": code, "atoms": int(n_atoms)} | found)
    for row in rows:
        row["times_polymd"] = row["added_MB"] / rows[0]["added_MB"]
    show(rows)
    save("memory", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        main(*sys.argv[1:])
