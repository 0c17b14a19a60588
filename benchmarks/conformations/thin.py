"""Make the file of reference chains that is kept here, of less than 5 MB: fewer frames, positions to 0.01 Å.

python -m benchmarks.conformations.thin polybench.h5
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from polymd.datasets.polybench.storage import ReferenceChain, read_chains, write_chains

OUT = Path(__file__).with_name("polybench-mini.h5")
FRAMES = {"train": 1, "validation": 4, "test": 4}  # of each start of a library chain
REFERENCE_FRAMES = 5  # of each start of a longer chain


def thinned(chain: ReferenceChain) -> ReferenceChain:
    """The chain with fewer frames of each start, evenly spaced, the last among them."""
    wanted = FRAMES[chain.split] if chain.kind == "library" else REFERENCE_FRAMES
    kept: list[int] = []
    for start in np.unique(chain.start):
        own = np.flatnonzero(chain.start == start)
        stride = max(1, len(own) // wanted)
        kept += own[::-1][::stride][:wanted][::-1].tolist()
    return replace(
        chain, positions=chain.positions[kept], energies=chain.energies[kept], start=chain.start[kept]
    )


def main(source: Path) -> None:
    note = "few frames of each start, positions to 0.01 Å"
    write_chains(OUT, map(thinned, read_chains(source)), decimals=2, thinned=note)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
