"""From a checkpoint to a model file: averaged weights, atomic energies by least squares, the card."""

import datetime
import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule, read_attributes
from polymd.potentials.polyget import storage
from polymd.potentials.polyget.engine import Engine
from polymd.training.batches import FrameTable
from polymd.training.checkpoint import averaged_weights, minutes_spent
from polymd.training.families import family
from polymd.training.potential_config import PotentialConfig
from polymd.training.potential_errors import (
    engine_predictor,
    frame_energies,
    potential_errors,
    rounded,
)

ENERGY_FRAMES = 600
LIMITS = (
    "Neutral closed-shell molecules of the elements it knows; interactions end at the cutoff.",
    "Errors grow away from the families, temperatures and lengths of chains in the data.",
)


def export_model(
    config: PotentialConfig, training: list[LabelledMolecule], validation: list[LabelledMolecule]
) -> dict[str, Any]:
    """Write `config.model` from `config.checkpoint`; returns the card."""
    checkpoint = torch.load(config.checkpoint, map_location="cpu", weights_only=True)
    weights = averaged_weights(checkpoint)
    architecture = checkpoint["architecture"]
    weights["atomic_energies"] = fit_atomic_energies(weights, architecture, FrameTable.of(training))
    engine = Engine(weights, architecture)
    errors = potential_errors(engine_predictor(engine), validation) if validation else None
    card = _card(config, checkpoint, training, validation) | {"errors": rounded(errors, 5)}
    partial = config.model.with_suffix(".partial")
    storage.save(partial, weights, architecture, card)
    os.replace(partial, config.model)
    return card


def fit_atomic_energies(
    weights: dict[str, NDArray[Any]], architecture: dict[str, Any], frames: FrameTable
) -> NDArray[np.float64]:
    """Energy of each element (eV) that brings the model's energies closest to the labelled ones.

    Least squares over at most 600 frames, weighted by 1 / sqrt(atoms), as a correction of the smallest
    norm to the energies in `weights`: elements without frames keep theirs.
    """
    engine = Engine(weights, architecture)
    chosen = np.random.default_rng(0).permutation(len(frames))[:ENERGY_FRAMES]
    counts, missing = [], []
    for frame in chosen:
        atoms = slice(frames.pointers[frame], frames.pointers[frame + 1])
        numbers, positions = frames.numbers[atoms], frames.positions[atoms]
        counts.append([np.count_nonzero(numbers == z) for z in architecture["elements"]])
        missing.append(frames.energies[frame] - frame_energies(engine, numbers, positions[None])[0])
    a, y = np.array(counts, dtype=np.float64), np.array(missing)
    weight = 1.0 / np.sqrt(a.sum(axis=1))
    correction = np.linalg.lstsq(a * weight[:, None], y * weight, rcond=None)[0]
    return np.asarray(engine.atomic_energies + correction, dtype=np.float64)


def _card(
    config: PotentialConfig,
    checkpoint: dict[str, Any],
    training: list[LabelledMolecule],
    validation: list[LabelledMolecule],
) -> dict[str, Any]:
    """Where the model comes from, without its errors."""
    from polymd.diagnostics import machine, versions

    attributes = [read_attributes(path) for path in config.data]
    frames = sum(len(m.energies) for m in training)
    steps = int(checkpoint["global_step"])
    return {
        "name": config.name,
        "date": str(datetime.date.today()),
        "level_of_theory": "; ".join(sorted({a.get("level_of_theory", "not stated") for a in attributes})),
        "data": [
            {"file": path.name, "sha256": storage.checksum(path)} | a
            for path, a in zip(config.data, attributes, strict=True)
        ],
        "training": {
            "frames": frames,
            "atoms": sum(len(m.numbers) * len(m.energies) for m in training),
            "families": len({family(m) for m in training}),
            "steps": steps,
            "epochs": round(steps * config.batch / frames, 3),
            "minutes": round(minutes_spent(checkpoint), 2),
            "start": config.start,
            "parameters": checkpoint["parameters"],
        },
        "validation_families": sorted({family(m) for m in validation}),
        "config": checkpoint["config"],
        "machine": machine(),
        "versions": {k: v for k, v in versions().items() if v is not None},
        "limits": list(LIMITS),
    }
