"""Make the file of reference chains that is kept here, of less than 5 MB: fewer frames, no chains of 2,000
atoms, positions to 0.01 Å.

python -m benchmarks.conformations.thin polybench.h5
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from polymd.datasets.polybench.storage import ReferenceChain, read_chains, write_chains

OUT = Path(__file__).with_name("polybench-mini.h5")
FRAMES = {"train": 1, "validation": 2, "test": 1}  # of each start of a library chain
REFERENCE_FRAMES = 4  # of each start of a reference chain


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
    chains = (thinned(chain) for chain in read_chains(source) if chain.kind != "long")
    write_chains(OUT, chains, decimals=2, thinned=note)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
