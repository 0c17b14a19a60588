"""Make the file of reference chains that is kept here: every second frame, positions to 0.01 Å.

python -m benchmarks.conformations.thin polybench.h5
"""

import sys
from dataclasses import replace
from pathlib import Path

from polymd.datasets.polybench.storage import read_chains, write_chains

OUT = Path(__file__).with_name("polybench-mini.h5")
EVERY = 2


def main(source: Path) -> None:
    chains = (
        replace(
            chain,
            positions=chain.positions[EVERY - 1 :: EVERY],
            energies=chain.energies[EVERY - 1 :: EVERY],
            start=chain.start[EVERY - 1 :: EVERY],
        )
        for chain in read_chains(source)
    )
    write_chains(OUT, chains, decimals=2, thinned=f"every frame number {EVERY}, positions to 0.01 Å")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
