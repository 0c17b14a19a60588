"""PolyGET and what a user would take instead, as functions from frames to energies and forces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.common import MODELS
from benchmarks.accuracy.mmff import MissingParameters, mmff94
from polymd.datasets.frames import LabelledMolecule
from polymd.training.potential_errors import Predict, polyget_predictor, potential_errors

TITLES = {
    "polyget": "PolyGET",
    "polyget-fast": "PolyGET fast",
    "aimnet2": "AIMNet2, ensemble of four",
    "aimnet2-single": "AIMNet2, one model",
    "gfn2": "GFN2-xTB",
    "mmff94": "MMFF94",
}
PACKAGES = {"aimnet2": "torch", "aimnet2-single": "torch", "gfn2": "tblite", "mmff94": "rdkit"}


def ours() -> tuple[str, ...]:
    """Those PolyGET models of `TITLES` that are there."""
    from polymd.potentials import available

    return tuple(name for name in ("polyget", "polyget-fast") if name in available())


def predictor(method: str) -> Predict:
    """Energies (F,) eV and forces (F, N, 3) eV/Å of a molecule's frames by a method of `TITLES`.

    ValueError where it is not installed; MMFF94 raises `MissingParameters` when called.
    """
    if method == "mmff94":
        return mmff94
    if method.startswith("polyget"):
        return polyget_predictor(method)
    from polymd.datasets.teachers import load_teacher

    teacher = load_teacher(method, MODELS)

    def predict(molecule: LabelledMolecule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        frames = [(molecule.numbers, x.astype(np.float64)) for x in molecule.positions]
        labels = teacher.label(frames)
        return np.array([each.energy for each in labels]), np.array([each.forces for each in labels])

    return predict


def version(method: str) -> str:
    """What the numbers of a method depend on: the hash of our weights, the package of a peer."""
    if method.startswith("polyget"):
        from polymd.potentials.registry import find

        return "sha256 " + hashlib.sha256(find(method).read_bytes()).hexdigest()[:16]
    package = PACKAGES[method]
    return f"{package} {metadata.version(package)}"


def compare(
    molecules: list[LabelledMolecule], methods: Iterable[str], cached: dict[str, Any] | None, data: str
) -> dict[str, Any]:
    """Errors of each method on the same frames; those of `cached` whose version and data are the same stay.

    A molecule that MMFF94 has no parameters for is left out of its column alone, which says how many.
    """
    known = (cached or {}).get("methods", {})
    results = {}
    for method in methods:
        found = known.get(method, {})
        if found.get("version") == version(method) and found.get("data") == data:
            results[method] = found
            continue
        print(f"{method} on {sum(len(m.energies) for m in molecules)} frames", flush=True)
        results[method] = {"version": version(method), "data": data} | errors(molecules, predictor(method))
    return results


def errors(molecules: list[LabelledMolecule], predict: Predict) -> dict[str, Any]:
    """`potential_errors` without the table of families, and the number of frames without parameters."""
    usable, predictions = [], {}
    for molecule in molecules:
        try:
            predictions[id(molecule)] = predict(molecule)
            usable.append(molecule)
        except MissingParameters:
            continue
    found = potential_errors(lambda molecule: predictions[id(molecule)], usable)
    families = found.pop("by_family")
    missing = sum(len(m.energies) for m in molecules) - found["frames"]
    return found | {"families": len(families), "frames_without_parameters": missing}


def fingerprint(molecules: Iterable[LabelledMolecule]) -> str:
    """Of geometries and labels, so that cached errors are never those of other frames."""
    digest = hashlib.sha256()
    for molecule in molecules:
        for array in (molecule.numbers, molecule.positions, molecule.forces):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]
