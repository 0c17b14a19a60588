"""Long chains as growth makes them: clashes, stereo, set-up and time, before anything is repaired.

    python -m benchmarks.conformations.long_chains polybench.h5

CPU time of one core with compiled kernels. The polymers are those of the splits for tests and validation, at
300 to 2,000 atoms in turn, and well-known ones, most of which are in the training data.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from polymd.conformations import clash_count
from polymd.conformations.etkdg import ConformationError
from polymd.conformations.geometry import keeps_stereo
from polymd.conformations.growth import ChainGrower
from polymd.datasets.polybench.storage import read_chains
from polymd.polymer import Polymer
from polymd.stereo import Tacticity

SIZES = (300, 600, 1000, 1400, 2000)
CHAINS = 8
KNOWN: tuple[tuple[str, int, Tacticity], ...] = (
    ("*CCO*", 280, "atactic"),
    ("*CC(*)c1ccccc1", 125, "atactic"),
    ("*CC(*)c1ccccc1", 125, "isotactic"),
    ("*CC(C)(*)C(=O)OC", 130, "atactic"),
    ("*CC(C)(*)C(=O)OC", 130, "isotactic"),
    ("*CC(C)(*)C(=O)OC", 130, "syndiotactic"),
    ("*OCCOC(=O)c1ccc(cc1)C(=O)*", 90, "atactic"),
    ("*NCCCCCC(=O)*", 100, "atactic"),
    ("*[Si](C)(c1ccccc1)O*", 100, "atactic"),
    ("*CC(F)(F)*", 300, "atactic"),
)
OUT = Path(__file__).with_name("results") / "long_chains.json"


def measure(psmiles: str, n_units: int, seed: int, tacticity: Tacticity = "atactic") -> dict[str, Any]:
    """CHAINS chains of a polymer."""
    row: dict[str, Any] = {"psmiles": psmiles, "n_units": n_units, "tacticity": tacticity}
    begin = time.process_time()
    polymer = Polymer(psmiles, n_units, tacticity=tacticity, seed=seed)
    built = time.process_time()
    try:
        grower = ChainGrower(polymer)
    except ConformationError as error:
        return row | {"failure": str(error)}
    ready = time.process_time()
    mol, rng = polymer.to_rdkit(), np.random.default_rng(seed)
    seconds, sound, stereo = [], 0, 0
    for _ in range(CHAINS):
        start = time.process_time()
        x, _left = grower.grow(rng)
        seconds.append(time.process_time() - start)
        sound += clash_count(polymer, x) == 0
        stereo += keeps_stereo(mol, x)
    return row | {
        "n_atoms": polymer.n_atoms,
        "polymer_seconds": built - begin,
        "setup_seconds": ready - built,
        "seconds": seconds,
        "clash_free": sound,
        "stereo": stereo,
    }


def summary(rows: list[dict[str, Any]]) -> str:
    """What the table of the documentation says."""
    sound = [row for row in rows if "failure" not in row]
    chains = CHAINS * len(sound)
    setup = np.array([row["setup_seconds"] for row in sound])
    long = np.concatenate([row["seconds"] for row in sound if row["n_atoms"] > SIZES[-2] + 200] or [[np.nan]])
    sizes = [row["n_atoms"] for row in sound]
    return (
        f"{len(rows)} polymers ({len(rows) - len(sound)} not built), {chains} chains of {min(sizes)} to"
        f" {max(sizes)} atoms: {sum(row['clash_free'] for row in sound)} without a clash,"
        f" {sum(row['stereo'] for row in sound)} with their stereo; set-up {np.median(setup):.2f} s in the"
        f" median, {setup.max():.2f} s at most; a chain of {SIZES[-1]} atoms {np.median(long):.4f} s in the"
        f" median, {np.nanpercentile(long, 90):.3f} s at the 90th percentile, {np.nanmax(long):.3f} s at most"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = [
        f"| chain | atoms | set-up, s | a chain, s | no clash, stereo kept, of {CHAINS} |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        tacticity = "" if row["tacticity"] == "atactic" else f", {row['tacticity']}"
        head = f"| `{row['psmiles']}` × {row['n_units']}{tacticity} | {row['n_atoms']:,} |"
        sound = f"{row['clash_free']}, {row['stereo']}"
        lines.append(f"{head} {row['setup_seconds']:.2f} | {np.median(row['seconds']):.3f} | {sound} |")
    return "\n".join(lines)


def main(
    data: Annotated[Path, typer.Argument(help="Reference chains: their unseen polymers are grown.")],
    polymers: Annotated[int, typer.Option(help="At most so many.")] = 40,
    seed: Annotated[int, typer.Option(help="Of stereo and chains.")] = 0,
    out: Annotated[Path, typer.Option(help="Results, JSON.")] = OUT,
) -> None:
    """Grow chains of every unseen polymer, the sizes in turn."""
    generate_once()
    unseen = (chain.psmiles for split in ("test", "validation") for chain in read_chains(data, split=split))
    known = [measure(name, units, seed, tacticity) for name, units, tacticity in KNOWN]
    print(table(known))
    names = list(dict.fromkeys(unseen))[:polymers]
    rows = []
    for k, name in enumerate(names):
        size = Polymer(name, 1).n_atoms - 2
        rows.append(measure(name, max(2, round(SIZES[k % len(SIZES)] / size)), seed))
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps({"unseen": rows, "known": known}, indent=1), encoding="utf-8")
    if rows:
        print(summary(rows))


def generate_once() -> None:
    """Load the compiled kernels."""
    ChainGrower(Polymer("*CC*", 3)).grow(np.random.default_rng(0))


if __name__ == "__main__":
    typer.run(main)
