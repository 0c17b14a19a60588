"""Tasks of a labelling: which polymers or frames are worked on together, decided once from the settings."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polymd.datasets.frames import LabelledMolecule, read_frames
from polymd.datasets.labelling.settings import FAMILIES, Settings
from polymd.datasets.labelling.shards import Frame, Identity
from polymd.datasets.sampling.exclusion import Exclusion, is_ring_of_six, read_exclusion

_BATCH = 16  #: frames relabelled at once


@dataclass(frozen=True)
class Task:
    """Polymers to make one start each of, at a quantile of their forms by size; or unlabelled frames."""

    number: int
    polymers: tuple[str, ...] = ()
    quantile: float = 0.0
    round: int = 0
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Tasks in the order of the work, and what was refused: (psmiles, id, temperature, reason)."""

    tasks: Sequence[Task]
    refused: list[tuple[str, str, str, str]]


def make_plan(settings: Settings) -> Plan:
    """Tasks for the settings. ValueError for a source that cannot be read or of which nothing is left."""
    exclusion = read_exclusion(settings.exclude) if settings.exclude else Exclusion()
    plan = _polymers(settings, exclusion) if settings.sampler == "md" else _frames(settings, exclusion)
    if not plan.tasks:
        reason = f"; the first: {plan.refused[0][0]}, {plan.refused[0][3]}" if plan.refused else ""
        raise ValueError(f"nothing in {str(settings.source)!r} can be labelled{reason}")
    return plan


def read_psmiles(path: Path) -> list[str]:
    """P-SMILES of a CSV file (column `psmiles` in any case, or the first), or of labelled frames."""
    if path.suffix.lower() != ".csv":
        return sorted({m.psmiles for m in read_frames(path) if m.psmiles})
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    if not rows:
        raise ValueError(f"{str(path)!r} is empty; it needs a column psmiles")
    header = [cell.strip().lower() for cell in rows[0]]
    if "psmiles" in header:
        column, rows = header.index("psmiles"), rows[1:]
    elif "*" in rows[0][0]:
        column = 0
    else:
        raise ValueError(f"{str(path)!r} has no column psmiles; it has {', '.join(rows[0])}")
    return list(dict.fromkeys(row[column].strip() for row in rows if len(row) > column))


def _polymers(settings: Settings, exclusion: Exclusion) -> Plan:
    """Rounds over polymers of like size; of each polymer once, however it is spelled."""
    from polymd.polymer import Polymer
    from polymd.psmiles import canonicalise

    sizes: dict[str, int] = {}
    seen: set[str] = set()
    refused = []
    for psmiles in read_psmiles(settings.source):
        try:
            size, name = Polymer(psmiles, 1).n_atoms, canonicalise(psmiles)
        except ValueError as error:
            refused.append((psmiles, "", "", str(error)))
            continue
        if psmiles in exclusion:
            refused.append((psmiles, "", "", "excluded"))
        elif size > settings.max_atoms:
            refused.append((psmiles, "", "", f"one unit has {size} atoms, more than {settings.max_atoms}"))
        elif name not in seen:
            seen.add(name)
            sizes[psmiles] = size
    ordered = sorted(sizes, key=lambda psmiles: (sizes[psmiles], psmiles))
    chunks = [tuple(ordered[i : i + FAMILIES]) for i in range(0, len(ordered), FAMILIES)]
    rng = np.random.default_rng(settings.seed)
    offsets = rng.random(len(chunks))
    tasks: list[Task] = []
    for number in range(settings.rounds):
        for chunk in rng.permutation(len(chunks)).tolist():
            # golden ratio: rounds spread evenly over the forms
            quantile = float((offsets[chunk] + 0.618034 * number) % 1.0)
            tasks.append(Task(len(tasks), chunks[chunk], quantile, number))
    return Plan(tasks, refused)


def _frames(settings: Settings, exclusion: Exclusion) -> Plan:
    """Frames of like size together."""
    if settings.source.suffix.lower() == ".csv":
        raise ValueError(
            f"sampler {settings.sampler} needs labelled frames (.h5, .hdf5, .xyz, .extxyz), not a CSV file"
        )
    refused, frames = [], []
    for molecule in read_frames(settings.source):
        reason = _refusal(molecule, exclusion)
        if reason:
            refused.append((molecule.psmiles, molecule.id, "", reason))
            continue
        identity = Identity(
            molecule.psmiles, molecule.id, molecule.kind, molecule.n_units, tuple(molecule.numbers.tolist())
        )
        zero = np.zeros_like(molecule.positions[0])
        frames += [
            Frame(identity, positions, 0.0, zero, 0.0, float(kelvin))
            for positions, kelvin in zip(molecule.positions, molecule.temperatures, strict=True)
        ]
    frames.sort(key=lambda frame: len(frame.positions))
    batches = [tuple(frames[i : i + _BATCH]) for i in range(0, len(frames), _BATCH)]
    return Plan([Task(number, frames=batch) for number, batch in enumerate(batches)], refused)


def _refusal(molecule: LabelledMolecule, exclusion: Exclusion) -> str:
    """Why a molecule is not labelled, or nothing."""
    if molecule.cells is not None:
        return "periodic; teachers take molecules in vacuum"
    if not molecule.psmiles:
        return ""
    if molecule.psmiles in exclusion:
        return "excluded"
    if molecule.kind == "ring" and is_ring_of_six(molecule.psmiles, molecule.n_units):
        return "a ring of six units"
    return ""
