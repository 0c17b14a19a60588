"""Errors of a potential on labelled frames: forces by element, family and kind, energies after a shift a
molecule.

force MAE, RMSE       over components, eV/Å
cosine distance       mean over atoms of 1 - F . F* / |F| |F*|, atoms with |F*| above 0.01 eV/Å
energy MAE per atom   mean over frames of |E - E* - shift| / N, the shift being the molecule's mean difference
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymd.datasets.frames import LabelledMolecule

SMALL_FORCE = 0.01

Predict = Callable[[LabelledMolecule], tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Energies (F,) eV and forces (F, N, 3) eV/Å of a molecule's frames."""


def polyget_predictor(model: str) -> Predict:
    """Predictions of a PolyGET model by its fast engine. Raises ValueError, when called, for unknown
    elements.
    """
    from polymd.potentials.backends import make_backend

    def predict(molecule: LabelledMolecule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        backend = make_backend(molecule.numbers, model, "auto")
        energies, forces = [], []
        for frame, positions in enumerate(molecule.positions):
            cell = np.zeros((3, 3)) if molecule.cells is None else molecule.cells[frame]
            pbc = np.full(3, molecule.cells is not None)
            result = backend.evaluate(positions.astype(np.float64), cell, pbc)
            energies.append(result.energy)
            forces.append(result.forces)
        return np.array(energies), np.array(forces)

    return predict


def potential_errors(predict: Predict, molecules: Iterable[LabelledMolecule]) -> dict[str, Any]:
    """Overall errors and those by element, family (P-SMILES) and kind."""
    rows = [row for molecule in molecules for row in _frame_rows(predict, molecule)]
    if not rows:
        raise ValueError("there are no frames to evaluate")
    from ase.data import chemical_symbols

    numbers = np.concatenate([row["numbers"] for row in rows])
    errors = np.concatenate([row["errors"] for row in rows])
    by_element = {chemical_symbols[z]: float(np.abs(errors[numbers == z]).mean()) for z in np.unique(numbers)}
    return {
        **_summary(rows),
        "by_element": by_element,
        "by_family": _by(rows, "psmiles"),
        "by_kind": _by(rows, "kind"),
        "by_temperature": _by(rows, "temperature"),
    }


def _frame_rows(predict: Predict, molecule: LabelledMolecule) -> Iterator[dict[str, Any]]:
    energies, forces = predict(molecule)
    shift = energies - molecule.energies
    shift = np.abs(shift - shift.mean()) / len(molecule.numbers)
    for frame in range(len(energies)):
        wanted, got = molecule.forces[frame].astype(np.float64), forces[frame]
        length = np.linalg.norm(wanted, axis=1)
        moved = length > SMALL_FORCE
        cosine = (wanted * got).sum(axis=1)[moved] / (length * np.linalg.norm(got, axis=1))[moved]
        yield {
            "numbers": molecule.numbers,
            "errors": got - wanted,
            "cosine": 1.0 - cosine,
            "energy": shift[frame] if len(energies) > 1 else np.nan,
            "psmiles": molecule.psmiles or molecule.id,
            "kind": molecule.kind or "unknown",
            "temperature": f"{molecule.temperatures[frame]:.0f} K",
        }


def _summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = np.concatenate([row["errors"] for row in rows])
    energy = np.array([row["energy"] for row in rows])
    return {
        "frames": len(rows),
        "atoms": len(errors),
        "force_mae": float(np.abs(errors).mean()),
        "force_rmse": float(np.sqrt((errors**2).mean())),
        "cosine_distance": float(np.concatenate([row["cosine"] for row in rows]).mean()),
        "energy_mae_per_atom": None if np.isnan(energy).all() else float(np.nanmean(energy)),
    }


def _by(rows: list[dict[str, Any]], key: str) -> dict[str, Any]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return {name: _summary(group) for name, group in sorted(groups.items())}
