"""Run the comparisons that are missing and write docs/accuracy.md.

python -m benchmarks.accuracy [PART ...]; without parts all of them, hours on one core the first time.
"""

from __future__ import annotations

import os
import subprocess
import sys

PARTS = {
    "frames": "frames",
    "dft": "dft_errors",
    "torsions": "torsions",
    "stress": "stress",
    "ablation": "ablation",
    "timings": "timings",
    "label": "dft",
    "stability": "stability",
    "chain": "chain",
    "page": "page",
}
THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(wanted: list[str]) -> int:
    """Run parts one after the other, each in its own process with one thread; the page is always written."""
    unknown = sorted(set(wanted) - set(PARTS))
    if unknown:
        print(f"unknown part {unknown[0]!r}; known: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    chosen = [part for part in PARTS if part in wanted or part == "page" or not wanted]
    if not wanted or "label" in wanted:
        chosen = ["label", *(part for part in chosen if part != "label")]
    environment = dict.fromkeys(THREADS, "1") | os.environ
    failed = []
    for part in chosen:
        print(f"== {part}", flush=True)
        command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.accuracy.{PARTS[part]}"]
        if subprocess.run(command, env=environment, check=False).returncode:
            failed.append(part)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
