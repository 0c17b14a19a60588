"""How long dynamics takes to forget its start: grown ones, PolyConf's, ETKDG's, and uniform torsions.

    python -m benchmarks.conformations.relaxation polybench.h5 [--polymers 3] [--starts 12] [--ps 20]

Chains of unseen polymers, of about 100 atoms as in their libraries, move on GAFF2 at 300 K after 200 steps of
minimising. References are the frames of all library chains of the polymer, whose stereoisomers differ. The
radius of gyration has reached its average when the mean over starts stays within two standard errors of that
of the references; torsions when their Jensen-Shannon divergence from the references, in windows of 2 ps,
stays under 1.25 times that of one library chain from the others. What is in results/relaxation.json is not
done again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from openmm import OpenMMException

from polymd.conformations.etkdg import ConformationError
from polymd.conformations.metrics.baselines import generate
from polymd.conformations.metrics.distributions import backbone_torsions, jensen_shannon
from polymd.datasets.polybench.annealing import FRICTION, TIMESTEP
from polymd.datasets.polybench.storage import ReferenceChain, read_chains
from polymd.polymer import Polymer

RESULTS = Path(__file__).with_name("results") / "relaxation.json"
METHODS = ("growth", "polyconf", "etkdg", "uniform")
TEMPERATURE = 300.0
SAMPLE, WINDOW = 0.2, 2.0  # ps
MINIMISER_STEPS = 200
SIGMAS, SLACK = 2.0, 1.25
BINS = 36

Floats = NDArray[np.float64]


def trajectories(chain: ReferenceChain, starts: Floats, picoseconds: float, seed: int) -> NDArray[np.float32]:
    """Frames (T, S, N, 3) Å every SAMPLE ps of NVT from each of `starts` (S, N, 3) Å, minimised before."""
    import openmm
    from openmm import unit

    from polymd.datasets.polybench.system import gaff2_system

    system = gaff2_system(chain.polymer(), charges=chain.charges)
    integrator = openmm.LangevinMiddleIntegrator(TEMPERATURE, FRICTION, 1e-3 * TIMESTEP)
    integrator.setRandomNumberSeed(seed + 1)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    found = []
    for number, start in enumerate(starts):
        context.setPositions(start * 0.1)
        openmm.LocalEnergyMinimizer.minimize(context, 10.0, MINIMISER_STEPS)
        context.setVelocitiesToTemperature(TEMPERATURE, seed + number + 1)
        frames = []
        for _ in range(round(picoseconds / SAMPLE) + 1):
            positions = context.getState(getPositions=True).getPositions(asNumpy=True)
            frames.append(positions.value_in_unit(unit.angstrom).astype(np.float32))
            integrator.step(round(SAMPLE * 1000 / TIMESTEP))
        found.append(np.stack(frames))
    return np.stack(found, axis=1)


def gyration(polymer: Polymer, frames: NDArray[np.floating]) -> Floats:
    """Radii of gyration (...) Å of frames (..., N, 3)."""
    weights = polymer.masses / polymer.masses.sum()
    centred = frames - np.einsum("...ij,i->...j", frames, weights)[..., None, :]
    return np.asarray(np.sqrt(np.einsum("...ij,...ij,i->...", centred, centred, weights)))


def divergence(polymer: Polymer, one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Jensen-Shannon divergence in bits of backbone torsions, by bond of the repeat unit, sizes only."""
    period = len(polymer.backbone) // polymer.n_units
    angles = [np.abs(backbone_torsions(polymer, x)) for x in (one, other)]
    found = []
    for k in range(min(period, angles[0].shape[1])):
        counts = [np.histogram(a[:, k::period], bins=BINS // 2, range=(0.0, np.pi))[0] for a in angles]
        found.append(jensen_shannon(counts[0], counts[1]))
    return float(np.mean(found))


def reached(times: Floats, values: Floats, limit: float) -> float | None:
    """The first time from which on values stay at or under the limit, None where the last is above it."""
    above = np.flatnonzero(values > limit)
    if not len(above):
        return float(times[0])
    return None if above[-1] + 1 == len(times) else float(times[above[-1] + 1])


def analyse(references: Sequence[ReferenceChain], frames: NDArray[np.float32]) -> dict[str, Any]:
    """Deviations of frames (T, S, N, 3) Å from the references over time, and when they are gone."""
    polymer = references[0].polymer()
    ensemble = np.concatenate([chain.positions for chain in references])
    means = np.array(
        [
            gyration(polymer, chain.positions[chain.start == start]).mean()
            for chain in references
            for start in np.unique(chain.start)
        ]
    )
    average, error = float(means.mean()), float(means.std(ddof=1) / np.sqrt(len(means)))
    times = SAMPLE * np.arange(len(frames))
    sizes = gyration(polymer, frames)  # (T, S)
    spread = sizes.std(axis=1, ddof=1) / np.sqrt(sizes.shape[1])
    wide = round(WINDOW / SAMPLE)
    smooth = np.array([sizes[max(0, t - wide) : t + 1].mean() for t in range(len(times))])
    off = np.abs(smooth - average) / np.sqrt(error**2 + spread**2)
    others = [
        np.concatenate([other.positions for other in references if other is not chain])
        for chain in references
    ]
    floor = np.mean([divergence(polymer, c.positions, o) for c, o in zip(references, others, strict=True)])
    blocks = range(0, len(frames) - wide + 1, wide)
    apart = np.array(
        [divergence(polymer, np.concatenate(list(frames[b : b + wide])), ensemble) for b in blocks]
    )
    return {
        "rg_reference": [average, error],
        "rg": smooth[::wide].round(3).tolist(),
        "rg_reached": reached(times, off, SIGMAS),
        "torsions_floor": float(floor),
        "torsions_start": divergence(polymer, frames[0], ensemble),
        "torsions": apart.round(4).tolist(),
        "torsions_reached": reached(WINDOW * np.arange(len(apart)), apart, SLACK * float(floor)),
    }


def relax(
    references: Sequence[ReferenceChain], method: str, n: int, picoseconds: float, limit: float
) -> dict[str, Any]:
    """One row of the table: starts of the first of the references' stereoisomers."""
    chain = references[0]
    polymer, begin = chain.polymer(), time.process_time()
    row: dict[str, Any] = {
        "psmiles": chain.psmiles,
        "n_units": chain.n_units,
        "method": method,
        "ps": picoseconds,
    }
    try:
        starts = generate(polymer, method, n, limit=limit)
    except ConformationError as error:
        return row | {"failure": str(error)}
    try:
        frames = trajectories(chain, starts, picoseconds, seed=1)
    except OpenMMException as error:  # a coordinate is NaN
        return row | {"failure": f"dynamics: {error}"}
    return (
        row | {"starts": len(starts)} | analyse(references, frames) | {"seconds": time.process_time() - begin}
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a row a polymer and method."""
    lines = [
        "| polymer | start | Rg at 0, ps after which it stays at its average | torsions: divergence of the"
        " first 2 ps (floor), ps until 1.25 times the floor |",
        "|---|---|---|---|",
    ]

    def after(value: float | None, row: dict[str, Any]) -> str:
        return f"over {row['ps']:g}" if value is None else f"{value:.1f}"

    for row in rows:
        head = f"| `{row['psmiles']}` × {row['n_units']} | {row['method']} |"
        if "failure" in row:
            lines.append(f"{head} failed | |")
            continue
        average = row["rg_reference"][0]
        size = f"{row['rg'][0] / average:.2f} of it, {after(row['rg_reached'], row)}"
        turned = f"{row['torsions'][0]:.3f} ({row['torsions_floor']:.3f})"
        lines.append(f"{head} {size} | {turned}, {after(row['torsions_reached'], row)} |")
    return "\n".join(lines)


def main(
    data: Annotated[Path, typer.Argument(help="Reference chains with test libraries.")],
    polymers: Annotated[int, typer.Option(help="The first so many of the test split.")] = 3,
    starts: Annotated[int, typer.Option(help="Of each method.")] = 12,
    ps: Annotated[float, typer.Option(help="Of each start.")] = 20.0,
    limit: Annotated[float, typer.Option(help="Seconds that ETKDG gets for a chain.")] = 20.0,
    method: Annotated[list[str] | None, typer.Option(help="By default all four.")] = None,
) -> None:
    """Run what is missing and print the table."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else []
    done = {(row["psmiles"], row["method"]) for row in rows}
    libraries: dict[str, list[ReferenceChain]] = {}
    for chain in read_chains(data, split="test", kind="library"):
        libraries.setdefault(chain.psmiles, []).append(chain)
    for psmiles in list(libraries)[:polymers]:
        for name in method or METHODS:
            if (psmiles, name) not in done:
                rows.append(relax(libraries[psmiles], name, starts, ps, limit))
                RESULTS.parent.mkdir(exist_ok=True)
                RESULTS.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table(sorted(rows, key=lambda row: (row["psmiles"], METHODS.index(row["method"])))))


if __name__ == "__main__":
    typer.run(main)
