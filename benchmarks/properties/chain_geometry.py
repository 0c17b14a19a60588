"""Does the geometry of a unit in its chain serve a property model better than that of its substituted stars?

    python -m benchmarks.properties.chain_geometry Nc EPS --folder tables --units 5 --out geometry.json

MMPolymer's first open question (arXiv 2406.04727). A kernel on the shipped 3D tower alone is fitted and
tested on the stored folds twice, nested, with nothing different but the positions: two ETKDG conformers of
the unit with its stars substituted, or the middle units of two chains grown by `generate_conformations`. Only
polymers for which both can be made take part. Everything that takes long is kept beside `--out`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import mdtraj
import numpy as np
import typer

from polymd.conformations import generate_conformations
from polymd.conformations.etkdg import ConformationError
from polymd.datasets.sampling.exclusion import Exclusion, read_exclusion
from polymd.polymer import Polymer
from polymd.properties.mmpolymer.kind import MMPolymerKind
from polymd.properties.mmpolymer.towers import Sizes
from polymd.properties.networks.conformers import Conformers, ConformerStore
from polymd.properties.networks.folds import Polymers
from polymd.properties.networks.trained import shipped_start
from polymd.properties.networks.training import TrainingSettings, held_out_networks
from polymd.properties.training_tables import TrainingTable, read_tables
from polymd.properties.unit_frames import unit_frames
from polymd.repeats import canonical_chain

CONFORMERS = 2
Method = Literal["growth", "etkdg"]


def chain_conformers(psmiles: str, n_units: int, method: Method) -> Conformers | None:
    """The middle unit of two chains, with the atoms beyond it; None where they cannot be made."""
    try:
        polymer = Polymer(psmiles, n_units)
        positions = generate_conformations(polymer, CONFORMERS, method=method)
        frames = mdtraj.Trajectory(0.1 * positions, polymer.to_mdtraj())
        units = unit_frames(frames)
    except (ValueError, ConformationError):
        return None
    return Conformers.of(units.numbers, units.positions[:, units.positions.shape[1] // 2])


def grown_store(
    chains: list[str], path: Path, n_units: int, method: Method, excluded: Exclusion
) -> ConformerStore:
    """Units of grown chains by canonical chain; a file of those that were made before is read."""
    store, failed = ConformerStore(path, CONFORMERS), path.with_suffix(".failed.json")
    refused = set(json.loads(failed.read_text(encoding="utf-8"))) if failed.exists() else set()
    missing = [chain for chain in chains if chain not in store and chain not in refused]
    for number, chain in enumerate(missing, start=1):
        found = None if chain in excluded else chain_conformers(chain, n_units, method)
        if found is None:
            refused.add(chain)
        else:
            store.add(chain, found)
        if number % 20 == 0 or number == len(missing):
            store.write()
            failed.write_text(json.dumps(sorted(refused)), encoding="utf-8")
            typer.echo(f"{number} of {len(missing)} chains, {len(refused)} not made", err=True)
    return store


def rmse(table: TrainingTable, store: ConformerStore, folder: Path) -> list[float]:
    """Root mean square errors of the five folds, in the table's targets."""
    kind = MMPolymerKind(Sizes(modalities="structure", physics=False), store)
    start = shipped_start(kind.key)
    polymers = Polymers.of({table.name: table})
    found = held_out_networks(kind, polymers, start, TrainingSettings(folder))[table.name]
    errors = [
        found.predicted[fold, table.fold == fold] - table.targets[table.fold == fold] for fold in range(5)
    ]
    return [float(np.sqrt(np.mean(e**2))) for e in errors]


def main(
    names: Annotated[list[str], typer.Argument(help="Shipped targets such as Nc.")],
    out: Annotated[Path, typer.Option(help="JSON file of the results.")],
    folder: Annotated[Path | None, typer.Option(help="Of the tables.")] = None,
    units: Annotated[list[int] | None, typer.Option(help="Chain lengths, 3 or more units.")] = None,
    method: Annotated[str, typer.Option(help="growth or etkdg.")] = "growth",
    exclude: Annotated[Path | None, typer.Option(help="JSON or CSV of P-SMILES to leave out.")] = None,
) -> None:
    """Train and test with both geometries."""
    excluded = read_exclusion(exclude) if exclude else Exclusion()
    work = out.with_suffix(".work")
    work.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    for name, table in read_tables(names, folder).items():
        chains = [canonical_chain(p) for p in table.psmiles]
        stars = ConformerStore(work / "stars.npz", CONFORMERS)
        for n_units in units or [5]:
            path = work / f"{method}-{n_units}.npz"
            grown = grown_store(list(dict.fromkeys(chains)), path, n_units, cast(Method, method), excluded)
            rows = np.array([chain in grown for chain in chains])
            part = replace(
                table,
                psmiles=[p for p, row in zip(table.psmiles, rows, strict=True) if row],
                values=table.values[rows],
                fold=table.fold[rows],
            )
            row = {"property": name, "polymers": int(rows.sum()), "units": n_units, "method": method}
            for geometry, store in (("substituted", stars), ("chain", grown)):
                where = work / f"{name}-{geometry}-{method}-{n_units}"
                row |= {geometry: rmse(part, store, where)}
            results.append(row)
            typer.echo(json.dumps(row))
            out.write_text(json.dumps(results, indent=2), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
