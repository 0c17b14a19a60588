"""PolyGET's engine against other potentials: energies and forces, in one run, for one thread and for two.

python benchmarks/speed/potentials.py [SECONDS]        seconds each code gets at each size, by default 5
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from common import save, show, worker

SIZES = (360, 1000)


def measure(seconds: float, n_atoms: int) -> list[dict[str, Any]]:
    """All codes at one size, in turn."""
    import peers
    import torch

    from polymd.benchmarking import compare, evaluation

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    makers: dict[str, Callable[[], Any]] = {
        "polymd": lambda: evaluation(n_atoms),
        "torchmd-net ET": lambda: peers.torchmdnet(n_atoms, "equivariant-transformer"),
        "torchmd-net ET, TorchScript": lambda: peers.torchmdnet(
            n_atoms, "equivariant-transformer", script=True
        ),
        "torchmd-net TensorNet": lambda: peers.torchmdnet(n_atoms, "tensornet"),
        "mace-torch 96x0e": lambda: peers.mace(n_atoms),
        "AIMNet2, one model": lambda: peers.aimnet2(n_atoms),
    }
    calls = {}
    for name, make in makers.items():
        try:
            calls[name] = make()
            calls[name]()
        except Exception as error:
            calls.pop(name, None)
            print(f"{name}: {type(error).__name__}: {error}"[:300], file=sys.stderr)
    times = compare(calls, seconds)
    ours = times["polymd"]
    return [
        {"code": name, "atoms": n_atoms, "ms": 1e3 * t["median"], "least_ms": 1e3 * t["least"],
         "calls": t["calls"], "polymd_is_faster_by": t["median"] / ours["median"]}
        for name, t in times.items()
    ]  # fmt: skip


def main(seconds: str = "5") -> None:
    rows = []
    for threads in (1, 2):
        for n_atoms in SIZES:
            found = worker(__file__, threads, "--worker", seconds, str(n_atoms))
            rows += [{"threads": threads} | row for row in found or []]
    show(rows)
    save("potentials", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(measure(float(sys.argv[2]), int(sys.argv[3]))))
    else:
        main(*sys.argv[1:])
